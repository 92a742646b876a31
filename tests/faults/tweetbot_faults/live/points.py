"""The points on a real API server: each fault at each write of each script, of which a seed chooses a sample."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from tweetbot_faults.evidence import Evidence
from tweetbot_faults.live.lab import LETHAL_LANES, SHARED_LANES, judge_play, open_bench
from tweetbot_faults.live.proxy import LETHAL, SURVIVABLE, Rule
from tweetbot_faults.point import Point, Verdict, Violation
from tweetbot_faults.runner import play_point

#: The writes of each script as they were learnt last: the plan must be known before a cluster runs. A script that
#: makes another number of writes is reported, and this is changed.
WRITES = {"succeed": 7, "fail": 3, "edit": 11, "suspend": 12, "delete": 2, "recreate": 9, "erase": 11}
ROWS = {
    **{"kill-after": 1, "kill-before": 11, "timeout-before": 15, "timeout-after": 15, "reset-after": 15},
    **{"409": 16, "500": 6, "503": 6, "429": 40, "429-bare": 40, "half-json": 61, "html": 61, "sent-twice": 15},
}


@dataclass(frozen=True)
class Place:
    """A fault at a write of a script."""

    script: str
    at: int
    fault: str

    @property
    def id(self) -> str:
        return f"live/write/{self.script}/{self.at}/{self.fault}"


def list_places() -> list[Place]:
    """Return every place."""
    faults = (*LETHAL, *SURVIVABLE)
    return [Place(name, at, fault) for name, writes in WRITES.items() for at in range(writes) for fault in faults]


def make_point(place: Place, play: Callable[[Place], list[Violation]]) -> Point:
    return Point(place.id, ROWS[place.fault], "live", lambda: play(place))


def choose_places(seed: int) -> list[str]:
    """Return the ids of the places that are played under this seed: one fault of each kind at every write or so."""
    chosen = []
    for number, place in enumerate(list_places()):
        share = 2 if place.fault in LETHAL else 4
        if (number + seed) % share == 0:
            chosen.append(place.id)
    return chosen


def play_live(ids: list[str], deadline: float) -> Iterator[Verdict]:
    """Play these places: those that the operator survives under one operator, then those that it does not."""
    wanted = [place for place in list_places() if place.id in set(ids)]
    with open_bench() as bench:
        learnt = bench.learn()
        if stray := {name: len(trace) for name, (trace, _) in learnt.items() if len(trace) < WRITES[name]}:
            raise RuntimeError(f"these scripts make fewer writes now: {json.dumps(stray)}")
        references = {name: seen for name, (_, seen) in learnt.items()}
        shared = [place for place in wanted if place.fault in SURVIVABLE]
        yield from _play_all(shared, bench.play_shared, references, SHARED_LANES, deadline)
        bench.end_shared()
        lethal = [place for place in wanted if place.fault in LETHAL]
        yield from _play_all(lethal, bench.play_alone, references, LETHAL_LANES, deadline)


def _play_all(
    places: list[Place],
    play: Callable[[str, Rule], tuple[Rule, Evidence]],
    references: dict[str, Evidence],
    lanes: int,
    deadline: float,
) -> Iterator[Verdict]:
    def play_place(place: Place) -> list[Violation]:
        rule, seen = play(place.script, Rule(place.at, place.fault))
        return judge_play(rule, seen, references[place.script])

    def play_in_time(place: Place) -> Verdict | None:
        return play_point(make_point(place, play_place)) if time.monotonic() < deadline else None

    with ThreadPoolExecutor(lanes) as pool:
        for future in as_completed([pool.submit(play_in_time, place) for place in places]):
            if verdict := future.result():
                yield verdict
