"""etcd goes back to a backup: what was known is forgotten and read again, whatever the form of the evidence."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest

from builders.manifests import a_manifest
from builders.operator import a_prepare_result, a_train_result
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_fakes.kubernetes.cluster import FakeCluster
from tweetbot_operator.client.errors import Unavailable
from tweetbot_operator.informers.resync import Resync


class RestoreStage(Stage):
    """A stage whose resync looks when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.restores = 0
        self.resync = Resync(self.cluster, self.event_handler, sleep=self.nap)
        self.resync.on_restore = self.note_restore
        self.looks = 0

    def note_restore(self) -> None:
        self.restores += 1
        self.reconciler.forget_diagnostics()

    async def nap(self, seconds: float) -> None:
        self.looks -= 1
        if self.looks < 0:
            raise KeyboardInterrupt

    async def look_at_versions(self, times: int = 1) -> None:
        """Let it look at the versions alone, as while nothing runs."""
        self.looks = times
        with pytest.raises(KeyboardInterrupt):
            await self.resync.watch_versions()
        await self.settle()

    async def compare(self) -> None:
        await self.resync.compare()
        await self.settle()

    def believes(self) -> dict[str, int]:
        """Return the versions that the cache holds, by uid."""
        known = (self.cache.bots, self.cache.jobs, self.cache.pods)
        return {item.uid: int(item.resource_version) for indexer in known for item in indexer.list_all()}

    def holds(self) -> dict[str, int]:
        """Return the versions that the API server holds, by uid."""
        return {
            each["metadata"]["uid"]: int(each["metadata"]["resourceVersion"]) for each in self.cluster.objects.values()
        }


def back_up(stage: RestoreStage) -> FakeCluster:
    return replace(stage.cluster, objects=deepcopy(stage.cluster.objects))


def restore(stage: RestoreStage, backup: FakeCluster, version: int = 0) -> None:
    """Let etcd hold what it held when the backup was made; no watch shows it."""
    stage.cluster.objects, stage.cluster._version = deepcopy(backup.objects), version or backup._version


@pytest.fixture
async def stage() -> RestoreStage:
    stage = RestoreStage()
    await stage.resync.list_initial()
    await stage.apply()
    return stage


async def test_a_run_goes_on_from_where_the_backup_has_it(stage: RestoreStage) -> None:
    await stage.end_stage(a_prepare_result())
    backup = back_up(stage)
    await stage.end_stage(a_train_result())
    restore(stage, backup)
    await stage.compare()
    assert (stage.restores, stage.believes()) == (1, stage.holds())
    assert stage.run.stage == "Train"
    stage.cluster.writes.clear()
    await stage.end_stage(a_train_result())
    assert stage.status.phase == "Succeeded"
    assert [write for write in stage.cluster.writes if "job" in write] == []


@pytest.mark.parametrize("look", ["compare", "look_at_versions"])
async def test_an_edit_after_the_restore_is_acted_on(stage: RestoreStage, look: str) -> None:
    backup = back_up(stage)
    for epochs in range(5, 20):
        stage.cluster.edit(NAMESPACE, NAME, training={"epochs": epochs})
        await stage.settle()
    restore(stage, backup)
    stage.cluster.event_handler = None  # a watch of versions to come is silent
    stage.cluster.edit(NAMESPACE, NAME, suspend=True)
    job = stage.job_name
    stage.cluster.writes.clear()
    await getattr(stage, look)()
    assert (stage.cluster.writes[0], stage.run.number) == (f"delete job {job}", 1)
    assert stage.believes() == stage.holds()


def delete_the_bot(stage: RestoreStage) -> None:
    stage.cluster.delete_bot(NAMESPACE, NAME)
    stage.cluster.remove("jobs", NAMESPACE, stage.cluster.names("jobs")[0])


def create_another(stage: RestoreStage) -> None:
    manifest = a_manifest()
    manifest["metadata"] |= {"name": "tern", "uid": "uid-tern"}
    stage.cluster.put("tweetbots", manifest)


def annotate(stage: RestoreStage) -> None:
    stage.cluster.annotate(NAMESPACE, NAME, {"note": "one"})


def retrain(stage: RestoreStage) -> None:
    stage.cluster.annotate(NAMESPACE, NAME, {"tweetbot.dev/retrain-at": "one"})


@pytest.mark.parametrize("change", [delete_the_bot, create_another, annotate, retrain])
async def test_whatever_came_after_the_backup_is_undone(
    stage: RestoreStage, change: Callable[[RestoreStage], None]
) -> None:
    backup = back_up(stage)
    change(stage)
    await stage.settle()
    restore(stage, backup)
    await stage.look_at_versions()
    assert (stage.restores, stage.believes()) == (1, stage.holds())


async def test_an_object_that_differs_at_the_same_version_is_read(stage: RestoreStage) -> None:
    backup = back_up(stage)
    annotate(stage)
    version = stage.cluster.objects["tweetbots", NAMESPACE, NAME]["metadata"]["resourceVersion"]
    annotate(stage)
    restore(stage, backup)
    stage.cluster.event_handler = None
    stage.cluster.edit(NAMESPACE, NAME, suspend=True)
    assert stage.cluster.objects["tweetbots", NAMESPACE, NAME]["metadata"]["resourceVersion"] == version
    await stage.resync.compare()
    (known,) = stage.cache.bots.list_all()
    assert b'"suspend":true' in known.document


async def test_versions_that_were_raised_at_the_restore_hide_no_older_object(stage: RestoreStage) -> None:
    """etcdutl snapshot restore --bump-revision."""
    backup = back_up(stage)
    annotate(stage)
    restore(stage, backup, version=1_000_000)
    await stage.compare()
    assert (stage.restores, stage.believes()) == (1, stage.holds())


async def test_an_event_that_is_merely_late_is_no_restore(stage: RestoreStage) -> None:
    (old,) = stage.cluster.objects_of("tweetbots")
    annotate(stage)
    stage.event_handler.observe_version("tweetbots", old)
    stage.event_handler.put(old)
    await stage.compare()
    await stage.look_at_versions(3)
    assert (stage.restores, stage.believes()) == (0, stage.holds())


async def test_what_is_written_while_versions_are_read_is_no_restore(stage: RestoreStage) -> None:
    stage.cluster.before_list = lambda kind: annotate(stage)
    await stage.compare()
    assert stage.restores == 0


async def test_it_is_not_healthy_until_everything_is_read_again(stage: RestoreStage) -> None:
    backup = back_up(stage)
    annotate(stage)
    restore(stage, backup)
    stage.cluster.faults["everything"] = [Unavailable("503")]
    await stage.look_at_versions()
    assert not stage.resync.healthy
    await stage.look_at_versions()
    assert stage.resync.healthy
    assert (stage.restores, stage.believes()) == (2, stage.holds())


async def test_a_restore_is_told_once(stage: RestoreStage, caplog: pytest.LogCaptureFixture) -> None:
    backup = back_up(stage)
    annotate(stage)
    restore(stage, backup)
    await stage.look_at_versions(5)
    await stage.compare()
    assert sum("as etcd was restored" in message for message in caplog.messages) == 1


async def test_an_api_server_that_is_away_is_no_restore(stage: RestoreStage) -> None:
    stage.cluster.faults["read_version"] = [Unavailable("503")] * 2
    await stage.look_at_versions(3)
    assert stage.restores == 0


async def test_a_suspicion_from_elsewhere_is_looked_into_at_once(stage: RestoreStage) -> None:
    backup = back_up(stage)
    annotate(stage)
    restore(stage, backup)
    stage.resync.suspect_restore()
    assert stage.resync._suspicion
    await stage.resync._suspicion
    assert (stage.restores, stage.resync.healthy) == (1, True)
