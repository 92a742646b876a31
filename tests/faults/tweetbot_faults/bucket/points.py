"""The points on a real S3 server: each fault at each request of a publication."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial

from tweetbot_faults.bucket.lab import Lab, open_lab
from tweetbot_faults.bucket.proxy import Rule
from tweetbot_faults.point import Point, Verdict, Violation
from tweetbot_faults.runner import Select, play_point

#: Rows, and each how many requests one is played: a stall costs seconds.
FAULTS = {
    **{"kill-before": (2, 1), "kill-after": (2, 1), "500": (28, 1), "500-after": (28, 1), "slow-down": (30, 2)},
    **{"reset-after": (30, 2), "short": (30, 2), "stall": (30, 5), "outage": (29, 3), "409": (28, 1), "412": (28, 1)},
}
#: Rows of two Pods at once, and of a second run whose kills a reader must not notice.
RACE_ROW, SECOND_ROW = 27, 31
LANES = 3


@dataclass(frozen=True)
class Place:
    """A fault at a request of the first or the second run."""

    kind: str
    at: int
    fault: str
    row: int

    @property
    def id(self) -> str:
        return f"bucket/{self.kind}/{self.at}/{self.fault}"

    def play(self, lab: Lab) -> list[Violation]:
        if self.kind == "race":
            return lab.play_race(self.at)
        return lab.play(Rule(self.at, self.fault), second=self.kind == "second")


def list_places(lab: Lab) -> list[Place]:
    """Publish once and twice without a fault, and return every place at the requests that this takes."""
    first, second = lab.learn(), lab.learn(second=True)
    requests = range(len(first.trace))
    places = [
        Place("first", at, fault, row)
        for fault, (row, step) in FAULTS.items()
        for at in (first.conditional if fault in ("409", "412") else requests[::step])
    ]
    kills = ("kill-before", "kill-after")
    places += [Place("second", at, fault, SECOND_ROW) for fault in kills for at in range(len(second.trace))]
    return places + [Place("race", at, "hold", RACE_ROW) for at in requests]


def play_bucket(select: Select, seed: int, deadline: float) -> Iterator[Verdict]:
    """Play the places that are selected, some at a time; which, is no matter of chance."""
    with open_lab() as lab:
        places = list_places(lab)
        wanted = set(select([place.id for place in places]))

        def play(place: Place) -> Verdict | None:
            point = Point(place.id, place.row, "bucket", partial(place.play, lab))
            return play_point(point) if time.monotonic() < deadline else None

        with ThreadPoolExecutor(LANES) as pool:
            futures = [pool.submit(play, place) for place in places if place.id in wanted]
            for future in as_completed(futures):
                if verdict := future.result():
                    yield verdict
