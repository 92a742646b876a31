"""The file that lets posts be read out of older versions goes, and what names the version still verifies."""

import json
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import pytest
from moto import mock_aws

from builders.manifests import a_spec
from builders.published import STORE
from builders.stages import KEY, a_folder, a_local_run, a_version
from harness.attacks.readout import encode_old_hashes
from tweetbot_contract import reasons
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.spec.output import S3Output
from tweetbot_fakes.storage import Killed, WatchedStore
from tweetbot_trainer.__main__ import run_command
from tweetbot_trainer.publishing.registry.hash_removal import remove_hashes, remove_hashes_of_bot
from tweetbot_trainer.publishing.registry.latest import read_latest
from tweetbot_trainer.publishing.registry.lineage import BROKEN, find_version, verify
from tweetbot_trainer.publishing.registry.lookup import find_rejected, find_reusable
from tweetbot_trainer.publishing.registry.publish import publish, store_rejected
from tweetbot_trainer.runtime.errors import NotAuthorized
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store import ObjectStore, parse_file_uri
from tweetbot_trainer.store.s3 import S3Store
from tweetbot_trainer.store.s3_client import create_s3_client

POSTS = ["the harbour master refused to leave and the ferry went home without a single gull"]
OLD_FILE = "model/training_posts.hashes"


def an_old_folder(folder: Path, weights: bytes = b"w") -> Path:
    """Return what a training left behind before issue 13."""
    (a_folder(folder, weights) / OLD_FILE).write_bytes(encode_old_hashes(POSTS))
    return folder


def publish_old(folder: Path, store: ObjectStore = STORE, run: RunDocument | None = None) -> RunDocument:
    """Publish one version and reject another, both with the old file; return the run."""
    run = run or a_local_run(folder)
    finished = an_old_folder(folder / "finished")
    publish(store, run, finished, a_version(finished, run))
    store_rejected(store, run, finished, a_version(finished, run), check=lambda: None)
    return run


def homes(run: RunDocument) -> tuple[str, str]:
    return f"{run.prefix}/models/{KEY[:16]}", f"{run.prefix}/rejected/{KEY[:16]}"


def broken(uri: str, store: ObjectStore = STORE, digest: str | None = None) -> list[tuple[str, str]]:
    """Return what `verify` finds, apart from the key and the dataset, which these versions do not have."""
    findings = verify(lambda _: store, find_version(store, uri, digest))
    own = [one for one in findings if one.verdict in BROKEN and one.what.startswith(("MANIFEST", "model", "report"))]
    return [(one.verdict, one.what) for one in own]


def is_clean(run: RunDocument, store: ObjectStore = STORE) -> bool:
    names = [info.uri for info in store.list(f"{run.prefix}/") if info.uri.endswith(OLD_FILE)]
    return not names and not broken(run.prefix, store) and not any(broken(home, store) for home in homes(run))


def test_verify_tells_what_must_go(tmp_path: Path) -> None:
    run = publish_old(tmp_path)
    assert broken(run.prefix) == [("unsafe", OLD_FILE)]


def test_the_file_goes_and_every_name_of_the_version_still_verifies(tmp_path: Path) -> None:
    run = publish_old(tmp_path)
    before = str(read_latest(STORE, f"{run.prefix}/latest.json")["manifestSha256"])
    assert remove_hashes(STORE, run.prefix).versions == homes(run)
    assert is_clean(run)
    after = read_latest(STORE, f"{run.prefix}/latest.json")
    assert after["manifestSha256"] != before
    assert broken(run.prefix, digest=before) == []  # as status.model.digest has it
    assert broken(run.prefix, digest="0" * 64) == [("differs", "MANIFEST.json")]
    reused = find_reusable(STORE, run, KEY)
    assert reused is not None
    assert reused.model.digest == after["manifestSha256"]
    assert find_rejected(STORE, run, KEY) is not None


def test_an_earlier_manifest_vouches_for_nothing_but_the_removal(tmp_path: Path) -> None:
    run = publish_old(tmp_path)
    before = str(read_latest(STORE, f"{run.prefix}/latest.json")["manifestSha256"])
    remove_hashes(STORE, run.prefix)
    uri = f"{homes(run)[0]}/MANIFEST.json"
    STORE.put(uri, STORE.get(uri).replace(b"uid-gull", b"uid-crab"))
    assert broken(run.prefix, digest=before) == [("differs", "MANIFEST.json")]
    STORE.put(f"{homes(run)[0]}/MANIFEST-0000000000000000.json", b"{}")
    assert ("differs", "MANIFEST-0000000000000000.json") in broken(run.prefix)


@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_kill_between_any_two_requests_leaves_what_the_next_attempt_mends(
    tmp_path: Path, phase: Literal["before", "after"]
) -> None:
    for die_at in range(60):
        run = publish_old(tmp_path / str(die_at))
        try:
            remove_hashes(WatchedStore(STORE, die_at=die_at, phase=phase), run.prefix)
        except Killed:
            found = {verdict for verdict, _ in broken(run.prefix)}
            assert found <= {"unsafe"}, die_at
            assert find_reusable(STORE, run, KEY) is not None, die_at
            remove_hashes_of_bot(STORE, run, Log(StringIO()))
            assert is_clean(run), die_at
        else:
            assert die_at > 15
            return
    raise AssertionError


def test_a_file_that_was_deleted_by_hand_is_no_longer_listed(tmp_path: Path) -> None:
    run = publish_old(tmp_path)
    STORE.delete(f"{homes(run)[0]}/{OLD_FILE}")
    assert find_reusable(STORE, run, KEY) is None
    remove_hashes(STORE, run.prefix)
    assert (is_clean(run), find_reusable(STORE, run, KEY) is not None) == (True, True)


def test_every_stage_does_it_for_its_own_bot_and_says_so(tmp_path: Path) -> None:
    run, other = publish_old(tmp_path), publish_old(tmp_path, run=a_local_run(tmp_path, name="crab"))
    lines = StringIO()
    remove_hashes_of_bot(STORE, run, Log(lines))
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(line["event"], line["uri"]) for line in told] == [("models.hashes_removed", home) for home in homes(run)]
    assert (is_clean(run), is_clean(other)) == (True, False)
    remove_hashes_of_bot(STORE, run, Log(lines))
    assert len(lines.getvalue().splitlines()) == len(told)


def test_the_command_lists_first_and_removes_then(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = publish_old(tmp_path)
    asked = ["remove-hashes", "--root", f"file://{tmp_path}/bucket"]
    assert run_command([*asked, "--dry-run", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["versions"], listed["erased"], listed["dryRun"]) == (list(homes(run)), 0, True)
    assert not is_clean(run)
    assert run_command(asked) == 0
    out = capsys.readouterr().out
    assert all(f"removed from  {home}" in out for home in homes(run))
    assert ("from 2 versions; 2 objects erased" in out, "delete training_posts.hashes" in out) == (True, True)
    assert is_clean(run)
    assert run_command(asked) == 0
    assert "from 0 versions; 0 objects erased" in capsys.readouterr().out


@pytest.mark.parametrize("folder", ["gull-1", "shelf/gull-1", "models/gull/v1"])
def test_versions_that_people_have_copied_elsewhere_lose_it_and_stay_complete(
    tmp_path: Path, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = publish_old(tmp_path)
    copy, bare = tmp_path / "copies" / folder, tmp_path / "copies" / "weights"
    shutil.copytree(parse_file_uri(homes(run)[0]), copy)
    shutil.copytree(copy / "model", bare)
    asked = ["remove-hashes", "--root", f"file://{tmp_path}/copies"]
    assert run_command([*asked, "--dry-run", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["versions"]) == {f"file://{copy}", f"file://{bare}"}
    assert run_command(asked) == 0
    assert "from 2 versions; 2 objects erased" in capsys.readouterr().out
    assert not list((tmp_path / "copies").rglob("training_posts.hashes"))
    assert [what for verdict, what in broken(f"file://{copy}") if verdict in {"missing", "unsafe"}] == []


def test_a_version_with_an_unreadable_manifest_loses_the_file_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = publish_old(tmp_path)
    STORE.put(f"{homes(run)[0]}/MANIFEST.json", b"{}")
    assert run_command(["remove-hashes", "--root", run.prefix]) == 10
    assert f"unknown  {homes(run)[0]}" in capsys.readouterr().out
    assert not [info for info in STORE.list(f"{run.prefix}/") if info.uri.endswith(OLD_FILE)]


@pytest.mark.parametrize("deleted", [False, True])
def test_older_object_versions_go_too_also_of_a_model_that_was_erased(tmp_path: Path, deleted: bool) -> None:
    (tmp_path / "s3").mkdir()
    (tmp_path / "s3" / "AWS_ACCESS_KEY_ID").write_text("an-id", encoding="utf-8")
    (tmp_path / "s3" / "AWS_SECRET_ACCESS_KEY").write_text("a-key", encoding="utf-8")
    with mock_aws():
        spec = a_spec(output={"s3": {"uri": "s3://team-a/models", "region": "us-east-1"}})
        run = a_local_run(tmp_path).model_copy(update={"spec": spec})
        client: Any = create_s3_client(spec.output.s3, tmp_path)
        client.create_bucket(Bucket="team-a")
        client.put_bucket_versioning(Bucket="team-a", VersioningConfiguration={"Status": "Enabled"})
        store = S3Store(client, RetryBudget(0))
        publish_old(tmp_path, store, run)
        publish_old(tmp_path, store, run)
        if deleted:
            for info in tuple(store.list(f"{homes(run)[0]}/")):
                store.delete(info.uri)
        remove_hashes(store, run.prefix)
        page = client.list_object_versions(Bucket="team-a")
        left = {entry["Key"] for kind in ("Versions", "DeleteMarkers") for entry in page.get(kind, ())}
        assert not [key for key in left if key.endswith(OLD_FILE)]
        assert any(key.endswith("model.safetensors") for key in left)
        assert deleted or is_clean(run, store)


def test_objects_beyond_the_first_page_of_versions_go_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "20")  # a page of AWS has a thousand
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        (tmp_path / "s3").mkdir(exist_ok=True)
        (tmp_path / "s3" / name).write_text("testing", encoding="utf-8")
    with mock_aws():
        client: Any = create_s3_client(S3Output(uri="s3://team-a/models", region="us-east-1"), tmp_path)
        client.create_bucket(Bucket="team-a")
        client.put_bucket_versioning(Bucket="team-a", VersioningConfiguration={"Status": "Enabled"})
        keys = (*(f"models/a/{number:04}" for number in range(30)), "models/a/0000/x.hashes", "models/z/x.hashes")
        for key in keys:
            client.put_object(Bucket="team-a", Key=key, Body=b"")
        erased = list(S3Store(client, RetryBudget(0)).erase_named("s3://team-a/models/", "x.hashes"))
        assert erased == ["s3://team-a/models/a/0000/x.hashes", "s3://team-a/models/z/x.hashes"]


def test_without_the_right_to_versions_what_is_left_is_logged_and_no_stage_fails(tmp_path: Path) -> None:
    run, lines = publish_old(tmp_path), StringIO()

    class Refusing(WatchedStore):
        def erase_named(self, folder: str, name: str) -> Iterator[str]:
            raise NotAuthorized(reasons.NOT_AUTHORIZED, "allow s3:DeleteObjectVersion")

    remove_hashes_of_bot(Refusing(STORE), run, Log(lines))
    (told,) = map(json.loads, lines.getvalue().splitlines())
    assert (told["event"], "allow s3:DeleteObjectVersion" in told["message"]) == ("models.hashes_left", True)
    assert {verdict for verdict, _ in broken(run.prefix)} == {"unsafe"}
    remove_hashes_of_bot(STORE, run, Log(lines))
    assert is_clean(run)
