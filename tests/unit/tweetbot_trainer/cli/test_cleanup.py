"""Cleanup erases one TweetBot's objects with all their versions, and never anything beside them."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from builders.manifests import a_spec
from builders.stages import a_local_run
from tweetbot_contract import handover
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.spec.output import S3Output
from tweetbot_fakes.storage import Killed, WatchedStore
from tweetbot_trainer.cli.cleanup import _LOG_INTERVAL, erase, get_bot_folder
from tweetbot_trainer.cli.parser import parse_args
from tweetbot_trainer.publishing.registry.ownership import PrefixOwned, join_prefix
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageStopped
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store import ObjectStore, build_store_opener
from tweetbot_trainer.store.folder import FolderStore
from tweetbot_trainer.store.s3 import S3Store
from tweetbot_trainer.store.s3_client import create_s3_client

BUCKET = "team-a"
#: Written by this TweetBot, and by its neighbours: same bucket, names that begin alike, a folder above.
OWN = [
    "latest.json",
    "models/v1/MANIFEST.json",
    "models/v1/model/config.json",
    "datasets/d/posts.jsonl.zst",
    "runs/r/x",
]
NEIGHBOURS = ["models/team-a/gull2/latest.json", "models/team-a/gull-b/x", "models/team-b/gull/x", "models/team-a/x",
              "models/team-a/gull", "team-a/gull/x", "gull/x"]  # fmt: skip


def a_run(**changes: Any) -> RunDocument:
    spec = a_spec(output={"s3": {"uri": f"s3://{BUCKET}/models", "region": "us-east-1"}})
    names = {"namespace": "team-a", "name": "gull", "uid": "uid-gull", "run_id": "", "run_number": 0}
    return RunDocument(**{"stage": "Cleanup", "spec": spec, **names, **changes})


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    """A bucket of the server that moto plays, and a key for it."""
    (tmp_path / "s3").mkdir()
    (tmp_path / "s3" / "AWS_ACCESS_KEY_ID").write_text("an-id", encoding="utf-8")
    (tmp_path / "s3" / "AWS_SECRET_ACCESS_KEY").write_text("a-key", encoding="utf-8")
    with mock_aws():
        client = create_s3_client(S3Output(uri=f"s3://{BUCKET}/models", region="us-east-1"), tmp_path)
        client.create_bucket(Bucket=BUCKET)
        yield client


def keep_versions(client: Any) -> None:
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def fill(client: Any) -> None:
    for key in [*(f"models/team-a/gull/{name}" for name in OWN), *NEIGHBOURS]:
        for body in (b"old", b"new"):
            client.put_object(Bucket=BUCKET, Key=key, Body=body)


def left(client: Any) -> set[str]:
    """Return the keys that have any version or mark at all."""
    page = client.list_object_versions(Bucket=BUCKET)
    return {entry["Key"] for kind in ("Versions", "DeleteMarkers") for entry in page.get(kind, ())}


def erased(store: ObjectStore, run: RunDocument | None = None, stop: StopRequest | None = None) -> int:
    return erase(store, run or a_run(), Log(StringIO()), stop or StopRequest())


def the_store(client: Any) -> S3Store:
    return S3Store(client, RetryBudget(0))


@pytest.mark.parametrize("versioned", [False, True])
def test_everything_of_the_bot_goes_and_nothing_beside_it(client: Any, versioned: bool) -> None:
    if versioned:
        keep_versions(client)
    fill(client)
    client.delete_object(Bucket=BUCKET, Key="models/team-a/gull/runs/r/x")
    erased(the_store(client))
    assert left(client) == set(NEIGHBOURS)


def test_asked_again_it_finds_nothing_and_is_content(client: Any) -> None:
    fill(client)
    assert erased(the_store(client)) == len(OWN) - 1  # the pointer went before the count began
    assert erased(the_store(client)) == 0


def test_more_than_a_page_goes(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "20")  # a page of AWS has a thousand
    keep_versions(client)
    for number in range(30):
        client.put_object(Bucket=BUCKET, Key=f"models/team-a/gull/runs/{number:04}", Body=b"")
    assert erased(the_store(client)) >= 30  # AWS also has a mark of the pointer
    assert left(client) == set()


class Limited:
    """A client whose key may not do everything."""

    def __init__(self, client: Any, *forbidden: str) -> None:
        self._client, self._forbidden = client, forbidden

    def __getattr__(self, name: str) -> Any:
        def refuse(**arguments: Any) -> Any:
            if name == "list_object_versions" or "VersionId" in arguments:
                answer = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
                raise ClientError(answer, name)
            return getattr(self._client, name)(**arguments)

        return refuse if name in self._forbidden else getattr(self._client, name)


@pytest.mark.parametrize("forbidden", ["list_object_versions", "delete_object"])
def test_a_key_without_a_say_in_versions_is_enough_where_there_are_none(client: Any, forbidden: str) -> None:
    fill(client)
    erased(the_store(Limited(client, forbidden)))
    assert left(client) == set(NEIGHBOURS)


@pytest.mark.parametrize("forbidden", ["list_object_versions", "delete_object"])
def test_versions_that_may_not_be_erased_are_told_however_often_it_is_asked(client: Any, forbidden: str) -> None:
    keep_versions(client)
    fill(client)
    for _ in range(2):
        with pytest.raises(NotAuthorized, match="allow s3:ListBucketVersions and s3:DeleteObjectVersion"):
            erased(the_store(Limited(client, forbidden)))
    now = {entry["Key"] for entry in client.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert now == {*NEIGHBOURS, "models/team-a/gull/owner.json"}  # it keeps others out until the next attempt


def test_a_bucket_that_is_gone_holds_nothing(client: Any) -> None:
    client.delete_bucket(Bucket=BUCKET)
    assert erased(the_store(client)) == 0


class Lying:
    """A server that lists what was not asked for."""

    def __init__(self, client: Any, key: str) -> None:
        self._client, self._key = client, key

    def __getattr__(self, name: str) -> Any:
        if name == "list_object_versions":
            return lambda **_: {"Versions": [{"Key": self._key, "VersionId": "null"}]}
        if name == "list_objects_v2":
            return lambda **_: {"Contents": [{"Key": self._key, "Size": 1, "ETag": ""}]}
        return getattr(self._client, name)


@pytest.mark.parametrize("key", [*NEIGHBOURS, "", "/", "models/team-a/", "../models/team-a/gull/x"])
def test_what_a_server_lists_outside_of_the_folder_stays(client: Any, key: str) -> None:
    fill(client)
    with pytest.raises(SpecRefused, match="is not below"):
        erased(the_store(Lying(client, key)))
    assert set(NEIGHBOURS) <= left(client)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../gull", "gull/", "gull/../gull2", "gull%2f", "Gull", "-gull", "gull\n"]
)
@pytest.mark.parametrize("field", ["namespace", "name"])
def test_a_name_that_is_none_of_kubernetes_erases_nothing(client: Any, field: str, name: str) -> None:
    fill(client)
    before = left(client)
    with pytest.raises(SpecRefused, match=f"{field}: "):
        erased(the_store(client), a_run(**{field: name}))
    assert left(client) == before


@pytest.mark.parametrize("prefix", ["", "/models", "/models//x", "/a/..b", "/%2e%2e"])
def test_a_folder_is_never_a_bucket_and_ends_in_a_slash(prefix: str) -> None:
    run = a_run(spec=a_spec(output={"s3": {"uri": f"s3://{BUCKET}{prefix}"}})) if "//" not in prefix else a_run()
    assert get_bot_folder(run).startswith(f"s3://{BUCKET}/")
    assert get_bot_folder(run).endswith("/team-a/gull/")


def test_a_folder_without_a_slash_is_refused_by_the_store_itself(client: Any) -> None:
    fill(client)
    with pytest.raises(SpecRefused):
        list(the_store(client).erase(f"s3://{BUCKET}/models/team-a/gull"))


def test_killed_anywhere_the_next_one_finishes(tmp_path: Path) -> None:
    store = FolderStore()

    def run_in(home: Path) -> RunDocument:
        run = a_local_run(home, stage="Cleanup")
        for name in OWN:
            store.put(f"{run.prefix}/{name}", b"x")
        store.put(f"{run.prefix}2/x", b"x")
        return run

    counting = WatchedStore(store)
    erased(counting, run_in(tmp_path / "counted"))
    for index in range(len(counting.requests)):
        run = run_in(tmp_path / str(index))
        with pytest.raises(Killed):
            erased(WatchedStore(store, die_at=index), run)
        erased(store, run)
        assert [info.uri for info in store.list(f"file://{tmp_path}/{index}/bucket/")] == [f"{run.prefix}2/x"]


class HandedOver(FolderStore):
    """A folder that another TweetBot takes while its first object is erased."""

    def __init__(self, uri: str, record: bytes) -> None:
        super().__init__()
        self._uri, self._record = uri, record

    def erase(self, folder: str, *, keep: str = "") -> Iterator[str]:
        for number, each in enumerate(super().erase(folder, keep=keep)):
            if number == 0:
                self.put(self._uri, self._record)
            yield each


def test_a_folder_that_changes_hands_is_left_after_the_next_look_at_its_record(tmp_path: Path) -> None:
    plain, run, theirs = FolderStore(), a_local_run(tmp_path / "a", stage="Cleanup"), a_local_run(tmp_path / "b")
    join_prefix(plain, theirs.model_copy(update={"uid": "uid-of-another"}), Log(StringIO()))
    record = plain.get(f"{theirs.prefix}/owner.json")
    for number in range(_LOG_INTERVAL + 100):
        plain.put(f"{run.prefix}/runs/{number}", b"x")
    with pytest.raises(PrefixOwned):
        erased(HandedOver(f"{run.prefix}/owner.json", record), run)
    assert len(list(plain.list(f"{run.prefix}/runs/"))) == 100


def test_asked_to_end_it_ends_between_two_objects(client: Any) -> None:
    fill(client)
    stop = StopRequest()
    stop.request()
    with pytest.raises(StageStopped):
        erased(the_store(client), stop=stop)


def test_the_command_reads_the_run_document_of_its_pod(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(client)
    monkeypatch.setenv(handover.RUN_ENV, a_run().encode())
    monkeypatch.setenv(handover.SECRETS_DIR_ENV, str(tmp_path))
    arguments = parse_args(["cleanup"])
    assert arguments.run(arguments, StopRequest()) == 0
    assert left(client) == set(NEIGHBOURS)


def test_the_command_says_in_its_message_to_whom_it_left_the_objects(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(client)
    for uid in ("uid-gull", "uid-of-b"):
        join_prefix(the_store(client), a_run(uid=uid), Log(StringIO()))
    before = left(client)
    monkeypatch.setenv(handover.RUN_ENV, a_run().encode())
    monkeypatch.setenv(handover.SECRETS_DIR_ENV, str(tmp_path))
    monkeypatch.setenv(handover.TERMINATION_LOG_ENV, str(tmp_path / "log"))
    arguments = parse_args(["cleanup"])
    assert arguments.run(arguments, StopRequest()) == 0
    assert left(client) == before
    message = json.loads((tmp_path / "log").read_text())
    assert (message["kind"], "uid-of-b" in message["prefixOwned"]) == ("CleanupSucceeded", True)
    with pytest.raises(PrefixOwned) as refusal:  # the same once more: it is no longer its own
        arguments.run(arguments, StopRequest())
    assert arguments.fail(refusal.value) == 10
    assert json.loads((tmp_path / "log").read_text())["reason"] == "PrefixOwned"


def test_a_cleanup_does_not_take_a_stages_document(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(handover.RUN_ENV, a_run(stage="Prepare").encode())
    monkeypatch.setenv(handover.TERMINATION_LOG_ENV, str(tmp_path / "log"))
    arguments = parse_args(["cleanup"])
    with pytest.raises(SpecRefused) as refusal:
        arguments.run(arguments, StopRequest())
    assert arguments.fail(refusal.value) == 10
    assert json.loads((tmp_path / "log").read_text())["reason"] == "SpecRefused"


def test_a_local_folder_is_no_place_for_a_pods_cleanup(tmp_path: Path) -> None:
    run = a_local_run(tmp_path, stage="Cleanup")
    with pytest.raises(SpecRefused, match="in a cluster write s3://"):
        erased(build_store_opener(run.spec.output.s3, tmp_path, RetryBudget(0))(run.prefix), run)
