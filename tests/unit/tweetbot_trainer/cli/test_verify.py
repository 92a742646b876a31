"""A published model is walked back to its posts, and whatever was changed on the way is told."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from builders.published import STORE, a_published_model, version_of
from builders.stages import a_source
from tweetbot_contract import reasons
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.spec.model import Model
from tweetbot_trainer.__main__ import run_command
from tweetbot_trainer.data.dataset.dataset import POSTS_FILE, SUMMARY_FILE
from tweetbot_trainer.data.dataset.ids import IDS_FILE
from tweetbot_trainer.learning.model.identity import identify_base
from tweetbot_trainer.publishing.registry.lookup import find_reusable
from tweetbot_trainer.publishing.registry.retention import mark_adopted
from tweetbot_trainer.store.folder import FolderStore
from tweetbot_trainer.store.interface import UnnamedRefusal


@pytest.fixture
def run(tmp_path: Path) -> RunDocument:
    return a_published_model(tmp_path)


def verified(uri: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    """Return the exit code and the verdict of each thing."""
    code = run_command(["verify", "--model", uri, "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["intact"] == (code == 0)
    return code, {finding["what"]: finding["verdict"] for finding in document["findings"]}


def dataset_of(run: RunDocument) -> str:
    manifest = json.loads(STORE.get(f"{version_of(run)}/MANIFEST.json"))
    return str(manifest["dataset"]["uri"])


def test_all_that_was_published_matches(run: RunDocument, capsys: pytest.CaptureFixture[str]) -> None:
    code, verdicts = verified(version_of(run), capsys)
    assert code == 0
    assert set(verdicts.values()) == {"ok"}
    assert {"MANIFEST.json", "model/model.safetensors", "report/loss.png", IDS_FILE, "data table"} < set(verdicts)
    assert "sources[0] posts posts.txt" in verdicts


def test_a_version_that_a_later_run_adopted_matches_as_well(
    run: RunDocument, capsys: pytest.CaptureFixture[str]
) -> None:
    home = version_of(run)
    published = find_reusable(STORE, run, json.loads(STORE.get(f"{home}/MANIFEST.json"))["trainingKey"])
    assert published is not None
    STORE.delete(f"{run.prefix}/latest.json")  # another is served meanwhile
    mark_adopted(STORE, run, published)
    assert [info for info in STORE.list(f"{home}/") if info.uri.endswith("/ADOPTED")]
    assert verified(home, capsys)[0] == 0


def test_pages_that_the_manifest_leaves_out_are_found_in_the_runs_record(
    run: RunDocument, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page may hold one post: its hash, beside the model, would confirm a guess of it."""
    home, uri = version_of(run), f"{run.prefix}/runs/{run.run_id}/prepare.json"
    record, manifest = json.loads(STORE.get(uri)), json.loads(STORE.get(f"{home}/MANIFEST.json"))
    (source,) = record["sources"]
    source["kind"] = "x"
    manifest["provenance"]["sources"] = [{key: source[key] for key in source if key != "objects"}]
    STORE.put(uri, json.dumps(record).encode())
    STORE.put(f"{home}/MANIFEST.json", json.dumps(manifest).encode())
    assert verified(home, capsys)[1]["sources[0] x posts.txt"] == "ok"
    STORE.delete(uri)
    assert verified(home, capsys)[1]["sources[0] x"] == "unproven"


@pytest.mark.parametrize("form", ["{}", "{}/", "{}/model", "{}/MANIFEST.json"])
def test_a_version_is_found_by_each_of_its_addresses(
    run: RunDocument, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verified(form.format(version_of(run)), capsys)[0] == 0


def test_a_bot_may_be_called_model_and_lie_in_a_folder_with_any_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_source(tmp_path)
    output = {"output": {"s3": {"uri": f"file://{tmp_path}/my%20bucket"}}}
    run = a_published_model(tmp_path, name="model", spec=output)
    assert verified(run.prefix, capsys)[0] == 0


@pytest.mark.parametrize("form", ["{}", "{}/", "{}/latest.json"])
def test_the_pointer_leads_to_what_is_served(run: RunDocument, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert verified(form.format(run.prefix), capsys)[0] == 0


def test_people_read_a_line_for_each_thing_and_the_sum(run: RunDocument, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["verify", "--model", run.prefix]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok        MANIFEST.json  version ")
    assert lines[-1] == f"{version_of(run)}: {len(lines) - 1} match"


def damaged(path: str) -> Callable[[RunDocument], None]:
    return lambda run: STORE.put(f"{version_of(run)}/{path}", b"weighty")


def removed(path: str) -> Callable[[RunDocument], None]:
    return lambda run: STORE.delete(f"{version_of(run)}/{path}")


def in_dataset(file: str, change: Callable[[bytes], bytes]) -> Callable[[RunDocument], None]:
    def act(run: RunDocument) -> None:
        uri = f"{dataset_of(run)}/{file}"
        STORE.put(uri, change(STORE.get(uri)))

    return act


def edited_manifest(**changes: Any) -> Callable[[RunDocument], None]:
    def act(run: RunDocument) -> None:
        uri = f"{version_of(run)}/MANIFEST.json"
        content = json.loads(STORE.get(uri))
        origin = {"provenance": content["provenance"] | changes.get("provenance", {})}
        STORE.put(uri, json.dumps(content | changes | origin).encode())

    return act


@pytest.mark.parametrize(
    ("harm", "what", "verdict"),
    [
        (damaged("model/model.safetensors"), "model/model.safetensors", "differs"),
        (removed("model/config.json"), "model/config.json", "missing"),
        (damaged("model/pytorch_model.bin"), "model/pytorch_model.bin", "differs"),
        (edited_manifest(publishedAt="2026-11-24T06:00:00.000Z"), "MANIFEST.json", "differs"),
        (edited_manifest(version="0" * 16), "MANIFEST.json", "differs"),
        (edited_manifest(trainingKey="0" * 64), "training key", "differs"),
        (edited_manifest(provenance={"training": {"epochs": 40}}), "training key", "differs"),
        (edited_manifest(provenance={"base": {"uri": "hf://gpt2"}}), "training key", "differs"),
        (edited_manifest(provenance={"training": {"epochs": float("nan")}}), "training key", "differs"),
        (edited_manifest(provenance={"base": {"kind": "folder"}}), "base config.json", "differs"),
        (in_dataset(IDS_FILE, lambda ids: ids.partition(b"\n")[2]), IDS_FILE, "differs"),
        (lambda run: STORE.delete(f"{dataset_of(run)}/{IDS_FILE}"), IDS_FILE, "missing"),
    ],
)
def test_what_was_changed_is_named(
    run: RunDocument,
    harm: Callable[[RunDocument], None],
    what: str,
    verdict: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    harm(run)
    code, verdicts = verified(run.prefix, capsys)
    assert (code, verdicts[what]) == (10, verdict)


@pytest.mark.parametrize("file", [POSTS_FILE, SUMMARY_FILE])
def test_a_dataset_that_was_changed_is_named(run: RunDocument, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    in_dataset(file, lambda content: content[:-9])(run)
    code, verdicts = verified(run.prefix, capsys)
    assert (code, [what for what, verdict in verdicts.items() if verdict == "differs"]) == (10, [name_of_dataset(run)])
    STORE.delete(f"{dataset_of(run)}/{file}")
    assert verified(run.prefix, capsys)[1][name_of_dataset(run)] == "missing"


def name_of_dataset(run: RunDocument) -> str:
    return f"dataset {dataset_of(run).rpartition('/')[2][:16]}"


def test_a_source_that_changed_or_went_is_not_proven_and_no_fault(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "posts.txt").write_text("another export\n", encoding="utf-8")
    code, verdicts = verified(run.prefix, capsys)
    assert (code, verdicts["sources[0] posts posts.txt"]) == (0, "unproven")
    (tmp_path / "posts.txt").unlink()
    assert verified(run.prefix, capsys)[1]["sources[0] posts posts.txt"] == "unproven"


def test_a_source_behind_a_proxy_that_refuses_is_not_proven(
    run: RunDocument, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(store: FolderStore, uri: str) -> None:
        raise UnnamedRefusal(reasons.FOREIGN_ENDPOINT, f"{uri} is not S3's")

    monkeypatch.setattr("tweetbot_trainer.publishing.registry.lineage.describe_object", refuse)
    code, verdicts = verified(run.prefix, capsys)
    assert (code, verdicts["sources[0] posts posts.txt"]) == (0, "unproven")


def test_a_base_that_is_a_folder_is_compared_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = tmp_path / "base"
    base.mkdir()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (base / name).write_bytes(name.encode())
    identity = identify_base(
        Model.model_construct(base=f"file://{base}"), open_stream=STORE.open_seekable, resolve=lambda name, _: name
    )
    run = a_published_model(tmp_path, base=identity.as_record())
    assert verified(run.prefix, capsys)[1]["base model.safetensors"] == "ok"
    (base / "model.safetensors").write_bytes(b"others")
    code, verdicts = verified(run.prefix, capsys)
    assert (code, verdicts["base model.safetensors"], verdicts["base config.json"]) == (0, "unproven", "ok")


@pytest.mark.parametrize("name", ["bucket", "models", "models/0123456789abcdef", "latest.json"])
def test_where_no_model_is_published_it_says_so(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["verify", "--model", f"file://{tmp_path}/{name}"]) == 10
    assert "there is no published model at" in capsys.readouterr().err


def test_a_file_that_is_no_manifest_is_told(run: RunDocument, capsys: pytest.CaptureFixture[str]) -> None:
    STORE.put(f"{version_of(run)}/MANIFEST.json", b"{}")
    assert run_command(["verify", "--model", version_of(run)]) == 10
    assert "is not a manifest" in capsys.readouterr().err


@pytest.fixture
def bucket(tmp_path: Path, run: RunDocument, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The same model in a bucket, with keys from the environment."""
    for name, value in {"ACCESS_KEY_ID": "an-id", "SECRET_ACCESS_KEY": "a-key", "REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="team-a")
        home = tmp_path / "bucket"
        for path in (path for path in home.rglob("*") if path.is_file()):
            content = path.read_bytes().replace(f"file://{home}".encode(), b"s3://team-a")
            client.put_object(Bucket="team-a", Key=path.relative_to(home).as_posix(), Body=content)
        yield "s3://team-a/team-a/gull"


def test_a_bucket_is_reached_with_the_keys_of_the_environment(
    bucket: str, run: RunDocument, capsys: pytest.CaptureFixture[str]
) -> None:
    version = f"{bucket}/models/{version_of(run).rpartition('/')[2]}"
    code, verdicts = verified(version, capsys)
    assert (code, verdicts["model/model.safetensors"], verdicts["data table"]) == (0, "ok", "ok")
    assert verified(bucket, capsys) == (10, verdicts | {"MANIFEST.json": "differs"}), "its addresses were rewritten"


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--endpoint", "ftp://x"], "write the endpoint as"), (["--model", "gs://x/y"], "is not an address")],
)
def test_a_wrong_option_is_told(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["verify", "--model", "s3://team-a/x", *options]) == 10
    assert words in capsys.readouterr().err
