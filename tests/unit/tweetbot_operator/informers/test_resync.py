"""The resync repairs what a watch has lost, and leaves to it what is merely late."""

from collections.abc import Callable

import pytest

from builders.manifests import a_manifest
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_operator.client.errors import NotFound, Unavailable
from tweetbot_operator.client.interface import Kind
from tweetbot_operator.informers.resync import Resync


class ResyncStage(Stage):
    """A stage with a resync whose pauses the test can fill."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = 0.0
        self.naps: list[float] = []
        self.most = 20
        self.during_nap: Callable[[], object] = lambda: None
        self.resync = Resync(self.cluster, self.event_handler, clock=lambda: self.clock, sleep=self.nap)

    async def nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.clock += seconds
        self.during_nap()
        if len(self.naps) > self.most:
            raise KeyboardInterrupt

    async def look_on(self, times: int = 20) -> list[Kind]:
        """Let it look this many times; answers the kinds that it listed in the meantime."""
        self.most, self.naps = times, []
        self.cluster.listed.clear()
        with pytest.raises(KeyboardInterrupt):
            await self.resync.run()
        return self.cluster.listed


@pytest.fixture
def stage() -> ResyncStage:
    return ResyncStage()


async def test_the_start_reads_everything(stage: ResyncStage) -> None:
    stage.cluster.event_handler = None
    stage.cluster.put("tweetbots", a_manifest())
    await stage.resync.list_initial()
    assert len(stage.queue) == 1
    assert stage.resync.healthy


async def test_the_start_fails_without_the_custom_resource(stage: ResyncStage) -> None:
    stage.cluster.faults["everything"] = [NotFound("the server could not find the requested resource")]
    with pytest.raises(NotFound):
        await stage.resync.list_initial()
    assert not stage.resync.healthy


async def test_nothing_lost_costs_no_pause(stage: ResyncStage) -> None:
    await stage.apply()
    assert (await stage.resync.compare(), stage.naps) == (0, [])


async def test_a_lost_creation_is_found(stage: ResyncStage) -> None:
    stage.cluster.event_handler = None
    stage.cluster.put("tweetbots", a_manifest())
    assert await stage.resync.compare() == 1
    await stage.settle()
    assert len(stage.cluster.names("jobs")) == 1


async def test_a_lost_edit_is_found(stage: ResyncStage) -> None:
    await stage.apply()
    stage.cluster.event_handler = None
    stage.cluster.edit(NAMESPACE, NAME, suspend=True)
    assert await stage.resync.compare() == 1
    await stage.settle()
    assert stage.status.phase == "Suspended"


async def test_a_lost_deletion_is_found(stage: ResyncStage) -> None:
    await stage.apply()
    stage.cluster.event_handler = None
    stage.cluster.remove("jobs", NAMESPACE, stage.job_name)
    assert await stage.resync.compare() == 1
    await stage.settle()
    assert len(stage.cluster.names("jobs")) == 1


async def test_a_watch_that_is_only_late_has_lost_nothing(stage: ResyncStage) -> None:
    stage.cluster.event_handler = None
    stage.cluster.put("tweetbots", a_manifest())
    stage.during_nap = lambda: stage.event_handler.put(stage.cluster.objects_of("tweetbots")[0])
    assert await stage.resync.compare() == 0
    assert stage.resync.healthy


async def test_a_watch_that_catches_up_is_late_and_has_lost_only_what_it_passed(
    stage: ResyncStage,
) -> None:
    names = ("auk", "gull", "tern")
    for name in names:
        manifest = a_manifest()
        manifest["metadata"] |= {"name": name, "uid": f"uid-{name}"}
        stage.cluster.put("tweetbots", manifest)
    stage.cluster.event_handler = None
    for name in names:
        stage.cluster.edit(NAMESPACE, name, suspend=True)
    newest = stage.cluster.objects_of("tweetbots")
    stage.during_nap = lambda: stage.event_handler.observe_version("tweetbots", newest[0])
    assert await stage.resync.compare() == 1
    assert [stage.cache.bots.get(bot.uid) == bot for bot in newest] == [True, False, False]


async def test_an_object_that_is_deleted_meanwhile_is_no_fault(stage: ResyncStage) -> None:
    stage.cluster.event_handler = None
    stage.cluster.put("tweetbots", a_manifest())
    stage.during_nap = lambda: stage.cluster.remove("tweetbots", NAMESPACE, NAME)
    assert await stage.resync.compare() == 0


async def test_watches_that_lose_things_twice_in_a_row_are_dead(stage: ResyncStage) -> None:
    await stage.apply()
    stage.cluster.event_handler = None
    for epochs in (2, 3):
        stage.cluster.edit(NAMESPACE, NAME, training={"epochs": epochs})
        await stage.resync.compare()
    assert not stage.resync.healthy


async def test_one_good_comparison_revives_them(stage: ResyncStage) -> None:
    await test_watches_that_lose_things_twice_in_a_row_are_dead(stage)
    await stage.resync.compare()
    assert stage.resync.healthy


async def test_a_comparison_long_ago_is_not_fresh(stage: ResyncStage) -> None:
    await stage.resync.list_initial()
    stage.clock = 1499
    assert stage.resync.healthy
    stage.clock = 1500
    assert not stage.resync.healthy


async def test_it_survives_an_outage_and_keeps_its_pauses(stage: ResyncStage) -> None:
    stage.cluster.faults["traces"] = [Unavailable("503")] * 10
    await stage.look_on()
    assert all(40 <= nap <= 50 for nap in stage.naps)
    assert stage.resync.healthy


async def test_a_bug_in_a_comparison_is_logged_and_does_not_stop_the_next_ones(
    stage: ResyncStage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.cluster.faults["traces"] = [TypeError("a bug of ours")]  # type: ignore[list-item]
    await stage.look_on()
    assert "bug in the resync" in caplog.messages
    assert stage.resync.healthy


async def test_what_runs_is_compared_every_minute_and_the_fleet_every_ten(stage: ResyncStage) -> None:
    await stage.resync.list_initial()
    await stage.apply()
    assert await stage.look_on(1) == ["jobs", "pods"]
    assert (await stage.look_on(14)).count("tweetbots") == 1
    assert sum(stage.naps) < 700


async def test_slow_lists_are_requested_less_often(stage: ResyncStage) -> None:
    def list_slowly(kind: Kind) -> None:
        stage.clock += 2

    stage.cluster.before_list = list_slowly
    await stage.resync.list_initial()
    await stage.apply()
    assert await stage.look_on(2) == ["jobs", "pods"] * 2
    assert 72 <= stage.naps[1] <= 88


async def test_while_nothing_runs_nothing_is_requested(stage: ResyncStage) -> None:
    await stage.apply()
    await stage.whole_run()
    await stage.resync.list_initial()
    assert await stage.look_on(5) == []


@pytest.mark.parametrize("what", ["a Job that is ending", "a Pod that has not ended"])
async def test_what_is_waited_for_counts_as_running(stage: ResyncStage, what: str) -> None:
    await stage.apply()
    if what == "a Pod that has not ended":
        stage.cluster.run_pod(stage.job_name, NAMESPACE)
        stage.cluster.end_job(stage.job_name, NAMESPACE, "Failed")
    else:
        stage.cluster.end_job(stage.job_name, NAMESPACE, "Failed")
        (job,) = stage.cache.jobs.list_all()
        await stage.cluster.delete_job(job)
    await stage.resync.list_initial()
    assert await stage.look_on(1) == ["jobs", "pods"]


async def test_a_lost_deletion_of_what_runs_is_repaired_at_the_next_check(stage: ResyncStage) -> None:
    await stage.resync.list_initial()
    await stage.apply()
    stage.cluster.event_handler = None
    stage.cluster.remove("jobs", NAMESPACE, stage.job_name)
    stage.cluster.event_handler = stage.event_handler
    await stage.look_on(2)
    await stage.settle()
    assert sum(stage.naps[:2]) < 60
    assert len(stage.cluster.names("jobs")) == 1


async def test_after_a_watch_was_opened_again_everything_is_compared_and_no_watch_counts_as_dead(
    stage: ResyncStage,
) -> None:
    await stage.resync.list_initial()
    await stage.apply()
    stage.cluster.event_handler = None
    for epochs in (2, 3):
        stage.cluster.edit(NAMESPACE, NAME, training={"epochs": epochs})
        stage.resync.mark_stale()
        assert "tweetbots" in await stage.look_on(2)
    assert stage.resync.healthy


async def test_a_failed_comparison_leaves_the_cache_stale(stage: ResyncStage) -> None:
    await stage.resync.list_initial()
    stage.resync.mark_stale()
    stage.cluster.faults["traces"] = [Unavailable("503")]
    assert await stage.look_on(3) == ["tweetbots", "jobs", "pods"]


async def test_a_good_comparison_of_jobs_does_not_revive_the_watch_of_tweetbots(stage: ResyncStage) -> None:
    await test_watches_that_lose_things_twice_in_a_row_are_dead(stage)
    await stage.resync.compare(("jobs", "pods"))
    assert not stage.resync.healthy
