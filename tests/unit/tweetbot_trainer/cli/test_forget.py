"""Which datasets and models hold posts that were deleted: found by their ids, without opening a text."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from builders.published import DELETED, OLD, STORE, TRACKED, a_published_model, learn, serve_version, version_of
from builders.stages import ENOUGH, a_context, a_local_run
from builders.trainer import many_posts
from tweetbot_contract import handover
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import decode
from tweetbot_contract.result.erasure import ErasedCounts, ForgetSucceeded
from tweetbot_contract.status.tasks import PinRequest
from tweetbot_fakes.storage import WatchedStore
from tweetbot_trainer.__main__ import run_command
from tweetbot_trainer.cli.forget import run_forget
from tweetbot_trainer.data.posts import dump_post
from tweetbot_trainer.publishing.forgetting.contents import read_contents
from tweetbot_trainer.publishing.registry.pinning import serve_pinned
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.store import ObjectStore, build_store_opener
from tweetbot_trainer.store.s3_client import create_s3_client


def posts_file(folder: Path, *, copies: bool = False) -> dict[str, Any]:
    """Write posts with ids; with `copies` the first stands once more, as another post."""
    posts = [dump_post(post) for post in many_posts(ENOUGH)]
    again = [{**posts[0], "id": "7"}] if copies else []
    folder.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(record) + "\n" for record in [*posts, *again])
    (folder / "posts.jsonl").write_text("".join(lines), encoding="utf-8")
    return {"sources": [{"posts": {"uri": f"file://{folder}/posts.jsonl"}}]}


@pytest.fixture
def run(tmp_path: Path) -> RunDocument:
    (tmp_path / "posts.txt").touch()
    recipe = {"filter": {"recipe": "huggingtweets"}}
    return a_published_model(tmp_path, spec={**posts_file(tmp_path, copies=True), **recipe})


def ids_file(folder: Path, *lines: str) -> Path:
    path = folder / "ids.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def read_findings(root: str, ids: Path, capsys: pytest.CaptureFixture[str], code: int = 0) -> dict[str, Any]:
    assert run_command(["forget", "--ids", str(ids), "--root", root, "--json"]) == code
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


FIRST, SECOND = (post.id for post in many_posts(2))


def test_the_dataset_and_the_served_model_are_named(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = read_findings(f"file://{tmp_path}/bucket", ids_file(tmp_path, SECOND, "4711"), capsys)
    (dataset,), (model,) = document["datasets"], document["models"]
    assert (dataset["bot"], dataset["posts"]) == ("team-a/gull", {SECOND: []})
    assert (model["uri"], model["served"], model["posts"]) == (f"{version_of(run)}/model", True, [SECOND])
    assert (document["notFound"], document["unknown"]) == (["4711"], [])


def test_the_bot_is_named_whatever_its_output_is_called(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "posts.txt").touch()
    output = {"output": {"s3": {"uri": f"file://{tmp_path}/models/datasets"}}}
    run = a_published_model(tmp_path, spec={**posts_file(tmp_path), **output})
    document = read_findings(f"file://{tmp_path}/models", ids_file(tmp_path, SECOND), capsys)
    assert [one["bot"] for one in (*document["datasets"], *document["models"])] == [f"{run.namespace}/{run.name}"] * 2


def test_another_post_with_the_very_same_text_is_named(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = ids_file(tmp_path, FIRST)
    assert read_findings(run.prefix, ids, capsys)["datasets"][0]["posts"] == {FIRST: ["7"]}
    assert run_command(["forget", "--ids", str(ids), "--root", run.prefix]) == 0
    assert f"{FIRST} has the same text as 7, not listed" in capsys.readouterr().out


def test_people_read_what_to_do(run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["forget", "--ids", str(ids_file(tmp_path, SECOND)), "--root", run.prefix]) == 0
    said = capsys.readouterr().out
    assert said.startswith("1 of 1 posts found, in 1 datasets and 1 models\ndataset  file:///")
    assert f"model    {version_of(run)}/model: learned from {SECOND}, and is served" in said
    assert f"not yet  version {version_of(run).rpartition('/')[2]}, which is served, was trained on them." in said
    assert f"kubectl tweetbot forget gull --namespace team-a --ids {tmp_path}/ids.txt" in said


def test_a_pin_that_would_keep_such_a_model_served_is_told(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pin = PinRequest(version=version_of(run).rpartition("/")[2], requested_at="2026-11-20T12:00:00Z", generation=2)
    serve_pinned(STORE, run.model_copy(update={"pin": pin}))
    assert run_command(["forget", "--ids", str(ids_file(tmp_path, SECOND)), "--root", run.prefix]) == 0
    said = capsys.readouterr().out
    assert f"model    {version_of(run)}/model: learned from {SECOND}, and is pinned" in said
    assert f"not yet  version {pin.version}, which is pinned, was trained on them. Remove spec.pin first" in said


def test_nothing_found_is_said_and_asks_for_nothing(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["forget", "--ids", str(ids_file(tmp_path, "4711")), "--root", run.prefix]) == 0
    assert capsys.readouterr().out == "0 of 1 posts found, in 0 datasets and 0 models\n"


def test_no_text_of_a_post_is_opened(run: RunDocument) -> None:
    store = WatchedStore(STORE)
    read_contents(store, run.prefix, frozenset({SECOND}))
    opened = {uri.rpartition("/")[2] for action, uri in store.requests if action != "list"}
    assert opened == {"ids.jsonl", "MANIFEST.json", "latest.json", "owner.json", "prepare.json"}


def test_a_dataset_that_cannot_tell_is_named_and_no_clean_answer_given(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = read_findings(run.prefix, ids_file(tmp_path, SECOND), capsys)["datasets"][0]["uri"]
    STORE.put(f"{uri}/ids.jsonl", b'{"id": "1"}\n')
    assert read_findings(run.prefix, ids_file(tmp_path, SECOND), capsys, code=10)["unknown"] == [uri, version_of(run)]
    STORE.delete(f"{uri}/ids.jsonl")
    assert read_findings(run.prefix, ids_file(tmp_path, SECOND), capsys, code=10)["unknown"] == [uri, version_of(run)]


def test_a_model_whose_dataset_is_gone_is_named_and_no_clean_answer_given(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the dataset alone removed, the command said that nothing holds the post."""
    for _ in STORE.erase(f"{run.prefix}/datasets/"):
        pass
    assert read_findings(run.prefix, ids_file(tmp_path, SECOND), capsys, code=10)["unknown"] == [version_of(run)]


def test_a_version_without_a_readable_manifest_is_named(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    STORE.put(f"{version_of(run)}/MANIFEST.json", b"{}")
    assert read_findings(run.prefix, ids_file(tmp_path, SECOND), capsys, code=10)["unknown"] == [version_of(run)]


def test_a_list_as_long_as_the_limit_is_read_and_a_longer_one_refused(
    run: RunDocument, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(f"{run_forget.__module__}.LIST_LIMIT", 4)
    assert read_findings(run.prefix, ids_file(tmp_path, "4711"), capsys)["notFound"] == ["4711"]
    assert run_command(["forget", "--ids", str(ids_file(tmp_path, "47110")), "--root", run.prefix]) == 10
    assert "ids.txt has 5 bytes; at most 4 are read" in capsys.readouterr().err


def test_a_list_that_cannot_be_read_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = ids_file(tmp_path, "1", "{")
    assert run_command(["forget", "--ids", str(ids), "--root", f"file://{tmp_path}"]) == 10
    assert "line 2: write an id" in capsys.readouterr().err


def test_a_missing_list_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["forget", "--ids", str(tmp_path / "none"), "--root", f"file://{tmp_path}"]) == 10
    assert "No such file" in capsys.readouterr().err


def test_an_excluded_post_is_in_the_next_dataset_no_more(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = {**posts_file(tmp_path), "filter": {"recipe": "huggingtweets", "excludeIds": [SECOND, "not there"]}}
    after = a_local_run(tmp_path, spec=spec, run_id="fedcba9876543210")
    result = prepare(a_context(tmp_path, after))
    assert result.dataset.table.downloaded == ENOUGH - 1
    (dataset,) = read_findings(run.prefix, ids_file(tmp_path, SECOND), capsys)["datasets"]
    assert dataset["digest"] != result.dataset.digest


def test_a_post_that_was_edited_goes_by_any_of_its_ids(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dataset names it by its last id, so that one of before was not found."""
    lines = [dump_post(post) for post in many_posts(ENOUGH)]
    lines[3]["edits"] = [lines[3]["id"], "an earlier id"]
    spec = posts_file(tmp_path)
    (tmp_path / "posts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    before = prepare(a_context(tmp_path, a_local_run(tmp_path, spec=spec)))
    run = a_local_run(tmp_path, spec={**spec, "filter": {"excludeIds": ["an earlier id"]}}, run_id="f" * 16)
    assert prepare(a_context(tmp_path, run)).dataset.table.downloaded == ENOUGH - 1
    (dataset,) = read_findings(run.prefix, ids_file(tmp_path, "an earlier id"), capsys)["datasets"]
    assert (dataset["digest"], dataset["posts"]) == (before.dataset.digest, {lines[3]["id"]: []})


def test_a_mistyped_root_is_an_error_that_names_it(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It gave "0 of 1 posts found", as if nothing were left to delete."""
    for root in (f"file://{tmp_path}/buckte", f"{run.prefix}/model"):
        assert run_command(["forget", "--ids", str(ids_file(tmp_path, SECOND)), "--root", root]) == 10
        said = capsys.readouterr()
        assert said.out == ""
        assert f"No TweetBot has written below {root}: write the address in output.s3.uri" in said.err


def test_a_tweetbot_without_a_version_yet_is_no_mistyped_root(tmp_path: Path) -> None:
    (folder := tmp_path / "bucket/team-a/gull").mkdir(parents=True)
    (folder / "owner.json").write_text("{}", encoding="utf-8")
    assert len(read_contents(STORE, f"file://{tmp_path}/bucket", frozenset({SECOND}))) == 1


@pytest.fixture
def learned(tmp_path: Path) -> RunDocument:
    """Return a TweetBot that serves a version without the deleted post, and has an older one with it."""
    document = a_local_run(tmp_path)
    learn(STORE, document)
    return document


def erase(run: RunDocument, folder: Path, *options: str) -> int:
    ids = ids_file(folder, DELETED)
    return run_command(["forget", "--ids", str(ids), "--root", run.prefix, "--erase", *options])


def test_a_person_erases_and_reads_what_went_and_what_is_left(
    learned: RunDocument, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in ("WANDB_API_KEY", "HF_TOKEN"):
        monkeypatch.delenv(key, raising=False)
    assert erase(learned, tmp_path, "--yes") == 10  # without keys, what lies elsewhere is left
    said = capsys.readouterr().out
    assert f"erased   {learned.prefix}/models/v1\n" in said
    assert f"left     {TRACKED}-{OLD[:16]}-train: there is no API key for it: set WANDB_API_KEY" in said
    assert said.endswith("erased: 1 datasets, 2 versions, 1 checkpoints, 1 raw files\n")
    assert STORE.head(f"{learned.prefix}/datasets/{OLD}/ids.jsonl") is None


def test_nothing_is_erased_before_the_person_says_so(
    learned: RunDocument, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for answer in ("n\n", "\n", ""):
        monkeypatch.setattr("sys.stdin", StringIO(answer))
        assert erase(learned, tmp_path) == 10
    assert capsys.readouterr().out.endswith("Nothing was erased: answer y, or give --yes.\n")
    assert STORE.head(f"{learned.prefix}/datasets/{OLD}/ids.jsonl")
    serve_version(STORE, learned, "v1")
    assert erase(learned, tmp_path) == 10  # nobody is asked for what is refused
    assert "refused  Nothing was erased" in capsys.readouterr().out
    serve_version(STORE, learned, "v2")
    monkeypatch.setattr("sys.stdin", StringIO("y\n"))
    erase(learned, tmp_path)
    assert STORE.head(f"{learned.prefix}/datasets/{OLD}/ids.jsonl") is None


def test_a_program_erases_with_yes_and_reads_json(
    learned: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert erase(learned, tmp_path, "--json") == 10
    assert "--json asks nothing: give --yes, too" in capsys.readouterr().err
    erase(learned, tmp_path, "--json", "--yes")
    document = json.loads(capsys.readouterr().out)
    assert (document["erased"]["versions"], document["refused"]) == (2, {})
    assert [one["reason"] for one in document["left"]] == ["NotAuthorized", "NotAuthorized", "HubDegraded"]


def test_a_refusal_names_its_tweetbot_and_the_others_are_erased(
    learned: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = a_local_run(tmp_path, name="tern")
    learn(STORE, other)
    serve_version(STORE, learned, "v1")
    root = f"file://{tmp_path}/bucket"
    assert run_command(["forget", "--ids", str(ids_file(tmp_path, DELETED)), "--root", root, "--erase", "--yes"]) == 10
    said = capsys.readouterr().out
    assert f"refused  Nothing was erased in {learned.prefix}: version v1, which is served, was trained on them" in said
    assert f"erased   {other.prefix}/models/v1\n" in said
    assert STORE.head(f"{learned.prefix}/datasets/{OLD}/ids.jsonl")


def test_a_command_that_lacks_its_options_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["forget"]) == 10
    assert "forget needs --ids, a list of posts, and --root, where to look for them" in capsys.readouterr().err


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunDocument]:
    """Return the document of a Pod that forgets, whose bucket another process plays."""
    output = {"s3": {"uri": "s3://team-a/models", "region": "us-east-1"}}
    spec = {"output": output, "filter": {"excludeIds": [DELETED]}}
    run = a_local_run(tmp_path, stage="Forget", spec=spec)
    (tmp_path / "s3").mkdir()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        (tmp_path / "s3" / name).write_text("a-key", encoding="utf-8")
    monkeypatch.setenv(handover.RUN_ENV, run.encode())
    monkeypatch.setenv(handover.SECRETS_DIR_ENV, str(tmp_path))
    monkeypatch.setenv(handover.WORK_DIR_ENV, str(tmp_path / "work"))
    monkeypatch.setenv(handover.TERMINATION_LOG_ENV, str(tmp_path / "log"))
    for name in handover.CACHE_FOLDERS:
        monkeypatch.setenv(name, str(tmp_path))
    with mock_aws():
        create_s3_client(run.spec.output.s3, tmp_path).create_bucket(Bucket="team-a")
        learn(open_bucket(run, tmp_path), run)
        yield run


def open_bucket(run: RunDocument, folder: Path) -> ObjectStore:
    return build_store_opener(run.spec.output.s3, folder, RetryBudget(0))(run.prefix)


def test_a_pod_forgets_the_excluded_posts_and_tells_what_is_left(pod: RunDocument, tmp_path: Path) -> None:
    assert run_command(["forget"]) == 0
    result = decode((tmp_path / "log").read_text(encoding="utf-8"))
    assert isinstance(result, ForgetSucceeded)
    assert result.erased == ErasedCounts(datasets=1, versions=2, checkpoints=1, raw_files=1)
    assert (result.left_total, {one.reason for one in result.left}) == (3, {"NotAuthorized", "HubDegraded"})
    kept = {info.uri.removeprefix(f"{pod.prefix}/") for info in open_bucket(pod, tmp_path).list(f"{pod.prefix}/")}
    assert not any(OLD in name or "/v1/" in name for name in kept)
    assert "forget.json" in kept


def test_a_pod_erases_nothing_while_a_version_with_the_post_is_served(pod: RunDocument, tmp_path: Path) -> None:
    serve_version(open_bucket(pod, tmp_path), pod, "v1")
    assert run_command(["forget"]) == 10
    failure = json.loads((tmp_path / "log").read_text(encoding="utf-8"))
    assert failure["reason"] == "ServedHoldsPosts"
    assert "version v1, which is served, was trained on them" in failure["message"]
    assert open_bucket(pod, tmp_path).head(f"{pod.prefix}/datasets/{OLD}/ids.jsonl")
