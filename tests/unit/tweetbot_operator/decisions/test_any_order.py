"""Whatever happens in whatever order, kills included: one live Job at a time, silence at rest, a model in the end."""

import asyncio
from collections.abc import Awaitable, Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.operator import a_prepare_result, a_refusal_of_the_trainer, a_train_result
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.result import encode
from tweetbot_fakes.kubernetes.cluster import FakeCluster


class Killed(Exception):
    """The operator's process is no more."""


class Sea:
    """A stage on which anything may happen; each method is one thing that does."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.kill_in: int | None = None
        self.stage.cluster.after_write = self._after_write

    def _after_write(self, write: str) -> None:
        self.check()
        if self.kill_in is not None:
            self.kill_in -= 1
            if self.kill_in < 0:
                self.kill_in = None
                raise Killed(write)

    @property
    def cluster(self) -> FakeCluster:
        return self.stage.cluster

    async def rest(self) -> None:
        """Let the operator come to rest, restarting it when it is killed; at rest it has nothing more to write."""
        while True:
            try:
                await self.stage.settle()
            except Killed:
                self.stage.start_operator()
            else:
                break
        before = list(self.cluster.writes)
        self.stage.queue.add((NAMESPACE, NAME))
        await self.stage.settle()
        assert self.cluster.writes == before
        self.check()

    def check(self) -> None:
        """What must hold at every instant."""
        jobs = [item for item in self.cluster.objects_of("jobs")]
        assert sum(not job.finished for job in jobs) <= 1  # type: ignore[union-attr]

    def check_at_rest(self) -> None:
        bot = self.cluster.objects["tweetbots", NAMESPACE, NAME]
        status = self.stage.status
        assert status.observed_generation == bot["metadata"]["generation"]
        assert status.phase
        assert status.current_run is not None

    # ---- what may happen

    async def edit_what_is_trained(self, number: int) -> None:
        self.cluster.edit(NAMESPACE, NAME, filter={"minWords": number % 3 + 1})

    async def edit_how_it_is_run(self, number: int) -> None:
        self.cluster.edit(NAMESPACE, NAME, resources={"memory": f"{number % 3 + 8}Gi"})

    async def suspend_or_resume(self, number: int) -> None:
        self.cluster.edit(NAMESPACE, NAME, suspend=bool(number % 2))

    async def ask_for_another_run(self, number: int) -> None:
        self.cluster.annotate(NAMESPACE, NAME, {"tweetbot.dev/retrain-at": str(number % 3)} if number % 4 else {})

    async def end_well(self, number: int) -> None:
        for name in self._live():
            result = a_train_result() if name.endswith("-train") else a_prepare_result()
            self.cluster.end_pod(name, NAMESPACE, 0, encode(result).decode())
            self.cluster.end_job(name, NAMESPACE, "Complete")

    async def end_badly(self, number: int) -> None:
        for name in self._live():
            said = encode(a_refusal_of_the_trainer()).decode()
            self.cluster.end_pod(name, NAMESPACE, (10, 75, 1)[number % 3], said)
            self.cluster.end_job(name, NAMESPACE, "Failed", reason="BackoffLimitExceeded", failed=1)

    async def end_beside_a_sidecar(self, number: int) -> None:
        """Let the trainer end while another container keeps its Pod, so that the Job does not."""
        for name in self._live():
            code = (0, 10, 75, 1)[number % 4]
            said = a_train_result() if name.endswith("-train") else a_prepare_result()
            message = encode(a_refusal_of_the_trainer() if code else said).decode()
            times = {"startedAt": "2026-01-01T12:00:00Z", "finishedAt": "2026-01-01T12:00:00Z"}
            ended = {"name": "trainer", "state": {"terminated": {"exitCode": code, "message": message, **times}}}
            proxy = {"name": "proxy", "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}
            self.cluster.run_pod(name, NAMESPACE, containerStatuses=[proxy, ended])

    async def lose_pods(self, number: int) -> None:
        for name in self.cluster.names("pods"):
            self.cluster.remove("pods", NAMESPACE, name)

    async def collect_garbage(self, number: int) -> None:
        self.cluster.collect_garbage()

    async def let_time_pass(self, number: int) -> None:
        await self.stage.wait((10, 200, 3700)[number % 3])

    async def restart_the_operator(self, number: int) -> None:
        self.stage.start_operator()

    async def kill_at_a_later_write(self, number: int) -> None:
        self.kill_in = number % 3

    def _live(self) -> list[str]:
        jobs = self.cluster.objects_of("jobs")
        return [job.name for job in jobs if not job.finished and not job.deleting]  # type: ignore[union-attr]


Happening = Callable[[Sea, int], Awaitable[None]]
HAPPENINGS: list[Happening] = [
    Sea.edit_what_is_trained,
    Sea.edit_how_it_is_run,
    Sea.suspend_or_resume,
    Sea.ask_for_another_run,
    Sea.end_well,
    Sea.end_badly,
    Sea.end_beside_a_sidecar,
    Sea.lose_pods,
    Sea.collect_garbage,
    Sea.let_time_pass,
    Sea.restart_the_operator,
    Sea.kill_at_a_later_write,
]


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, 11)), max_size=25))
def test_any_order_of_events_ends_in_a_model_once_they_stop(story: list[tuple[Happening, int]]) -> None:
    asyncio.run(played(story))


async def played(story: list[tuple[Happening, int]]) -> None:
    sea = Sea()
    await sea.stage.apply()
    for happening, number in story:
        try:
            await happening(sea, number)
        except Killed:
            sea.stage.start_operator()
        await sea.rest()
        sea.check_at_rest()
    await peace(sea)
    assert sea.stage.status.phase == "Succeeded"


async def peace(sea: Sea) -> None:
    """Ask for a model that no earlier failure stands against, and let everything go well from here."""
    sea.kill_in = None
    sea.cluster.edit(NAMESPACE, NAME, suspend=False, filter={"minWords": 9})
    for _ in range(6):
        await sea.rest()
        sea.cluster.collect_garbage()
        await sea.rest()
        await sea.end_well(0)
    await sea.rest()
