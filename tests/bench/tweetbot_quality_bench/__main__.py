"""`make bench-quality`: print the figures as JSON on stdout, and progress on stderr.

A run downloads the texts, trains the base, and lets every recipe start from it. `--base FOLDER` keeps the base, or
uses one that was kept: for experiments (docs/experiments.md).
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tweetbot_quality_bench.base import FAMILIES, PASSES, format_progress, write_base
from tweetbot_quality_bench.contest import BASE, RATES, RECIPES, Task, resolve_values, run_task
from tweetbot_quality_bench.small import CONTENDERS, SIZES, make_small_tasks, summarize_sizes
from tweetbot_quality_bench.texts import ACCOUNTS, MANY, Texts, read_texts
from tweetbot_quality_bench.verdict import compare_recipes
from tweetbot_trainer.learning.model.scratch import SHAPES
from tweetbot_trainer.learning.training.callbacks import Callbacks
from tweetbot_trainer.learning.training.metrics import TrainingProgress

#: Pre-training steps between two lines of progress.
_EVERY = 100


def main() -> None:
    """Train the base, let every recipe learn every account, and print."""
    asked, begun = parse_arguments(), time.monotonic()
    texts = read_texts()
    with tempfile.TemporaryDirectory() as folder:
        start = asked.scratch or prepare_base(asked.base or Path(folder), texts, asked.passes, asked.family)
        found = list(_run_tasks([*_make_tasks(asked, texts), *_make_small_tasks(asked, texts)], start))
    results, small = ([one for one in found if (one["size"] is not None) == cut] for cut in (False, True))
    figures = {
        **describe_machine(),
        "seconds": round(time.monotonic() - begun),
        "results": results,
        **compare_recipes(results),
        "small": {"results": small, "sizes": summarize_sizes(small)},
    }
    json.dump(figures, sys.stdout, indent=2)
    print()


def describe_machine() -> dict[str, str]:
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    cpus = len(os.sched_getaffinity(0))
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit.stdout.strip(),
        "machine": f"{platform.machine()}, {cpus} processors, Python {platform.python_version()}",
    }


def parse_arguments() -> argparse.Namespace:
    """Parse what a run is asked for. Experiments, which change the recipes, leave small accounts out unless asked."""
    parser = argparse.ArgumentParser(prog="make bench-quality", description=__doc__)
    parser.add_argument("--base", type=Path, help="a folder for the base; one that is there is not trained again")
    parser.add_argument("--family", choices=FAMILIES, default="gpt2", help="of the base that is trained")
    parser.add_argument(
        "--scratch", nargs="?", choices=list(SHAPES), const="scratch://mini", help="start from random weights"
    )
    parser.add_argument("--recipes", nargs="*", choices=RECIPES, default=RECIPES)
    parser.add_argument("--accounts", nargs="*", choices=(*ACCOUNTS, MANY), default=ACCOUNTS)
    parser.add_argument("--rates", nargs="*", type=float, default=RATES)
    parser.add_argument("--texts", type=int, default=1000, help="texts to generate for the verbatim rate; 0: none")
    parser.add_argument("--shares", nargs="*", type=float, default=(1.0,), help="of the way from base to tuned weights")
    parser.add_argument(
        "--sizes", nargs="*", type=int, help="posts that small accounts are cut to; none in experiments"
    )
    parser.add_argument("--small", nargs="*", choices=CONTENDERS, default=CONTENDERS, help="who learns small accounts")
    parser.add_argument("--passes", type=int, default=PASSES, help="how often the base reads its texts")
    parser.add_argument("--set", nargs="*", default=(), metavar="FIELD=VALUE,…", help="each is another contender")
    asked = parser.parse_args()
    if asked.sizes is None:
        asked.sizes = (
            () if asked.scratch or asked.set or asked.family != "gpt2" or tuple(asked.recipes) != RECIPES else SIZES
        )
    if MANY in asked.accounts and not asked.scratch:
        parser.error(f"--accounts {MANY} is what the base was trained on: add --scratch")
    return asked


def prepare_base(folder: Path, texts: Texts, passes: int = PASSES, family: str = "gpt2") -> Path:
    if not (folder / "config.json").exists():
        write_base(texts.pretraining, folder, passes, tell=Callbacks(on_progress=_print_progress), family=family)
    return folder


def _make_tasks(asked: argparse.Namespace, texts: Texts) -> Iterator[Task]:
    """Yield a task for every account, recipe, and change of the recipe."""
    for account in asked.accounts:
        for recipe in asked.recipes:
            for change in ("", *asked.set):
                plain = resolve_values(recipe, asked.scratch or BASE, family=asked.family)
                values = replace(plain, **_parse_changes(change))
                yield Task(
                    f"{recipe} {change}".strip(),
                    account,
                    texts.accounts[account],
                    values,
                    tuple(asked.rates),
                    asked.texts,
                    tuple(asked.shares),
                )


def _make_small_tasks(asked: argparse.Namespace, texts: Texts) -> Iterator[Task]:
    accounts = [name for name in asked.accounts if name != MANY]
    changes = [_parse_changes(change) for change in ("", *asked.set)]
    return make_small_tasks(
        texts, accounts, asked.sizes, contenders=tuple(asked.small), changes=changes, samples=asked.texts
    )


def _parse_changes(text: str) -> dict[str, Any]:
    pairs = [pair.split("=", 1) for pair in re.split(r",(?=[a-z_]+=)", text) if pair]
    return {name: _parse_value(value) for name, value in pairs}


def _parse_value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _run_tasks(tasks: list[Task], start: Path | str) -> Iterator[dict[str, Any]]:
    """Yield each task's figures; as many run at once as there are cores, each on one."""
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), get_context("spawn")) as pool:
        for found in pool.map(partial(run_task, start=start), tasks):
            print(json.dumps(found), file=sys.stderr, flush=True)
            yield found


def _print_progress(progress: TrainingProgress) -> None:
    if progress.step % _EVERY == 0:
        print(format_progress(progress), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
