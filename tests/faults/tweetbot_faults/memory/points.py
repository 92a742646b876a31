"""The points at writes and watch events, planned from the trace of each workload as Sieve plans them."""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from tweetbot_faults.memory.faulty_cluster import FAULTS
from tweetbot_faults.memory.play import learn, play_watch_fault, play_write_fault
from tweetbot_faults.memory.watch import WATCH_FAULTS, WatchFault
from tweetbot_faults.memory.workloads import WORKLOADS
from tweetbot_faults.point import Point

#: The matrix's row of each fault.
WRITE_ROWS = {
    **{"kill-after": 1, "kill-before": 11, "timeout-before": 15, "timeout-after": 15, "reset-after": 15},
    **{"409": 16, "500": 6, "503": 6, "lease-lost": 13, "sent-twice": 15},
}
WATCH_ROWS = {"hidden": 9, "twice": 62, "late": 62, "stale": 10}
#: Workloads in which an object of the same name is another one: what is hidden there is a deletion and a creation.
SUCCESSORS = ("recreate", "suspend", "resize", "retry")


def plan_writes() -> Iterator[Point]:
    """Yield each fault at each effective write of each workload."""
    for workload in WORKLOADS:
        for number, write in enumerate(learn(workload).faulty.writes):
            for fault in FAULTS:
                id_ = f"memory/write/{workload}/{number}-{write.split()[0]}/{fault}"
                play = partial(play_write_fault, workload, number, fault)
                yield Point(id_, WRITE_ROWS[fault], "memory", play)


def plan_events() -> Iterator[Point]:
    """Yield each fault at each event of each workload, and each interval in which an object's events cancel out."""
    for workload in WORKLOADS:
        keys = learn(workload).watch.keys
        for number, (kind, _) in enumerate(keys):
            for fault in WATCH_FAULTS:
                id_ = f"memory/event/{workload}/{number}-{kind}/{fault}"
                play = partial(play_watch_fault, workload, WatchFault(number, fault))
                yield Point(id_, WATCH_ROWS[fault], "memory", play)
        for first, last in _find_intervals(keys):
            id_ = f"memory/event/{workload}/{first}..{last}/hidden"
            play = partial(play_watch_fault, workload, WatchFault(first, "hidden", last))
            yield Point(id_, 8 if workload in SUCCESSORS else 9, "memory", play)


def _find_intervals(keys: list[tuple[str, str]]) -> Iterator[tuple[int, int]]:
    """Yield from each event of an object to its last, with all that others show meanwhile."""
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        places[key].append(number)
    for numbers in places.values():
        yield from ((number, numbers[-1]) for number in numbers[:-1])
