"""`make bench-trainer`: print the figures as JSON on stdout, and progress on stderr.

Every contender runs once per round in its own process, each round in another order, so that all find the same
machine. What counts are ratios within a round; the medians over the rounds are printed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from tweetbot_trainer_bench.contender import CONTENDERS, list_contenders
from tweetbot_trainer_bench.figures import Round, summarize
from tweetbot_trainer_bench.material import SCHEDULES, SHAPES, write_material

#: Side of the square matrices whose product measures the machine.
_SIDE = 2048
_MATMUL = f"""
import time, torch
a, b = torch.randn({_SIDE}, {_SIDE}), torch.randn({_SIDE}, {_SIDE})
a @ b
begun = time.perf_counter()
for _ in range(10): a @ b
print(20 * {_SIDE} ** 3 / (time.perf_counter() - begun))
"""


def main() -> None:
    """Measure and print."""
    asked, begun = _parse_arguments(), time.monotonic()
    found = [summarize(shape, _run_rounds(shape, asked)) for shape in asked.shapes]
    quality = json.loads(asked.quality.read_text())["recipes"] if asked.quality else None
    machine = f"{platform.machine()}, {_get_cpu_name()}, {len(os.sched_getaffinity(0))} processors"
    run = {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _run_command(["git", "rev-parse", "--short", "HEAD"]).strip(),
        "machine": f"{machine}, Python {platform.python_version()}",
        "seconds": round(time.monotonic() - begun),
        "shapes": found,
        "quality": quality,
    }
    json.dump(run, sys.stdout, indent=2)
    print()


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-trainer", description=__doc__)
    parser.add_argument("--shapes", nargs="*", choices=sorted(SHAPES), default=list(SHAPES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, help="optimizer steps of each contender; default: the shape's")
    parser.add_argument("--only", nargs="*", choices=sorted(CONTENDERS), help="run only these contenders")
    parser.add_argument("--quality", type=Path, help="JSON of make bench-quality, shown beside the speed")
    return parser.parse_args()


def _run_rounds(shape: str, asked: argparse.Namespace) -> list[Round]:
    names = asked.only or list_contenders(shape)
    steps = asked.steps or SCHEDULES[shape].steps
    rounds: list[Round] = []
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        write_material(Path(folder), SHAPES[shape], posts=60 * steps)
        for number in range(asked.rounds):
            rounds.append(_run_round(number, names, [shape, str(steps), folder]))
            left = (time.monotonic() - begun) / len(rounds) * (asked.rounds - len(rounds))
            print(f"{shape}: round {number + 1} of {asked.rounds} done, {left / 60:.0f} min left", file=sys.stderr)
    return rounds


def _run_round(number: int, names: Sequence[str], arguments: Sequence[str]) -> Round:
    order = list(names)
    Random(number).shuffle(order)
    found: dict[str, dict[str, Any]] = {"machine": {"flops": float(_run_command([sys.executable, "-c", _MATMUL]))}}
    for name in order:
        begun = time.monotonic()
        command = [sys.executable, "-m", "tweetbot_trainer_bench.contender", name, *arguments]
        found[name] = json.loads(_run_command(command).splitlines()[-1])
        speed, seconds = found[name]["tokens_per_second"], time.monotonic() - begun
        print(f"  {arguments[0]}: {name}: {speed:.0f} tokens/s ({seconds:.0f} s)", file=sys.stderr, flush=True)
    return found


def _run_command(command: Sequence[str]) -> str:
    threads = str(len(os.sched_getaffinity(0)))
    quiet = {"OMP_NUM_THREADS": threads, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    ended = subprocess.run(command, env=os.environ | quiet, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{command[-4:]} ended with {ended.returncode}:\n{ended.stderr[-3000:]}")
    return ended.stdout


def _get_cpu_name() -> str:
    from tweetbot_trainer.learning.training.device import parse_cpu_name

    return parse_cpu_name(Path("/proc/cpuinfo").read_text())


if __name__ == "__main__":
    main()
