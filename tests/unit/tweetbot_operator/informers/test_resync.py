"""The resync: what a watch has lost comes back, what it is merely late with is left to it."""

from collections.abc import Callable

import pytest

from builders.manifests import a_manifest
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_operator.client.errors import NotFound, Unavailable
from tweetbot_operator.client.interface import Kind
from tweetbot_operator.informers.resync import Resync


class Harbour(Stage):
    """A stage with a resync whose pauses the test can fill."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = 0.0
        self.naps: list[float] = []
        self.most = 20
        self.during_nap: Callable[[], object] = lambda: None
        self.resync = Resync(self.cluster, self.intake, clock=lambda: self.clock, sleep=self.nap)

    async def nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.clock += seconds
        self.during_nap()
        if len(self.naps) > self.most:
            raise KeyboardInterrupt

    async def look_on(self, times: int = 20) -> list[Kind]:
        """Let it look so many times; answers the kinds that it listed in the meantime."""
        self.most, self.naps = times, []
        self.cluster.listed.clear()
        with pytest.raises(KeyboardInterrupt):
            await self.resync.run()
        return self.cluster.listed


@pytest.fixture
def harbour() -> Harbour:
    return Harbour()


async def test_the_start_reads_everything(harbour: Harbour) -> None:
    harbour.cluster.intake = None
    harbour.cluster.put("tweetbots", a_manifest())
    await harbour.resync.list_initial()
    assert len(harbour.queue) == 1
    assert harbour.resync.healthy


async def test_the_start_fails_without_the_custom_resource(harbour: Harbour) -> None:
    harbour.cluster.faults["everything"] = [NotFound("the server could not find the requested resource")]
    with pytest.raises(NotFound):
        await harbour.resync.list_initial()
    assert not harbour.resync.healthy


async def test_nothing_lost_costs_no_pause(harbour: Harbour) -> None:
    await harbour.apply()
    assert (await harbour.resync.compare(), harbour.naps) == (0, [])


async def test_a_lost_creation_is_found(harbour: Harbour) -> None:
    harbour.cluster.intake = None
    harbour.cluster.put("tweetbots", a_manifest())
    assert await harbour.resync.compare() == 1
    await harbour.settle()
    assert len(harbour.cluster.names("jobs")) == 1


async def test_a_lost_edit_is_found(harbour: Harbour) -> None:
    await harbour.apply()
    harbour.cluster.intake = None
    harbour.cluster.edit(NAMESPACE, NAME, suspend=True)
    assert await harbour.resync.compare() == 1
    await harbour.settle()
    assert harbour.status.phase == "Suspended"


async def test_a_lost_deletion_is_found(harbour: Harbour) -> None:
    await harbour.apply()
    harbour.cluster.intake = None
    harbour.cluster.remove("jobs", NAMESPACE, harbour.job_name)
    assert await harbour.resync.compare() == 1
    await harbour.settle()
    assert len(harbour.cluster.names("jobs")) == 1


async def test_a_watch_that_is_only_late_has_lost_nothing(harbour: Harbour) -> None:
    harbour.cluster.intake = None
    harbour.cluster.put("tweetbots", a_manifest())
    harbour.during_nap = lambda: harbour.intake.put(harbour.cluster.objects_of("tweetbots")[0])
    assert await harbour.resync.compare() == 0
    assert harbour.resync.healthy


async def test_a_watch_that_comes_nearer_in_a_flood_is_late_and_has_lost_no_more_than_it_passed(
    harbour: Harbour,
) -> None:
    names = ("auk", "gull", "tern")
    for name in names:
        manifest = a_manifest()
        manifest["metadata"] |= {"name": name, "uid": f"uid-{name}"}
        harbour.cluster.put("tweetbots", manifest)
    harbour.cluster.intake = None
    for name in names:
        harbour.cluster.edit(NAMESPACE, name, suspend=True)
    newest = harbour.cluster.objects_of("tweetbots")
    harbour.during_nap = lambda: harbour.intake.observe_version("tweetbots", newest[0])
    assert await harbour.resync.compare() == 1
    assert [harbour.cache.bots.get(bot.uid) == bot for bot in newest] == [True, False, False]


async def test_an_object_that_goes_meanwhile_is_no_fault(harbour: Harbour) -> None:
    harbour.cluster.intake = None
    harbour.cluster.put("tweetbots", a_manifest())
    harbour.during_nap = lambda: harbour.cluster.remove("tweetbots", NAMESPACE, NAME)
    assert await harbour.resync.compare() == 0


async def test_watches_that_lose_things_twice_in_a_row_are_dead(harbour: Harbour) -> None:
    await harbour.apply()
    harbour.cluster.intake = None
    for epochs in (2, 3):
        harbour.cluster.edit(NAMESPACE, NAME, training={"epochs": epochs})
        await harbour.resync.compare()
    assert not harbour.resync.healthy


async def test_one_good_comparison_revives_them(harbour: Harbour) -> None:
    await test_watches_that_lose_things_twice_in_a_row_are_dead(harbour)
    await harbour.resync.compare()
    assert harbour.resync.healthy


async def test_a_comparison_long_ago_is_not_fresh(harbour: Harbour) -> None:
    await harbour.resync.list_initial()
    harbour.clock = 1499
    assert harbour.resync.healthy
    harbour.clock = 1500
    assert not harbour.resync.healthy


async def test_it_goes_on_through_an_outage_and_keeps_its_distance(harbour: Harbour) -> None:
    harbour.cluster.faults["traces"] = [Unavailable("503")] * 10
    await harbour.look_on()
    assert all(40 <= nap <= 50 for nap in harbour.naps)
    assert harbour.resync.healthy


async def test_a_bug_in_a_comparison_is_told_and_does_not_end_the_next_ones(
    harbour: Harbour, caplog: pytest.LogCaptureFixture
) -> None:
    harbour.cluster.faults["traces"] = [TypeError("a bug of ours")]  # type: ignore[list-item]
    await harbour.look_on()
    assert "bug in the resync" in caplog.messages
    assert harbour.resync.healthy


async def test_what_runs_is_compared_every_minute_and_the_fleet_every_ten(harbour: Harbour) -> None:
    await harbour.resync.list_initial()
    await harbour.apply()
    assert await harbour.look_on(1) == ["jobs", "pods"]
    assert (await harbour.look_on(14)).count("tweetbots") == 1
    assert sum(harbour.naps) < 700


async def test_lists_that_take_long_are_asked_for_less_often(harbour: Harbour) -> None:
    def list_slowly(kind: Kind) -> None:
        harbour.clock += 2

    harbour.cluster.before_list = list_slowly
    await harbour.resync.list_initial()
    await harbour.apply()
    assert await harbour.look_on(2) == ["jobs", "pods"] * 2
    assert 72 <= harbour.naps[1] <= 88


async def test_where_nothing_runs_nothing_is_asked_for(harbour: Harbour) -> None:
    await harbour.apply()
    await harbour.whole_run()
    await harbour.resync.list_initial()
    assert await harbour.look_on(5) == []


@pytest.mark.parametrize("what", ["a Job that is ending", "a Pod that has not ended"])
async def test_what_is_waited_for_counts_as_running(harbour: Harbour, what: str) -> None:
    await harbour.apply()
    if what == "a Pod that has not ended":
        harbour.cluster.run_pod(harbour.job_name, NAMESPACE)
        harbour.cluster.end_job(harbour.job_name, NAMESPACE, "Failed")
    else:
        harbour.cluster.end_job(harbour.job_name, NAMESPACE, "Failed")
        (job,) = harbour.cache.jobs.list_all()
        await harbour.cluster.delete_job(job)
    await harbour.resync.list_initial()
    assert await harbour.look_on(1) == ["jobs", "pods"]


async def test_a_lost_deletion_of_what_runs_is_mended_at_the_next_look(harbour: Harbour) -> None:
    await harbour.resync.list_initial()
    await harbour.apply()
    harbour.cluster.intake = None
    harbour.cluster.remove("jobs", NAMESPACE, harbour.job_name)
    harbour.cluster.intake = harbour.intake
    await harbour.look_on(2)
    await harbour.settle()
    assert sum(harbour.naps[:2]) < 60
    assert len(harbour.cluster.names("jobs")) == 1


async def test_after_a_watch_began_anew_everything_is_compared_and_no_watch_counts_as_dead(harbour: Harbour) -> None:
    await harbour.resync.list_initial()
    await harbour.apply()
    harbour.cluster.intake = None
    for epochs in (2, 3):
        harbour.cluster.edit(NAMESPACE, NAME, training={"epochs": epochs})
        harbour.resync.mark_stale()
        assert "tweetbots" in await harbour.look_on(2)
    assert harbour.resync.healthy


async def test_a_comparison_that_failed_leaves_the_doubt(harbour: Harbour) -> None:
    await harbour.resync.list_initial()
    harbour.resync.mark_stale()
    harbour.cluster.faults["traces"] = [Unavailable("503")]
    assert await harbour.look_on(3) == ["tweetbots", "jobs", "pods"]


async def test_a_good_comparison_of_jobs_does_not_revive_the_watch_of_tweetbots(harbour: Harbour) -> None:
    await test_watches_that_lose_things_twice_in_a_row_are_dead(harbour)
    await harbour.resync.compare(("jobs", "pods"))
    assert not harbour.resync.healthy
