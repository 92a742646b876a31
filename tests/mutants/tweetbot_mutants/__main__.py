"""The command: `python -m tweetbot_mutants [--only MODULE-OR-ID] [--sample K] [--seed N] [--resume] [--jobs J]`."""

import argparse
import json
import os
import random
import sys
from dataclasses import asdict
from pathlib import Path

from tweetbot_mutants.ledger import FOLDER, Ledger
from tweetbot_mutants.mutations import list_mutants
from tweetbot_mutants.play import Outcome, Player
from tweetbot_mutants.report import Report, build_report, read_explanations
from tweetbot_mutants.targets import ROOT, TARGETS, Target


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="tweetbot_mutants", description=__doc__)
    parser.add_argument("--only", default="", help="modules whose name has this, or mutants whose id begins so")
    parser.add_argument("--sample", type=int, default=0, help="at most this many mutants of a module, by lot")
    parser.add_argument("--seed", type=int, default=0, help="of the lot")
    parser.add_argument("--resume", action="store_true", help="run only what has no verdict that still counts")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Play, report; answers 0 if every survivor is explained and every explanation has its mutant."""
    given = parse_arguments(arguments)
    os.chdir(ROOT)
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    outcomes = {target.module: _examine(target, given) for target in TARGETS if _is_wanted(target, given.only)}
    report = build_report(outcomes, read_explanations())
    _show(report, FOLDER / "report.json")
    return 0 if report.passed else 1


def _is_wanted(target: Target, only: str) -> bool:
    return only.partition(":")[0] in target.module


def _examine(target: Target, given: argparse.Namespace) -> dict[str, Outcome | None]:
    """Play what is wanted of a module, and return what is known of all its mutants."""
    mutants, ledger = list_mutants(target.module, target.path.read_text()), Ledger(target)
    wanted = [each for each in mutants if ":" not in given.only or each.id.startswith(given.only)]
    if 0 < given.sample < len(wanted):
        wanted = random.Random(given.seed).sample(wanted, given.sample)
    if wanted := [each for each in wanted if not (given.resume and ledger.find(each))]:
        print(f"{target.module}: {len(wanted)} mutants", file=sys.stderr, flush=True)
        for mutant, outcome in Player(target, given.jobs).play(wanted):
            ledger.put(mutant, outcome)
            if not outcome.killed:
                print(f"  survives, line {mutant.line}: {mutant.id}", file=sys.stderr, flush=True)
    return {each.id: ledger.find(each) for each in mutants}


def _show(report: Report, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(report), indent=1) + "\n")
    print(json.dumps(asdict(report), indent=1))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
