"""The points on a real API server: each fault at each write of each script, of which a seed chooses a sample."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from tweetbot_faults.evidence import Evidence
from tweetbot_faults.live.away import plan_away
from tweetbot_faults.live.lab import LETHAL_LANES, SHARED_LANES, judge_play, open_bench
from tweetbot_faults.live.proxy import LETHAL, SURVIVABLE, Rule
from tweetbot_faults.point import Point, Verdict, Violation
from tweetbot_faults.runner import Select, play_point

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


def list_places(writes: dict[str, int]) -> list[Place]:
    """Return every place, by the writes of each script."""
    faults = (*LETHAL, *SURVIVABLE)
    return [Place(name, at, fault) for name, number in writes.items() for at in range(number) for fault in faults]


def make_point(place: Place, play: Callable[[Place], list[Violation]]) -> Point:
    return Point(place.id, ROWS[place.fault], "live", lambda: play(place))


def choose_places(places: list[Place], seed: int) -> list[Place]:
    """Return those that are played under this seed: a third of the kills, a fifth of the others."""
    shares = {place: 3 if place.fault in LETHAL else 5 for place in places}
    return [place for number, place in enumerate(places) if (number + seed) % shares[place] == 0]


def play_live(select: Select, seed: int, deadline: float) -> Iterator[Verdict]:
    """Play what the operator survives under one operator for all, then the rest under one each."""
    with open_bench() as bench:
        learnt = bench.learn()
        references = {name: seen for name, (_, seen) in learnt.items()}
        # How often a status is reworded on the way differs, so that the last writes of a long script may never come.
        away = list(plan_away(bench, references))
        places = choose_places(list_places({name: _count_sure(trace) for name, (trace, _) in learnt.items()}), seed)
        chosen = set(select([*(place.id for place in places), *(point.id for point in away)]))
        wanted = [place for place in places if place.id in chosen]
        shared = [place for place in wanted if place.fault in SURVIVABLE]
        yield from _play_all(shared, bench.play_shared, references, SHARED_LANES, deadline)
        bench.end_shared()
        lethal = [place for place in wanted if place.fault in LETHAL]
        yield from _play_all(lethal, bench.play_alone, references, LETHAL_LANES, deadline)
        yield from (play_point(point) for point in away if point.id in chosen and time.monotonic() < deadline)


def _count_sure(trace: list[str]) -> int:
    """Return how many writes come in any case: all but every other one of those of a status."""
    statuses = sum(write.startswith("PATCH") for write in trace)
    return len(trace) - max(statuses - 3, 0)


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
