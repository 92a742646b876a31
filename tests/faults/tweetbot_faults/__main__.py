"""The command: `python -m tweetbot_faults [--seed N] [--only PREFIX] [--minutes M] [--resume] [--no-page]`."""

import argparse
import sys
import time
from pathlib import Path

from tweetbot_faults.ledger import FOLDER, ROOT, Header, Ledger, name_commit
from tweetbot_faults.plan import LABS, Lab
from tweetbot_faults.report import Report, render
from tweetbot_faults.runner import say
from tweetbot_faults.teeth.bite import bite_all

PAGE = ROOT / "docs" / "reliability.md"


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return the command line; the seed is the commit's by default, so that each draws another sample."""
    parser = argparse.ArgumentParser(prog="tweetbot_faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="which sample of the costly points is played")
    parser.add_argument("--only", default="", help="points whose id begins so, or a level")
    parser.add_argument("--minutes", type=float, default=38.0, help="after which no further point begins")
    parser.add_argument(
        "--resume", action="store_true", help="go on with an interrupted run of the same commit and seed"
    )
    parser.add_argument("--no-page", action="store_true", help="leave docs/reliability.md alone")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Play, report, write the page; answers 0 if everything that was played survived."""
    given, began = parse_arguments(arguments), time.monotonic()
    commit = name_commit()
    seed = given.seed if given.seed is not None else int(commit[:6] or "0", 16) % 1000
    ledger = Ledger(Header(commit, seed), resume=given.resume)
    deadline = began + 60 * given.minutes
    planned = 0
    for lab in LABS:
        wanted = [each for each in lab.choose(seed) if each.startswith(given.only)]
        planned += len(wanted)
        play_lab(lab, ledger, ledger.filter_unplayed(wanted), began, deadline)
    teeth = () if given.only else bite_all()
    minutes = (ledger.seconds + time.monotonic() - began) / 60
    report = Report(commit, seed, minutes, planned, tuple(ledger.verdicts.values()), teeth)
    finish(report, FOLDER / "report.json", None if given.only or given.no_page else PAGE)
    return 1 if report.lost or not all(tooth.caught for tooth in teeth) else 0


def play_lab(lab: Lab, ledger: Ledger, ids: list[str], began: float, deadline: float) -> None:
    """Play what is left of one laboratory's points, and keep each verdict as it falls."""
    if not ids or time.monotonic() > deadline:
        return
    say(f"{lab.name}: {len(ids)} points")
    lost = 0
    for verdict in lab.play(ids, deadline):
        ledger.add(verdict, ledger.seconds + time.monotonic() - began)
        if not verdict.survived:
            lost += 1
            say(f"  lost {verdict.id}: {'; '.join(verdict.seen[:2])[:300]}")
    say(f"{lab.name}: {lost} lost, {time.monotonic() - began:.0f} s so far")


def finish(report: Report, figures: Path, page: Path | None) -> None:
    """Print the figures, keep them as JSON, and write the page."""
    figures.write_text(report.to_json())
    if page:
        page.write_text(render(report), encoding="utf-8")
    print(report.to_json())
    print(report.headline, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
