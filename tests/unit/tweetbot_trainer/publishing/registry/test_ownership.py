"""One TweetBot owns a prefix: others adopt its models, and neither move its pointer nor erase what somebody uses."""

import hashlib
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import pytest

from builders.stages import a_context, a_folder, a_local_run, a_source, a_version
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrainSucceeded
from tweetbot_fakes.storage import Killed, WatchedStore
from tweetbot_trainer.cli import cleanup
from tweetbot_trainer.cli.cleanup import erase
from tweetbot_trainer.publishing.registry.latest import update_latest
from tweetbot_trainer.publishing.registry.ownership import (
    PrefixOwned,
    announce_erasure,
    join_prefix,
    leave_prefix,
    require_owner,
    reserve_version_use,
)
from tweetbot_trainer.publishing.registry.publish import publish
from tweetbot_trainer.publishing.registry.retention import erase_old_versions
from tweetbot_trainer.publishing.registry.run_record import read_record
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.stages.train import train
from tweetbot_trainer.store import ObjectStore, StorageUnavailable
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()
#: The same TweetBot in two clusters, and once more in the first after it was deleted and created again.
A, B, C = (f"{letter * 4}-cluster" for letter in "abc")
A_BOT, B_BOT, A_AGAIN = "aaaa-bot", "bbbb-bot", "aaaa-bot-again"
QUIET = Log(StringIO())


def in_a(folder: Path, uid: str = A_BOT, **changes: Any) -> RunDocument:
    return a_local_run(folder, **{"cluster": A, "uid": uid, **changes})


def in_b(folder: Path, **changes: Any) -> RunDocument:
    return a_local_run(folder, **{"cluster": B, "uid": B_BOT, "run_id": "b" * 16, **changes})


def join(run: RunDocument, store: ObjectStore = STORE) -> str | None:
    return join_prefix(store, run, QUIET)


def record(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "bucket/team-a/gull/owner.json").read_text(encoding="utf-8"))
    return content


def owner_and_users(folder: Path) -> tuple[str, list[str]]:
    return record(folder)["owner"]["uid"], [user["uid"] for user in record(folder)["users"]]


def publish_version(folder: Path, run: RunDocument, number: int) -> TrainSucceeded:
    """Publish the version of this number, on the day of this number."""
    key = hashlib.sha256(f"key {number}".encode()).hexdigest()
    files = a_folder(folder / f"finished-{number}", b"weights")
    at = f"2026-11-{number:02}T06:00:00.000Z"
    changes = run.model_copy(update={"run_number": number})
    return publish(STORE, changes, files, a_version(files, changes, key[:16], training_key=key, published_at=at))


def version_of(result: TrainSucceeded) -> str:
    return result.model.uri.split("/")[-2]


def stands(result: TrainSucceeded) -> bool:
    home = result.model.uri.removesuffix("/model")
    return all(STORE.find(f"{home}/{name}") for name in ("MANIFEST.json", "model/config.json"))


def pointer(folder: Path) -> str:
    uri: str = json.loads((folder / "bucket/team-a/gull/latest.json").read_text(encoding="utf-8"))["uri"]
    return uri


# ---- who owns


def test_the_first_that_writes_owns_and_says_since_when(tmp_path: Path) -> None:
    assert join(in_a(tmp_path)) is None
    assert record(tmp_path)["owner"] == {"cluster": A, "uid": A_BOT, "since": record(tmp_path)["owner"]["since"]}
    assert record(tmp_path)["owner"]["since"].endswith("Z")
    assert record(tmp_path).keys() == {"schemaVersion", "owner", "users", "erasing", "ending"}


def test_another_cluster_becomes_a_user_and_is_told_who_owns_and_what_to_do(tmp_path: Path) -> None:
    join(in_a(tmp_path))
    message = join(in_b(tmp_path))
    assert message is not None
    for words in ("team-a/gull", A, A_BOT, record(tmp_path)["owner"]["since"], "tweetbot.dev/take-over-prefix to aaaa"):
        assert words in message
    assert owner_and_users(tmp_path) == (A_BOT, [B_BOT])


def test_two_runs_without_a_cluster_are_two_owners_unless_their_uids_agree(tmp_path: Path) -> None:
    one, other = (a_local_run(tmp_path, uid=uid) for uid in ("local", "uid-gull"))
    assert join(one) is None
    assert join(one) is None
    assert "run without a cluster" in (join(other) or "")


def test_a_bot_that_is_created_again_in_its_cluster_succeeds_the_former_one(tmp_path: Path) -> None:
    join(in_a(tmp_path))
    assert join(in_a(tmp_path, A_AGAIN)) is None
    assert owner_and_users(tmp_path) == (A_AGAIN, [])


def test_a_user_that_is_created_again_is_counted_once(tmp_path: Path) -> None:
    join(in_a(tmp_path))
    join(in_b(tmp_path))
    join(in_b(tmp_path, uid="bbbb-bot-again"))
    assert owner_and_users(tmp_path) == (A_BOT, ["bbbb-bot-again"])


def test_a_bot_whose_clusters_uid_becomes_known_stays_the_owner(tmp_path: Path) -> None:
    join(in_a(tmp_path, cluster=""))
    assert join(in_a(tmp_path)) is None
    assert record(tmp_path)["owner"]["cluster"] == A


@pytest.mark.parametrize("named", [A_BOT, A])
def test_the_annotation_takes_over_from_the_bot_or_the_cluster_that_it_names(tmp_path: Path, named: str) -> None:
    join(in_a(tmp_path))
    join(in_b(tmp_path))
    assert join(in_b(tmp_path, take_over=named)) is None
    assert owner_and_users(tmp_path) == (B_BOT, [])


def test_who_takes_over_keeps_the_others_that_use_the_folder(tmp_path: Path) -> None:
    for run in (in_a(tmp_path), in_b(tmp_path), a_local_run(tmp_path, cluster=C, uid="cccc-bot", take_over=A_BOT)):
        join(run)
    assert owner_and_users(tmp_path) == ("cccc-bot", [B_BOT])


def test_an_annotation_that_stays_takes_over_once_and_from_nobody_else(tmp_path: Path) -> None:
    join(in_a(tmp_path))
    join(in_b(tmp_path, take_over=A_BOT))
    third = a_local_run(tmp_path, cluster=C, uid="cccc-bot", take_over=B_BOT)
    assert join(third) is None
    message = join(in_b(tmp_path, take_over=A_BOT)) or ""
    assert f"It names {A_BOT}, which is not the owner" in message
    assert owner_and_users(tmp_path) == ("cccc-bot", [B_BOT])


def test_a_record_of_a_later_release_stops_what_cannot_read_it(tmp_path: Path) -> None:
    run = in_a(tmp_path)
    strange = [{"owner": {"cluster": B, "uid": uid, "since": ""}} for uid in ("u" * 129, "two\nlines", "\u202e")]
    for body in (b"{", b'{"schemaVersion": 2}', b"", *(json.dumps(each).encode() for each in strange)):
        STORE.put(f"{run.prefix}/owner.json", body)
        for act in (join, lambda run: require_owner(STORE, run), lambda run: leave_prefix(STORE, run)):
            with pytest.raises(PrefixOwned, match="cannot be read"):
                act(run)


def test_joining_again_writes_nothing(tmp_path: Path) -> None:
    for run in (in_a(tmp_path), in_b(tmp_path)):
        join(run)
        store = WatchedStore(STORE)
        join(run, store)
        assert [action for action, _ in store.requests] == ["find"]


def test_of_two_that_begin_at_the_same_moment_one_owns(tmp_path: Path) -> None:
    others = iter([in_b(tmp_path)])

    def interfere() -> None:
        for run in others:
            assert join(run) is None

    assert B_BOT in (join(in_a(tmp_path), WatchedStore(STORE, after_each=interfere)) or "")
    assert owner_and_users(tmp_path) == (B_BOT, [A_BOT])


def test_whose_place_in_the_line_is_older_stays_so_when_it_adopts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{join_prefix.__module__}._get_current_time", lambda: "2026-11-30T13:54:11.695Z")
    for run in (in_a(tmp_path), in_b(tmp_path), a_local_run(tmp_path, cluster=C, uid="cccc-bot")):
        join(run)
    users = record(tmp_path)["users"]
    reserve_version_use(STORE, in_b(tmp_path), "v1")
    assert record(tmp_path)["users"] == [users[0] | {"version": "v1"}, users[1]]


def test_who_adopts_in_a_folder_of_nobody_owns_it(tmp_path: Path) -> None:
    assert reserve_version_use(STORE, in_b(tmp_path), "v1")
    assert owner_and_users(tmp_path) == (B_BOT, [])


def test_the_owner_may_adopt_what_it_was_about_to_erase(tmp_path: Path) -> None:
    """As where it was killed amid an erasure; it verifies the version's files after this."""
    announce_erasure(STORE, in_a(tmp_path), [f"{in_a(tmp_path).prefix}/models/v1"])
    assert record(tmp_path)["erasing"] == ["models/v1"]
    assert reserve_version_use(STORE, in_a(tmp_path), "v1")
    assert not reserve_version_use(STORE, in_b(tmp_path), "v1")


def test_a_bot_that_was_created_again_leaves_its_predecessors_folder_to_who_uses_it(tmp_path: Path) -> None:
    for run in (in_a(tmp_path), in_b(tmp_path)):
        join(run)
    assert "which uses it" in (leave_prefix(STORE, in_a(tmp_path, A_AGAIN)) or "")
    assert owner_and_users(tmp_path) == (B_BOT, [])


def test_a_user_that_the_owner_takes_over_from_is_out_of_the_line(tmp_path: Path) -> None:
    for run in (in_a(tmp_path), in_b(tmp_path), in_a(tmp_path, take_over=B_BOT)):
        join(run)
    assert owner_and_users(tmp_path) == (A_BOT, [])


def test_who_leaves_an_empty_line_erases_as_the_owner_since_when_it_was(tmp_path: Path) -> None:
    join(in_a(tmp_path))
    since = record(tmp_path)["owner"]["since"]
    assert leave_prefix(STORE, in_a(tmp_path)) is None
    assert (record(tmp_path)["owner"]["since"], record(tmp_path)["ending"]) == (since, True)
    assert leave_prefix(STORE, in_a(tmp_path, A_AGAIN)) is None
    assert owner_and_users(tmp_path) == (A_AGAIN, [])


class Contested(FolderStore):
    """A store in which another writer is always faster."""

    def put_if_absent(self, uri: str, body: Any) -> bool:
        return False


def test_a_record_that_is_never_written_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="changed by others"):
        join(in_a(tmp_path), Contested())


def test_a_bot_whose_erasure_was_given_up_works_in_its_folder_again(tmp_path: Path) -> None:
    join(in_a(tmp_path))
    assert leave_prefix(STORE, in_a(tmp_path)) is None
    assert record(tmp_path)["ending"]
    assert not reserve_version_use(STORE, in_b(tmp_path), "v1")
    for uid in (A_BOT, A_AGAIN):
        assert join(in_a(tmp_path, uid)) is None
        assert not record(tmp_path)["ending"]


@pytest.mark.parametrize("phase", ["before", "after"])
def test_killed_anywhere_the_next_attempt_joins(tmp_path: Path, phase: Literal["before", "after"]) -> None:
    for index in range(2):
        home = tmp_path / str(index)
        join(in_a(home))
        with pytest.raises(Killed):
            join(in_b(home), WatchedStore(STORE, die_at=index, phase=phase))
        join(in_b(home))
        assert owner_and_users(home) == (A_BOT, [B_BOT])


class Forgetful(FolderStore):
    """A store whose conditional writes succeed, and whose answers to the first of them are lost."""

    def __init__(self) -> None:
        self.lost = 0

    def put_if_absent(self, uri: str, body: Any) -> bool:
        return self._lose(super().put_if_absent(uri, body))

    def put_if_match(self, uri: str, body: Any, etag: str) -> bool:
        return self._lose(super().put_if_match(uri, body, etag))

    def _lose(self, written: bool) -> bool:
        self.lost += 1
        return written and self.lost > 1


def test_a_write_whose_answer_was_lost_counts(tmp_path: Path) -> None:
    assert join(in_a(tmp_path), Forgetful()) is None
    join(in_b(tmp_path), Forgetful())
    assert owner_and_users(tmp_path) == (A_BOT, [B_BOT])
    assert "which uses it" in (leave_prefix(Forgetful(), in_a(tmp_path)) or "")
    assert owner_and_users(tmp_path) == (B_BOT, [])


# ---- what another owner may not do


def test_latest_json_of_another_owner_stays(tmp_path: Path) -> None:
    first, second = (publish_version(tmp_path, in_a(tmp_path), number) for number in (1, 2))
    join(in_b(tmp_path))
    with pytest.raises(PrefixOwned, match=f"belonged to the TweetBot with uid {A_BOT} in cluster {A}"):
        update_latest(STORE, in_b(tmp_path, run_number=9), first)
    assert pointer(tmp_path) == second.model.uri


def test_a_trainer_that_outlives_its_bot_moves_nothing(tmp_path: Path) -> None:
    first, second = (publish_version(tmp_path, in_a(tmp_path), number) for number in (1, 2))
    join(in_a(tmp_path, A_AGAIN))
    with pytest.raises(PrefixOwned):
        update_latest(STORE, in_a(tmp_path, run_number=9), first)
    assert pointer(tmp_path) == second.model.uri


def test_retention_erases_nothing_in_another_owners_folder(tmp_path: Path) -> None:
    results = [publish_version(tmp_path, in_a(tmp_path), number) for number in (1, 2, 3)]
    log = StringIO()
    why = erase_old_versions(STORE, in_b(tmp_path, spec={"history": {"models": 1}}), Log(log), StopRequest())
    assert (why or "").startswith("Versions beyond spec.history.models were not erased, and take up room: ")
    assert all(stands(result) for result in results)
    assert "models.not_erased" in log.getvalue()
    assert A_BOT in log.getvalue()


def keep_one(folder: Path, store: ObjectStore = STORE) -> None:
    erase_old_versions(store, in_a(folder, spec={"history": {"models": 1}}), QUIET, StopRequest())


def test_retention_leaves_what_another_cluster_serves(tmp_path: Path) -> None:
    results = [publish_version(tmp_path, in_a(tmp_path), number) for number in (1, 2, 3)]
    join(in_b(tmp_path))
    assert reserve_version_use(STORE, in_b(tmp_path), version_of(results[1]))
    keep_one(tmp_path)
    assert [stands(result) for result in results] == [False, True, True]
    assert record(tmp_path)["erasing"] == []


def test_a_version_that_is_being_erased_is_not_adopted(tmp_path: Path) -> None:
    results = [publish_version(tmp_path, in_a(tmp_path), number) for number in (1, 2)]
    answers: list[bool] = []

    def adopt() -> None:
        if record(tmp_path)["erasing"] and not answers:
            answers.append(reserve_version_use(STORE, in_b(tmp_path), version_of(results[0])))

    keep_one(tmp_path, WatchedStore(STORE, after_each=adopt))
    assert answers == [False]


@pytest.mark.parametrize("request_number", range(30))
def test_whenever_another_cluster_adopts_it_has_the_model_or_knows_that_it_has_not(
    tmp_path: Path, request_number: int
) -> None:
    results = [publish_version(tmp_path, in_a(tmp_path), number) for number in (1, 2)]
    reserved: list[bool] = []
    calls = iter(range(1000))

    def adopt() -> None:
        if next(calls) == request_number:
            reserved.append(reserve_version_use(STORE, in_b(tmp_path), version_of(results[0])) and stands(results[0]))

    keep_one(tmp_path, WatchedStore(STORE, after_each=adopt))
    if reserved == [True]:
        assert stands(results[0])


# ---- deletion


def clean_up(run: RunDocument, store: ObjectStore = STORE, report: Callable[[str], None] = lambda message: None) -> int:
    return erase(store, run, QUIET, StopRequest(), report_heir=report)


def test_a_deletion_in_one_cluster_leaves_everything_to_the_other_that_uses_it(tmp_path: Path) -> None:
    result = publish_version(tmp_path, in_a(tmp_path), 1)
    join(in_b(tmp_path))
    messages: list[str] = []
    assert clean_up(in_a(tmp_path), report=messages.append) == 0
    assert (stands(result), pointer(tmp_path)) == (True, result.model.uri)
    assert owner_and_users(tmp_path) == (B_BOT, [])
    assert B in messages[0]
    assert B_BOT in messages[0]
    assert join(in_b(tmp_path)) is None  # with no manual step


def test_the_longest_standing_user_inherits(tmp_path: Path) -> None:
    for run in (in_a(tmp_path), in_b(tmp_path), a_local_run(tmp_path, cluster=C, uid="cccc-bot")):
        join(run)
    clean_up(in_a(tmp_path))
    assert owner_and_users(tmp_path) == (B_BOT, ["cccc-bot"])


def test_a_deletion_in_a_cluster_that_only_used_the_folder_erases_nothing_and_says_whose_it_is(tmp_path: Path) -> None:
    result = publish_version(tmp_path, in_a(tmp_path), 1)
    join(in_b(tmp_path))
    for _ in range(2):
        with pytest.raises(PrefixOwned, match=f"Nothing was erased.* with uid {A_BOT} in cluster {A}"):
            clean_up(in_b(tmp_path))
    assert stands(result)
    assert owner_and_users(tmp_path) == (A_BOT, [])


def test_the_last_one_erases_everything_the_record_last(tmp_path: Path) -> None:
    publish_version(tmp_path, in_a(tmp_path), 1)
    join(in_b(tmp_path))
    clean_up(in_a(tmp_path))
    store = WatchedStore(STORE)
    clean_up(in_b(tmp_path), store)
    assert list(STORE.list(f"file://{tmp_path}/bucket/team-a/gull/")) == []
    assert [uri for action, uri in store.requests if action == "erase"][-1].endswith("/owner.json")


def test_a_user_that_is_gone_for_good_does_not_hold_up_the_erasure_once_it_is_named(tmp_path: Path) -> None:
    publish_version(tmp_path, in_a(tmp_path), 1)
    join(in_b(tmp_path))
    clean_up(in_a(tmp_path, take_over=B))
    assert list(STORE.list(f"file://{tmp_path}/bucket/team-a/gull/")) == []


def test_a_folder_without_a_record_is_erased_as_ever(tmp_path: Path) -> None:
    publish_version(tmp_path, in_a(tmp_path), 1)
    STORE.delete(f"{in_a(tmp_path).prefix}/owner.json")
    clean_up(in_a(tmp_path))
    assert list(STORE.list(f"file://{tmp_path}/bucket/team-a/gull/")) == []


def test_nobody_joins_a_folder_that_is_being_erased(tmp_path: Path) -> None:
    publish_version(tmp_path, in_a(tmp_path), 1)
    refused: list[str] = []

    def try_to_join() -> None:
        if (tmp_path / "bucket/team-a/gull/owner.json").exists() and record(tmp_path)["ending"]:
            with pytest.raises(PrefixOwned, match="is being erased"):
                join(in_b(tmp_path))
            refused.append("")

    clean_up(in_a(tmp_path), WatchedStore(STORE, after_each=try_to_join))
    assert len(refused) > 3
    assert join(in_b(tmp_path)) is None


def test_an_erasure_stops_once_another_has_taken_the_folder_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "_LOG_INTERVAL", 1)
    publish_version(tmp_path, in_a(tmp_path), 1)
    successor = in_b(tmp_path, take_over=A)
    calls = iter(range(1000))

    def take_over() -> None:
        if next(calls) == 5:
            join(successor)

    with pytest.raises(PrefixOwned):
        clean_up(in_a(tmp_path), WatchedStore(STORE, after_each=take_over))
    assert owner_and_users(tmp_path) == (B_BOT, [])


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("shared", [True, False])
def test_a_cleanup_killed_anywhere_ends_as_if_it_had_not_been(
    tmp_path: Path, shared: bool, phase: Literal["before", "after"]
) -> None:
    def prepare_folder(home: Path) -> None:
        publish_version(home, in_a(home), 1)
        if shared:
            join(in_b(home))

    counting = WatchedStore(STORE)
    prepare_folder(tmp_path / "counted")
    clean_up(in_a(tmp_path / "counted"), counting)
    for index in range(len(counting.requests)):
        home = tmp_path / str(index)
        prepare_folder(home)
        with pytest.raises(Killed):
            clean_up(in_a(home), WatchedStore(STORE, die_at=index, phase=phase))
        if shared and record(home)["owner"]["uid"] == B_BOT:
            with pytest.raises(PrefixOwned):
                clean_up(in_a(home))
        else:
            clean_up(in_a(home))
        left = len(list(STORE.list(f"file://{home}/bucket/team-a/gull/")))
        assert (left > 5) is shared
        assert left == 0 or owner_and_users(home) == (B_BOT, [])


# ---- the stages


def prepare_as(run: RunDocument, folder: Path) -> Any:
    return prepare(a_context(folder, run))


@pytest.fixture
def published(tmp_path: Path) -> TrainSucceeded:
    """A model that cluster A has prepared and published."""
    a_source(tmp_path)
    run = in_a(tmp_path)
    prepare_as(run, tmp_path)
    stored = read_record(STORE, run)
    assert stored is not None
    files = a_folder(tmp_path / "finished", b"weights")
    key = stored.training_key
    version = a_version(files, run, key[:16], training_key=key, dataset=stored.result.dataset)
    return publish(STORE, run, files, version)


def test_a_moved_bot_adopts_the_model_before_the_old_one_is_deleted(tmp_path: Path, published: TrainSucceeded) -> None:
    latest = (tmp_path / "bucket/team-a/gull/latest.json").read_bytes()
    result = prepare_as(in_b(tmp_path), tmp_path)
    assert result.adopted.model == published.model
    assert A in result.prefix_owned
    assert (tmp_path / "bucket/team-a/gull/latest.json").read_bytes() == latest
    assert record(tmp_path)["users"][0]["version"] == version_of(published)


def test_after_the_deletion_of_the_old_one_it_owns_what_it_serves(tmp_path: Path, published: TrainSucceeded) -> None:
    prepare_as(in_b(tmp_path), tmp_path)
    clean_up(in_a(tmp_path, stage="Cleanup"))
    result = prepare_as(in_b(tmp_path), tmp_path)
    assert (result.adopted.model, result.prefix_owned) == (published.model, None)
    assert json.loads((tmp_path / "bucket/team-a/gull/latest.json").read_text())["uid"] == B_BOT


OTHER = {"training": {"epochs": 7}}


def test_what_would_have_to_be_trained_is_refused_before_a_gpu_is_asked_for(
    tmp_path: Path, published: TrainSucceeded
) -> None:
    with pytest.raises(PrefixOwned, match="may train new models"):
        prepare_as(in_b(tmp_path, spec=OTHER), tmp_path)
    assert owner_and_users(tmp_path) == (A_BOT, [B_BOT])


def test_a_scheduled_run_with_nothing_new_ends_well_and_tells_of_the_owner(
    tmp_path: Path, published: TrainSucceeded
) -> None:
    result = prepare_as(in_b(tmp_path, spec=OTHER, min_new_posts=5, trigger="schedule/x"), tmp_path)
    assert (result.new_posts, A_BOT in result.prefix_owned) == (0, True)


def test_a_training_whose_folder_was_taken_over_meanwhile_stops_before_it_begins(tmp_path: Path) -> None:
    a_source(tmp_path)
    dataset = prepare_as(in_b(tmp_path), tmp_path).dataset.digest
    join(in_a(tmp_path, take_over=B))
    with pytest.raises(PrefixOwned):
        train(a_context(tmp_path, in_b(tmp_path, stage="Train", dataset=dataset)))


def test_a_training_that_finds_its_version_in_another_owners_folder_serves_it(
    tmp_path: Path, published: TrainSucceeded
) -> None:
    prepared = prepare_as(in_b(tmp_path), tmp_path)
    latest = (tmp_path / "bucket/team-a/gull/latest.json").read_bytes()
    result = train(a_context(tmp_path, in_b(tmp_path, stage="Train", dataset=prepared.dataset.digest)))
    assert (result.model, A in (result.prefix_owned or "")) == (published.model, True)
    assert (tmp_path / "bucket/team-a/gull/latest.json").read_bytes() == latest


def test_checkpoints_of_another_owner_stay(tmp_path: Path, published: TrainSucceeded) -> None:
    prepared = prepare_as(in_b(tmp_path), tmp_path)
    checkpoint = f"{in_b(tmp_path).prefix}/checkpoints/{'b' * 16}/00000100-20201101T000000Z-01234567/MANIFEST.json"
    STORE.put(checkpoint, b"{}")
    train(a_context(tmp_path, in_b(tmp_path, stage="Train", dataset=prepared.dataset.digest)))
    assert STORE.find(checkpoint)
