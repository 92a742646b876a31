"""spec.pin moves latest.json and holds it; no run, retention, kill or late writer moves it away."""

import hashlib
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import pytest

from builders.stages import a_folder, a_local_run, a_version
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrainSucceeded
from tweetbot_contract.status.tasks import PinRequest
from tweetbot_fakes.storage import Killed, WatchedStore
from tweetbot_trainer.publishing.registry.latest import read_latest, read_newest_version, update_latest
from tweetbot_trainer.publishing.registry.ownership import OwnerRecord, PrefixOwned, PrefixUser, announce_erasure
from tweetbot_trainer.publishing.registry.pinning import serve_pinned
from tweetbot_trainer.publishing.registry.publish import publish, store_rejected
from tweetbot_trainer.publishing.registry.retention import erase_old_versions
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store import ObjectStore
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()


def key_of(number: int) -> str:
    return hashlib.sha256(f"key {number}".encode()).hexdigest()


def version(number: int) -> str:
    return key_of(number)[:16]


def a_run(folder: Path, number: int, **changes: Any) -> RunDocument:
    """Return the run of this number, recorded at noon of that day."""
    fields: dict[str, Any] = {
        "run_id": f"{number:016x}",
        "run_number": number,
        "run_started_at": f"2026-11-{number:02}T12:00:00Z",
    }
    return a_local_run(folder, **(fields | changes))


def a_pin(number: int, *, day: int = 20, minute: int = 0, generation: int = 2) -> PinRequest:
    """Return a request for this run's version, or for none (0)."""
    wanted = version(number) if number else ""
    return PinRequest(version=wanted, requested_at=f"2026-11-{day}T12:{minute:02}:00Z", generation=generation)


def published(folder: Path, number: int, **changes: Any) -> TrainSucceeded:
    run = a_run(folder, number, **changes)
    files = a_folder(folder / f"finished-{number}", b"weights")
    at = f"2026-11-{number:02}T13:00:00.000Z"
    return publish(
        STORE, run, files, a_version(files, run, version(number), training_key=key_of(number), published_at=at)
    )


def pin(folder: Path, number: int, *, store: ObjectStore = STORE, day: int = 20, **changes: Any) -> Any:
    return serve_pinned(store, a_run(folder, 9, stage="Pin", pin=a_pin(number, day=day), **changes))


def served(folder: Path) -> str:
    return str(latest(folder)["uri"]).split("/")[-2]


def latest(folder: Path) -> dict[str, Any]:
    return read_latest(STORE, f"{a_run(folder, 1).prefix}/latest.json")


def erase(folder: Path, run: RunDocument, store: ObjectStore = STORE) -> None:
    erase_old_versions(store, run, Log(StringIO()), StopRequest())


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    """A folder in which three runs have published."""
    for number in (1, 2, 3):
        published(tmp_path, number)
    return tmp_path


def test_a_pin_serves_an_earlier_version_and_its_end_the_newest_again(bot: Path) -> None:
    before = latest(bot)
    result = pin(bot, 1)
    assert (served(bot), result.newest) == (version(1), version(3))
    assert result.served.model.uri.endswith(f"{version(1)}/model")
    assert result.run_id == f"{1:016x}"
    result = pin(bot, 0, day=21)
    assert (served(bot), result.newest) == (version(3), version(3))
    assert {name: value for name, value in latest(bot).items() if name != "pin"} == before


def test_a_pointer_without_a_pin_looks_as_it_always_did(bot: Path) -> None:
    assert set(latest(bot)) == {
        "schemaVersion", "uri", "name", "manifestSha256", "runId", "runNumber", "runStartedAt", "uid",
    }  # fmt: skip


def test_runs_publish_beside_the_pin_whether_they_began_before_or_after_it(bot: Path) -> None:
    pin(bot, 1)
    began_before, began_after = published(bot, 4), published(bot, 5, pin=a_pin(1))
    assert (began_before.pinned, began_after.pinned) == (version(1), version(1))
    assert served(bot) == version(1)
    assert pin(bot, 0, day=21).served.model.uri == began_after.model.uri


def test_a_run_that_knows_of_the_pin_before_the_pointer_does_leaves_the_pointer(bot: Path) -> None:
    """A pin to the version that is served already needs no Job: the run's own document says so."""
    assert published(bot, 4, pin=a_pin(3)).pinned == version(3)
    assert served(bot) == version(3)
    assert pin(bot, 0, day=21).newest == version(4)


def test_a_run_that_knows_of_a_pin_that_has_ended_since_moves_the_pointer(bot: Path) -> None:
    pin(bot, 1)
    pin(bot, 0, day=21)
    assert published(bot, 4, pin=a_pin(1)).pinned is None
    assert served(bot) == version(4)


def test_a_pin_to_what_is_served_after_an_earlier_pin_has_ended(bot: Path) -> None:
    pin(bot, 1)
    pin(bot, 0, day=21)
    published(bot, 4, pin=a_pin(3, day=22))
    assert served(bot) == version(3)
    assert read_newest_version(STORE, a_run(bot, 5)) == version(4)


def test_the_end_of_a_pin_keeps_the_order_of_runs(bot: Path) -> None:
    """A late trainer of an older run must not win over the version that the end of the pin has brought back."""
    pin(bot, 1)
    newest = published(bot, 5)
    late = published(bot, 4)
    assert late.pinned == version(1)
    pin(bot, 0, day=21)
    assert served(bot) == version(5)
    assert not update_latest(STORE, a_run(bot, 4), late)
    assert update_latest(STORE, a_run(bot, 6), newest)


def test_what_a_run_adopts_beside_a_pin_is_served_after_it_although_it_is_not_the_last_published(bot: Path) -> None:
    """A revert of the spec asks for the older model: that is what the end of the pin serves."""
    pin(bot, 1)
    update_latest(STORE, a_run(bot, 4), published(bot, 2))
    pin(bot, 0, day=21)
    assert served(bot) == version(2)


def test_a_late_pin_gives_way_to_a_later_request(bot: Path) -> None:
    pin(bot, 0, day=21)
    with pytest.raises(SpecRefused, match="a later request"):
        pin(bot, 1, day=20)
    assert served(bot) == version(3)


def test_of_two_requests_of_one_second_the_later_generation_counts(bot: Path) -> None:
    serve_pinned(STORE, a_run(bot, 9, pin=a_pin(2, generation=4)))
    with pytest.raises(SpecRefused, match="a later request"):
        serve_pinned(STORE, a_run(bot, 9, pin=a_pin(1, generation=3)))
    assert served(bot) == version(2)


def test_the_pin_of_a_tweetbot_that_was_created_again_replaces_that_of_the_former_one(bot: Path) -> None:
    pin(bot, 2, day=25)
    owner = OwnerRecord(owner=PrefixUser(cluster="", uid="uid-new", since="2026-11-25T12:00:00Z"))
    STORE.put(f"{a_run(bot, 1).prefix}/owner.json", owner.encode())
    pin(bot, 1, day=20, uid="uid-new")
    assert served(bot) == version(1)


def test_a_former_tweetbots_pin_does_not_hold_up_one_without(bot: Path) -> None:
    pin(bot, 1)
    owner = OwnerRecord(owner=PrefixUser(cluster="", uid="uid-new", since="2026-11-25T12:00:00Z"))
    STORE.put(f"{a_run(bot, 1).prefix}/owner.json", owner.encode())
    assert published(bot, 4, uid="uid-new").pinned is None
    assert (served(bot), set(latest(bot)) & {"pin", "unpinned"}) == (version(4), set())


def test_another_owner_decides(bot: Path) -> None:
    owner = OwnerRecord(owner=PrefixUser(cluster="elsewhere", uid="uid-other", since="2026-11-25T12:00:00Z"))
    STORE.put(f"{a_run(bot, 1).prefix}/owner.json", owner.encode())
    with pytest.raises(PrefixOwned):
        pin(bot, 1)
    assert served(bot) == version(3)


# ---- versions that cannot be served


def test_a_version_that_does_not_exist_is_told_and_nothing_moves_meanwhile(bot: Path) -> None:
    with pytest.raises(SpecRefused, match=r"spec\.pin: there is no version .*history") as refused:
        pin(bot, 7)
    assert str(refused.value.reason) == "PinnedVersionNotFound"
    assert published(bot, 4).pinned == version(7)
    assert served(bot) == version(3)
    assert pin(bot, 0, day=21).newest == version(4)


def test_a_rejected_version_is_not_served_by_a_pin(bot: Path) -> None:
    run = a_run(bot, 4)
    files = a_folder(bot / "finished-4", b"weights")
    store_rejected(STORE, run, files, a_version(files, run, version(4), training_key=key_of(4)), check=lambda: None)
    with pytest.raises(SpecRefused, match="failed a gate") as refused:
        pin(bot, 4)
    assert str(refused.value.reason) == "PinnedVersionUnusable"


@pytest.mark.parametrize("damage", [lambda uri: STORE.delete(uri), lambda uri: STORE.put(uri, b"other")])
def test_a_damaged_version_is_not_served(bot: Path, damage: Callable[[str], None]) -> None:
    damage(f"{a_run(bot, 1).prefix}/models/{version(1)}/model/config.json")
    with pytest.raises(SpecRefused, match="differ from its manifest") as refused:
        pin(bot, 1)
    assert str(refused.value.reason) == "PinnedVersionUnusable"
    assert served(bot) == version(3)


def test_a_version_that_is_being_erased_is_not_served(bot: Path) -> None:
    announce_erasure(STORE, a_run(bot, 3), [f"{a_run(bot, 1).prefix}/models/{version(1)}"])
    with pytest.raises(SpecRefused, match="being erased"):
        pin(bot, 1)


def test_the_end_of_a_pin_passes_by_a_damaged_version(bot: Path) -> None:
    pin(bot, 1)
    STORE.delete(f"{a_run(bot, 1).prefix}/models/{version(3)}/model/config.json")
    assert pin(bot, 0, day=21).newest == version(2)


def test_a_pin_before_any_model_serves_nothing_until_it_ends(tmp_path: Path) -> None:
    with pytest.raises(SpecRefused, match="there is no version"):
        pin(tmp_path, 7)
    assert published(tmp_path, 1, pin=a_pin(7)).pinned == version(7)
    assert latest(tmp_path) == {}
    assert pin(tmp_path, 0, day=21).newest == version(1)


def test_the_end_of_a_pin_without_any_model_is_no_fault(tmp_path: Path) -> None:
    assert pin(tmp_path, 0).served is None


def test_a_pin_outlives_a_pointer_that_somebody_deleted(bot: Path) -> None:
    STORE.delete(f"{a_run(bot, 1).prefix}/latest.json")
    assert pin(bot, 1).newest is None
    assert pin(bot, 0, day=21).newest == version(3)


# ---- retention


def test_neither_the_pinned_version_nor_the_one_to_go_back_to_is_erased(bot: Path) -> None:
    pin(bot, 1)
    update_latest(STORE, a_run(bot, 4), published(bot, 2))
    for number in (5, 6, 7):
        update_latest(STORE, a_run(bot, 4), published(bot, number))
    run = a_run(bot, 7, spec={"history": {"models": 1}})
    erase(bot, run)
    left = {info.uri.split("/models/")[1][:16] for info in STORE.list(f"{run.prefix}/models/")}
    assert left == {version(1), version(7)}


def test_what_the_run_knows_to_be_pinned_stays_before_its_job_has_come(bot: Path) -> None:
    run = a_run(bot, 3, spec={"history": {"models": 1}, "pin": version(1)})
    erase(bot, run)
    left = {info.uri.split("/models/")[1][:16] for info in STORE.list(f"{run.prefix}/models/")}
    assert left == {version(1), version(3)}


def test_of_a_pin_and_a_retention_at_the_same_moment_one_gives_way(bot: Path) -> None:
    """The pin comes at each of the retention's requests in turn; what is served afterwards is whole."""
    for at in range(30):
        home = bot / str(at)
        for number in (1, 2, 3):
            published(home, number)
        came: list[int] = []

        def come(home: Path = home, at: int = at, came: list[int] = came) -> None:
            came.append(0)
            if len(came) - 1 == at:
                try:
                    pin(home, 1)
                except SpecRefused:
                    came.append(-1)

        erase(home, a_run(home, 3, spec={"history": {"models": 1}}), WatchedStore(STORE, after_each=come))
        manifest = STORE.find(f"{a_run(home, 1).prefix}/models/{served(home)}/MANIFEST.json")
        assert manifest, at
        files = json.loads(manifest.body)["files"]
        assert all(STORE.find(f"{a_run(home, 1).prefix}/models/{served(home)}/{path}") for path in files), at


# ---- kills


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("wanted", [1, 0])
def test_killed_at_any_request_the_next_attempt_ends_well(
    bot: Path, wanted: int, phase: Literal["before", "after"]
) -> None:
    for at in range(29):
        serve_pinned(STORE, a_run(bot, 9, pin=a_pin(2 if wanted else 1, minute=2 * at)))
        request = a_run(bot, 9, pin=a_pin(wanted, minute=2 * at + 1))
        try:
            serve_pinned(WatchedStore(STORE, die_at=at, phase=phase), request)
        except Killed:
            serve_pinned(STORE, request)
        else:
            assert at > 8, "it has been killed at each of its requests"
            return
        assert served(bot) == version(1 if wanted else 3)
    pytest.fail("it was never left alone")
