"""`make bench-trainer`: print the figures as JSON on stdout, what goes on meanwhile on stderr.

Every contender runs once a round, each round in another order, so that all meet the same machine; what counts are
ratios of medians.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from tweetbot_trainer_bench.contender import CONTENDERS
from tweetbot_trainer_bench.material import SHAPES, write_material

FIGURES = ("tokens_per_second", "first_step_after_seconds", "peak_rss_mib")
OURS = "ours"
#: Multiplications and additions of the square matrices whose product tells what the machine can do.
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
    """Measure, print."""
    asked = _asked()
    with tempfile.TemporaryDirectory() as folder:
        write_material(Path(folder), SHAPES[asked.shape], posts=60 * asked.steps)
        rounds = [_round(number, asked, Path(folder)) for number in range(asked.rounds)]
    json.dump(_told(asked, rounds), sys.stdout, indent=2)
    print()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-trainer", description=__doc__)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="bench-mini")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=30, help="optimizer steps, the first five of them not counted")
    parser.add_argument("--only", nargs="*", choices=sorted(CONTENDERS), default=list(CONTENDERS))
    return parser.parse_args()


def _round(number: int, asked: argparse.Namespace, folder: Path) -> dict[str, dict[str, float]]:
    order = list(asked.only)
    Random(number).shuffle(order)
    found: dict[str, dict[str, float]] = {"machine": {"flops": float(_output([sys.executable, "-c", _MATMUL]))}}
    for name in order:
        module = "tweetbot_trainer_bench.contender"
        command = [sys.executable, "-m", module, name, asked.shape, str(asked.steps), str(folder)]
        found[name] = json.loads(_output(command).splitlines()[-1])
        print(f"round {number + 1}: {name}: {found[name]['tokens_per_second']:.0f} tokens/s", file=sys.stderr)
    return found


def _output(command: Sequence[str]) -> str:
    threads = str(len(os.sched_getaffinity(0)))
    quiet = {"OMP_NUM_THREADS": threads, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    ended = subprocess.run(command, env=os.environ | quiet, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{command[-4:]} ended with {ended.returncode}:\n{ended.stderr[-3000:]}")
    return ended.stdout


def _told(asked: argparse.Namespace, rounds: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, Any]:
    def median(name: str, figure: str) -> float:
        return statistics.median(one[name][figure] for one in rounds)

    flops = median("machine", "flops")
    table = {name: {figure: round(median(name, figure), 2) for figure in FIGURES} for name in asked.only}
    for figures in table.values():
        needed = figures["tokens_per_second"] * SHAPES[asked.shape].flops_per_token()
        figures["share_of_matmul_limit"] = round(needed / flops, 3)
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
        "shape": asked.shape,
        "rounds": asked.rounds,
        "steps": asked.steps,
        "matmul_gflops": round(flops / 1e9, 1),
        "contenders": table,
        "ours_to_each": {name: _ratios(rounds, name) for name in asked.only if name != OURS and OURS in asked.only},
    }


def _ratios(rounds: Sequence[Mapping[str, Mapping[str, float]]], other: str) -> dict[str, float]:
    """Return the median over the rounds of ours divided by the other's; each ratio stems from one round."""
    return {
        figure: round(statistics.median(one[OURS][figure] / one[other][figure] for one in rounds), 3)
        for figure in FIGURES
    }


if __name__ == "__main__":
    main()
