"""Plays points, most in processes of their own, keeps each verdict at once, and stops when the time is up."""

import logging
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from tweetbot_faults.point import NeverCame, Point, Verdict, Violation

#: Told the ids of all points of a laboratory; answers those that are to be played.
Select = Callable[[list[str]], list[str]]
#: Points played in one go by a worker process: each takes milliseconds.
_BATCH = 50


def play_point(point: Point) -> Verdict:
    """Play one point; whatever it raises is a violation."""
    began, played = time.monotonic(), True
    try:
        violations = point.play()
    except NeverCame:
        violations, played = [], False
    except Exception as error:  # noqa: BLE001  # whatever a point raises is its verdict
        where = traceback.extract_tb(error.__traceback__)[-1]
        violations = [Violation("harness", f"{type(error).__name__}: {error} ({where.name}:{where.lineno})"[:400])]
    seen = tuple(map(str, violations))
    took = round(time.monotonic() - began, 3)
    return Verdict(point.id, point.row, point.level, not seen, took, seen, point.faults, played)


def _play_batch(plan: Callable[[], Sequence[Point]], ids: list[str]) -> list[Verdict]:
    logging.disable(logging.CRITICAL)
    wanted = set(ids)
    return [play_point(point) for point in plan() if point.id in wanted]


def play_in_processes(
    plan: Callable[[], Sequence[Point]], select: Select, seed: int, deadline: float
) -> Iterator[Verdict]:
    """Play points that `plan`, a function that a process can find by name, makes again there."""
    ids = select([point.id for point in plan()])
    batches = [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
        waiting = [pool.submit(_play_batch, plan, batch) for batch in batches]
        for future in waiting:
            if time.monotonic() > deadline:
                future.cancel()
            else:
                yield from future.result()


def say(line: str) -> None:
    """Tell a person how far it is; stdout belongs to the figures."""
    print(line, file=sys.stderr, flush=True)
