"""The work queue: each key once, never two workers on one, no namespace first, failures with backoff."""

import asyncio
from collections import Counter

import pytest

from builders.operator import SETTINGS
from tweetbot_operator.informers.workqueue import WorkQueue
from tweetbot_operator.manager import create_work_queue
from tweetbot_operator.types.objects import Key

GULL, TERN = ("team-a", "gull"), ("team-a", "tern")


class Clock:
    """A clock in the test's hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> WorkQueue:
    return WorkQueue(clock, jitter=lambda low, high: (low + high) / 2)


def drained(queue: WorkQueue) -> list[Key]:
    keys = []
    while taken := queue.pop_ready():
        keys.append(taken[0])
        queue.done(taken[0])
    return keys


def test_a_key_added_twice_is_processed_once(queue: WorkQueue) -> None:
    queue.add(GULL)
    queue.add(GULL)
    assert drained(queue) == [GULL]


def test_a_key_being_processed_is_given_to_nobody_else(queue: WorkQueue) -> None:
    queue.add(GULL)
    assert queue.pop_ready() is not None
    queue.add(GULL)
    assert queue.pop_ready() is None


def test_a_key_added_while_it_is_processed_is_processed_again(queue: WorkQueue) -> None:
    queue.add(GULL)
    queue.pop_ready()
    queue.add(GULL)
    queue.add(GULL)
    queue.done(GULL)
    assert drained(queue) == [GULL]


def test_a_key_added_before_its_pass_reads_the_cache_needs_no_other_pass(queue: WorkQueue) -> None:
    queue.add(("team-a", "gull"))
    (key, _) = queue.pop_ready() or (("", ""), 0.0)
    queue.add(key)
    queue.mark_seen(key)
    queue.done(key)
    assert queue.pop_ready() is None


def test_a_key_added_after_that_does(queue: WorkQueue) -> None:
    queue.add(("team-a", "gull"))
    (key, _) = queue.pop_ready() or (("", ""), 0.0)
    queue.mark_seen(key)
    queue.add(key)
    queue.done(key)
    assert queue.pop_ready() == (key, 0.0)


def test_one_namespace_with_many_keys_does_not_hold_up_another(queue: WorkQueue) -> None:
    flood = [("team-a", str(number)) for number in range(100)]
    for key in [*flood, ("team-b", "gull")]:
        queue.add(key)
    assert drained(queue).index(("team-b", "gull")) == 1


def test_a_key_due_later_is_ready_then(queue: WorkQueue, clock: Clock) -> None:
    queue.add_after(GULL, 10)
    clock.now = 9.9
    assert drained(queue) == []
    clock.now = 10
    assert drained(queue) == [GULL]


def test_a_later_request_replaces_the_earlier_one(queue: WorkQueue, clock: Clock) -> None:
    queue.add_after(GULL, 10)
    queue.add_after(GULL, 20)
    clock.now = 15
    assert drained(queue) == []
    clock.now = 20
    assert drained(queue) == [GULL]


def test_a_request_can_be_withdrawn(queue: WorkQueue, clock: Clock) -> None:
    queue.add_after(GULL, 10)
    queue.add_after(GULL, None)
    clock.now = 100
    assert drained(queue) == []


def test_pauses_after_failures_double_up_to_five_minutes(queue: WorkQueue) -> None:
    assert [queue.add_rate_limited(GULL) for _ in range(11)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_success_resets_the_backoff(queue: WorkQueue) -> None:
    queue.add_rate_limited(GULL)
    queue.add_rate_limited(GULL)
    queue.forget(GULL)
    assert queue.add_rate_limited(GULL) == 1


def test_pauses_are_spread_by_a_fifth(clock: Clock) -> None:
    drawn: list[tuple[float, float]] = []

    def jitter(low: float, high: float) -> float:
        drawn.append((low, high))
        return low

    assert WorkQueue(clock, jitter).add_rate_limited(GULL) == 0.8
    assert drawn == [(0.8, 1.2)]


def test_a_thousand_failures_are_no_overflow(queue: WorkQueue) -> None:
    assert [queue.add_rate_limited(GULL) for _ in range(2000)][-1] == 300


def test_the_time_that_a_key_waited_is_returned(queue: WorkQueue, clock: Clock) -> None:
    queue.add(GULL)
    clock.now = 3
    assert queue.pop_ready() == (GULL, 3)


def test_a_namespace_whose_passes_hang_leaves_room_for_others(clock: Clock) -> None:
    queue = WorkQueue(clock, max_per_namespace=2)
    for key in [("team-a", str(number)) for number in range(5)]:
        queue.add(key)
    assert [queue.pop_ready(), queue.pop_ready(), queue.pop_ready()] == [
        (("team-a", "0"), 0),
        (("team-a", "1"), 0),
        None,
    ]
    queue.add(("team-b", "gull"))
    assert queue.pop_ready() == (("team-b", "gull"), 0)
    queue.done(("team-a", "0"))
    assert queue.pop_ready() == (("team-a", "2"), 0)


def test_the_namespace_with_the_fewest_passes_is_next(queue: WorkQueue) -> None:
    """In turn, a namespace whose passes take long would have as many begun as one whose passes are over at once."""
    for number in range(3):
        queue.add(("team-a", str(number)))
    taken = [queue.pop_ready() for _ in range(2)]
    queue.add(("team-b", "gull"))
    queue.add(("team-b", "tern"))
    taken += [queue.pop_ready() for _ in range(2)]
    assert [key for key, _ in filter(None, taken)] == [
        ("team-a", "0"),
        ("team-a", "1"),
        ("team-b", "gull"),
        ("team-b", "tern"),
    ]


def test_of_namespaces_with_as_many_passes_the_one_not_served_for_longest_is_next(queue: WorkQueue) -> None:
    for namespace in ("team-a", "team-b", "team-c"):
        queue.add((namespace, "gull"))
        queue.add((namespace, "tern"))
    assert [namespace for namespace, _ in drained(queue)] == ["team-a", "team-b", "team-c"] * 2


async def test_a_worker_wakes_when_its_namespace_has_room_again(clock: Clock) -> None:
    queue = WorkQueue(clock, max_per_namespace=1)
    queue.add(GULL)
    queue.add(TERN)
    assert queue.pop_ready() is not None
    worker = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.done(GULL)
    assert (await worker)[0] == TERN


def test_a_tenant_with_a_thousand_does_not_delay_the_next_one(clock: Clock, queue: WorkQueue) -> None:
    """A pass takes ten milliseconds here; the other tenants' news wait for one pass of the flood's each at the most."""
    for number in range(1000):
        queue.add(("flood", str(number)))
    waited = []
    while taken := queue.pop_ready():
        if taken[0][0] != "flood":
            waited.append(taken[1])
        clock.now += 0.01
        queue.done(taken[0])
        if len(waited) < 50:
            queue.add((f"team-{len(waited)}", "gull"))
    assert len(waited) == 50
    assert max(waited) <= 0.0201


async def test_a_worker_waits_for_the_next_key(queue: WorkQueue) -> None:
    worker = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add(TERN)
    assert (await worker)[0] == TERN


async def test_two_waiting_workers_share_two_keys(queue: WorkQueue) -> None:
    workers = [asyncio.create_task(queue.get()) for _ in range(2)]
    await asyncio.sleep(0)
    queue.add(GULL)
    queue.add(TERN)
    assert {key for key, _ in await asyncio.gather(*workers)} == {GULL, TERN}


async def test_a_worker_wakes_for_what_falls_due() -> None:
    queue = WorkQueue(asyncio.get_running_loop().time)
    queue.add_after(GULL, 0.01)
    assert (await asyncio.wait_for(queue.get(), 5))[0] == GULL


def test_its_length_counts_what_is_ready(queue: WorkQueue) -> None:
    queue.add(GULL)
    queue.add(TERN)
    queue.add_after(("team-b", "gull"), 5)
    assert len(queue) == 2


def test_a_forgotten_key_is_due_no_more(queue: WorkQueue, clock: Clock) -> None:
    queue.add_rate_limited(GULL)
    queue.remove(GULL)
    clock.now = 1000
    assert drained(queue) == []


@pytest.mark.parametrize("workers", [12, 9, 3])
def test_a_namespace_has_a_third_of_the_workers(workers: int) -> None:
    """Its requests wait in the API server before those of others, and each may hang in a webhook of its own."""
    queue = create_work_queue(SETTINGS.model_copy(update={"workers": workers}))
    namespaces = ("team-a", "team-b", "team-c")
    for namespace in namespaces:
        for number in range(workers):
            queue.add((namespace, str(number)))
    taken = Counter[str]()
    while one := queue.pop_ready():
        taken[one[0][0]] += 1
    assert taken == dict.fromkeys(namespaces, workers // 3)


def test_a_single_worker_serves_every_namespace() -> None:
    queue = create_work_queue(SETTINGS.model_copy(update={"workers": 1}))
    queue.add(GULL)
    assert queue.pop_ready() is not None
