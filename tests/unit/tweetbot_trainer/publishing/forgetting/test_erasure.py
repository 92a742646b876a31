"""Deleted posts are erased wherever they are, once nothing that is served learned from them."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from builders.published import (
    DELETED,
    NEW,
    OLD,
    PAGE,
    REPO,
    STORE,
    TRACKED,
    learn,
    learn_version,
    serve_version,
)
from builders.stages import a_local_run
from tweetbot_contract import reasons
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result.erasure import ErasedCounts, LeftOver
from tweetbot_contract.spec.output import S3Output
from tweetbot_fakes.storage import Killed, WatchedStore
from tweetbot_trainer.publishing.forgetting.contents import read_contents
from tweetbot_trainer.publishing.forgetting.erasure import Elsewhere, Erasure, ErasureResult
from tweetbot_trainer.publishing.forgetting.plan import ErasurePlan, plan_erasure
from tweetbot_trainer.publishing.hub.record import read_pushes
from tweetbot_trainer.publishing.registry.ownership import PrefixOwned, reserve_version_use
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageStopped, TemporaryError
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store import ObjectStore
from tweetbot_trainer.store.folder import FolderStore
from tweetbot_trainer.store.s3 import S3Store
from tweetbot_trainer.store.s3_client import create_s3_client

#: What `learn` stores without the deleted post: it stays, whatever is erased.
CLEAN = {
    "hub.json",
    "latest.json",
    "owner.json",
    PAGE.replace("5000", "9000"),
    f"checkpoints/{NEW[:16]}/00000001-x/course.json",
    f"datasets/{NEW}/ids.jsonl",
    f"datasets/{NEW}/posts.jsonl.zst",
    f"runs/{NEW[:16]}/prepare.json",
    "models/v2/MANIFEST.json",
    "models/v2/model/model.safetensors",
}


@dataclass
class Servers:
    """W&B and the Hub: what was deleted there, and the fault of each."""

    deleted: list[str] = field(default_factory=list)
    faults: dict[str, Exception] = field(default_factory=dict)

    def delete(self, what: str) -> None:
        if fault := self.faults.get(what.partition("-")[0]):
            raise fault
        self.deleted.append(what)


@pytest.fixture
def run(tmp_path: Path) -> RunDocument:
    document = a_local_run(tmp_path)
    learn(STORE, document)
    return document


def plan(run: RunDocument, *pins: str, store: ObjectStore = STORE) -> ErasurePlan:
    (contents,) = read_contents(store, run.prefix, frozenset({DELETED}))
    return plan_erasure(contents, pins)


def forget(
    run: RunDocument,
    *pins: str,
    store: ObjectStore = STORE,
    servers: Servers | None = None,
    report: Callable[[str], None] = lambda what: None,
    stop: StopRequest | None = None,
) -> ErasureResult:
    asked = servers or Servers()
    elsewhere = Elsewhere(asked.delete, asked.delete)
    return Erasure(store, plan(run, *pins, store=store), run, elsewhere, report, stop or StopRequest()).erase()


def names(run: RunDocument, store: ObjectStore = STORE) -> set[str]:
    return {info.uri.removeprefix(f"{run.prefix}/") for info in store.list(f"{run.prefix}/")}


def describe(left: LeftOver, run: RunDocument) -> tuple[str, str, bool]:
    return left.what.removeprefix(f"{run.prefix}/"), left.reason, left.retry


def test_everything_that_holds_the_post_goes_and_nothing_else(run: RunDocument) -> None:
    servers, told = Servers(), list[str]()
    result = forget(run, servers=servers, report=told.append)
    assert names(run) == CLEAN
    assert result.left == []
    assert result.erased == ErasedCounts(
        datasets=1, versions=2, checkpoints=1, raw_files=1, tracked_runs=2, hub_copies=1
    )
    run_id = OLD[:16]
    assert servers.deleted == [f"{TRACKED}-{run_id}-train", f"{TRACKED}-{run_id}-prepare", REPO]
    assert [what.removeprefix(f"{run.prefix}/") for what in told] == [
        "models/v1",
        "rejected/v0",
        f"checkpoints/{run_id}",
        *servers.deleted[:2],
        f"https://huggingface.co/{REPO}/tree/v1",
        PAGE,
        f"runs/{run_id}",
        f"datasets/{OLD}",
    ]


def test_done_again_it_finds_nothing(run: RunDocument) -> None:
    forget(run)
    assert plan(run).is_empty
    assert forget(run).erased == ErasedCounts()
    assert names(run) == CLEAN


def test_killed_before_any_change_the_next_one_finishes(run: RunDocument, tmp_path: Path) -> None:
    """All else of a dataset goes before its list of ids, and forget.json knows what is elsewhere."""
    before, counting = tmp_path / "before", WatchedStore(STORE)
    shutil.copytree(tmp_path / "bucket", before)
    forget(run, store=counting)
    reads = ("find", "list", "open_seekable")
    for index in (number for number, (action, _) in enumerate(counting.requests) if action not in reads):
        shutil.rmtree(tmp_path / "bucket")
        shutil.copytree(before, tmp_path / "bucket")
        servers = Servers()
        with pytest.raises(Killed):
            forget(run, store=WatchedStore(STORE, die_at=index), servers=servers)
        forget(run, servers=servers)
        assert names(run) == CLEAN, counting.requests[index]
        assert {f"{TRACKED}-{OLD[:16]}-train", f"{TRACKED}-{OLD[:16]}-prepare", REPO} <= set(servers.deleted)


def test_no_version_of_an_object_is_left_in_a_bucket_that_keeps_them(tmp_path: Path) -> None:
    """A plain deletion leaves a mark, behind which everything can be restored."""
    secrets = tmp_path / "s3"
    secrets.mkdir()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        (secrets / name).write_text("a-key", encoding="utf-8")
    output = {"uri": "s3://team-a/models", "region": "us-east-1"}
    with mock_aws():
        client = create_s3_client(S3Output.model_validate(output), tmp_path)
        client.create_bucket(Bucket="team-a")
        client.put_bucket_versioning(Bucket="team-a", VersioningConfiguration={"Status": "Enabled"})
        store, run = S3Store(client, RetryBudget(0)), a_local_run(tmp_path, spec={"output": {"s3": output}})
        for _ in range(2):
            learn(store, run)
        forget(run, store=store)
        page = client.list_object_versions(Bucket="team-a", Prefix="models/team-a/gull/")
        kept = {entry["Key"].removeprefix("models/team-a/gull/") for entry in page["Versions"]}
    assert kept - {"forget.json"} == CLEAN


def spoil_ids(run: RunDocument) -> None:
    STORE.put(f"{run.prefix}/datasets/{NEW}/ids.jsonl", b"{}\n")


def lose_ids(run: RunDocument) -> None:
    STORE.delete(f"{run.prefix}/datasets/{NEW}/ids.jsonl")


def spoil_manifest(run: RunDocument) -> None:
    STORE.put(f"{run.prefix}/models/v2/MANIFEST.json", b"{}")


def spoil_latest(run: RunDocument) -> None:
    STORE.put(f"{run.prefix}/latest.json", b"{}")


def spoil_owner(run: RunDocument) -> None:
    STORE.put(f"{run.prefix}/owner.json", b"{}")


def serve_old(run: RunDocument) -> None:
    serve_version(STORE, run, "v1")


def pin_old(run: RunDocument) -> None:
    serve_version(STORE, run, "v2", pin={"version": "v1"})


def wait_for_old(run: RunDocument) -> None:
    serve_version(STORE, run, "v2", pin={"version": "v2"}, unpinned={"uri": f"{run.prefix}/models/v1/model"})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (serve_old, r"version v1, which is served, was trained on them\. List the posts in spec\.filter\.excludeIds"),
        (spoil_ids, r"version v2, which is served, has a dataset, b{16}, whose list of posts is missing or unreadable"),
        (lose_ids, "whose list of posts is missing or unreadable"),
        (spoil_manifest, "version v2, which is served, has no manifest that can be read"),
        (spoil_latest, r"latest\.json cannot be read, so what is served is unknown: start a run"),
        (spoil_owner, "its owner is unknown"),
        (pin_old, r"version v1, which is pinned, was trained on them\. Remove spec\.pin first"),
        (wait_for_old, "version v1, which is served next, was trained on them"),
    ],
)
def test_nothing_is_erased_while_what_is_served_holds_the_post_or_cannot_tell(
    run: RunDocument, change: Callable[[RunDocument], None], words: str
) -> None:
    change(run)
    before, servers = names(run), Servers()
    with pytest.raises(SpecRefused, match=words) as refusal:
        forget(run, servers=servers)
    assert refusal.value.reason == reasons.SERVED_HOLDS_POSTS
    assert (names(run), servers.deleted) == (before, [])


def test_a_version_that_the_spec_pins_counts_before_latest_json_says_so(run: RunDocument) -> None:
    with pytest.raises(SpecRefused, match="version v1, which is pinned"):
        forget(run, "v1")


def test_where_nothing_is_served_there_is_nothing_to_wait_for(run: RunDocument) -> None:
    STORE.delete(f"{run.prefix}/latest.json")
    assert forget(run).erased.datasets == 1


def test_a_version_that_is_pinned_since_the_plan_stays(run: RunDocument) -> None:
    planned, servers = plan(run), Servers()
    pin_old(run)
    with pytest.raises(SpecRefused, match="models/v1 holds the posts, and has been served or pinned since"):
        Erasure(STORE, planned, run, Elsewhere(servers.delete, servers.delete), lambda _: None, StopRequest()).erase()
    assert "models/v1/MANIFEST.json" in names(run)
    assert json.loads(STORE.get(f"{run.prefix}/owner.json"))["erasing"] == []


def test_what_another_clusters_tweetbot_serves_stays_with_its_dataset_and_is_named(run: RunDocument) -> None:
    reserve_version_use(STORE, run.model_copy(update={"uid": "uid-of-b", "cluster": "b"}), "v1")
    result = forget(run)
    assert [describe(left, run) for left in result.left] == [("models/v1", "UsedElsewhere", False)]
    assert "the TweetBot with uid uid-of-b in cluster b serves it" in result.left[0].message
    kept = {name for name in names(run) - CLEAN if not name.startswith(("models/v1/", f"datasets/{OLD}/"))}
    assert kept == set()
    assert f"datasets/{OLD}/ids.jsonl" in names(run)


def test_what_another_one_begins_to_serve_meanwhile_stays_and_is_tried_again(run: RunDocument) -> None:
    planned, servers = plan(run), Servers()
    reserve_version_use(STORE, run.model_copy(update={"uid": "uid-of-b"}), "v1")
    elsewhere = Elsewhere(servers.delete, servers.delete)
    result = Erasure(STORE, planned, run, elsewhere, lambda _: None, StopRequest()).erase()
    assert [describe(left, run) for left in result.left] == [("models/v1", "UsedElsewhere", True)]
    assert {"models/v1/MANIFEST.json", f"datasets/{OLD}/ids.jsonl"} <= names(run)


def test_another_tweetbot_erases_nothing(run: RunDocument) -> None:
    before = names(run)
    with pytest.raises(PrefixOwned):
        forget(run.model_copy(update={"uid": "uid-of-another"}))
    assert names(run) - {"forget.json"} == before


def test_what_cannot_be_reached_elsewhere_is_left_and_found_by_the_next(run: RunDocument) -> None:
    """By then neither its dataset nor its manifest is there."""
    away = TemporaryError(reasons.TRACKING_DEGRADED, "W&B is away")
    servers = Servers(faults={TRACKED: away, REPO: NotAuthorized(reasons.HUB_DEGRADED, "put a valid token there")})
    result = forget(run, servers=servers)
    run_id, copy = OLD[:16], f"https://huggingface.co/{REPO}/tree/v1"
    assert [describe(left, run) for left in result.left] == [
        (f"{TRACKED}-{run_id}-train", "TrackingDegraded", True),
        (f"{TRACKED}-{run_id}-prepare", "TrackingDegraded", True),
        (copy, "HubDegraded", False),
    ]
    assert names(run) == {*CLEAN, "forget.json"}
    assert DELETED not in STORE.get(f"{run.prefix}/forget.json").decode()
    servers.faults.clear()
    assert forget(run, servers=servers).erased == ErasedCounts(tracked_runs=2, hub_copies=1)
    assert names(run) == CLEAN
    assert read_pushes(STORE, f"{run.prefix}/hub.json") == ()


def test_a_dataset_that_is_made_again_with_the_post_is_judged_by_its_posts(run: RunDocument) -> None:
    """forget.json may still name it, for a server that is away."""
    servers = Servers(faults={TRACKED: TemporaryError(reasons.TRACKING_DEGRADED, "away")})
    servers.faults[REPO] = servers.faults[TRACKED]
    forget(run, servers=servers)
    learn_version(STORE, run, "models/v3", OLD, ["1"])
    assert plan(run).datasets == ()


def test_what_cannot_tell_is_named_and_stays(run: RunDocument) -> None:
    learn_version(STORE, run, "models/v3", "c" * 64, ["1"])
    STORE.delete(f"{run.prefix}/datasets/{'c' * 64}/ids.jsonl")
    STORE.put(f"{run.prefix}/checkpoints/unknown/00000001-x/course.json", b"{}")
    STORE.put(f"{run.prefix}/rejected/v4/MANIFEST.json", b"{}")
    result = forget(run)
    untold = {"models/v3", f"datasets/{'c' * 64}", f"checkpoints/{'c' * 16}", "checkpoints/unknown", "rejected/v4"}
    hub = f"https://huggingface.co/{REPO}/tree/v3"
    assert {describe(left, run) for left in result.left} == {(name, "CannotTell", False) for name in (*untold, hub)}
    assert all(any(name.startswith(each) for name in names(run)) for each in untold)


class Locked(FolderStore):
    """A bucket that protects a file."""

    def delete(self, uri: str) -> None:
        if "/v1/model/" in uri:
            raise SpecRefused(reasons.OBJECT_LOCKED, "a retention period protects it")
        super().delete(uri)


def test_a_version_that_is_locked_is_left_with_its_dataset_and_the_rest_goes(run: RunDocument) -> None:
    result = forget(run, store=Locked())
    assert [describe(left, run) for left in result.left] == [("models/v1", "ObjectLocked", False)]
    assert result.erased.versions == 1
    assert f"datasets/{OLD}/ids.jsonl" in names(run)
    assert forget(run).left == []
    assert names(run) == CLEAN


class Away(FolderStore):
    def delete(self, uri: str) -> None:
        raise TemporaryError(reasons.STORAGE_UNAVAILABLE, "away")


def test_a_bucket_that_is_away_ends_it_for_the_next_attempt(run: RunDocument) -> None:
    with pytest.raises(TemporaryError):
        forget(run, store=Away())


def test_asked_to_stop_it_stops_between_two_objects(run: RunDocument) -> None:
    stop = StopRequest()
    with pytest.raises(StageStopped):
        forget(run, report=lambda _: stop.request(), stop=stop)
    forget(run)
    assert names(run) == CLEAN


def test_an_address_inside_a_tweetbots_folder_is_refused(run: RunDocument) -> None:
    """With the datasets alone in sight, those of the served version would be erased."""
    with pytest.raises(SpecRefused, match=f"lies inside a TweetBot's folder: write {run.prefix}"):
        read_contents(STORE, f"{run.prefix}/datasets", frozenset({DELETED}))


def test_neighbours_are_told_apart_whatever_they_are_called(tmp_path: Path) -> None:
    runs = [a_local_run(tmp_path, name=name, namespace="models") for name in ("gull", "gull-2", "runs")]
    for each in runs:
        learn(STORE, each)
    found = read_contents(STORE, f"file://{tmp_path}/bucket", frozenset({DELETED}))
    plans = [plan_erasure(each) for each in found]
    assert [each.folder for each in plans] == [each.prefix for each in runs]
    assert all(each == replace(plans[0], **_place(each)) for each in plans)


def _place(one: ErasurePlan) -> dict[str, Any]:
    return {part: getattr(one, part) for part in ("folder", "datasets", "models", "checkpoints", "runs", "pages")}
