"""The command: `python -m tweetbot_faults [--seed N] [--only PREFIX] [--minutes M] [--resume] [--no-page]`."""

import argparse
import logging
import sys
import time
from dataclasses import dataclass
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
    """Play, report, write the page; answers 0 if everything that was played survived, and enough was."""
    given, began = parse_arguments(arguments), time.monotonic()
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # proxies are cut off by design
    commit = name_commit()
    seed = given.seed if given.seed is not None else int(commit[:6] or "0", 16) % 1000
    session = Session(Ledger(Header(commit, seed), resume=given.resume), given.only, began, began + 60 * given.minutes)
    for lab in LABS:
        if lab.name.startswith(given.only.partition("/")[0]):
            session.play(lab, seed)
    teeth = () if given.only else bite_all()
    minutes = (session.ledger.seconds + time.monotonic() - began) / 60
    verdicts = [each for each in session.ledger.verdicts.values() if each.id.startswith(given.only)]
    played = tuple(each for each in verdicts if each.played)
    report = Report(commit, seed, minutes, session.planned, played, teeth, len(verdicts) - len(played))
    finish(report, FOLDER / "report.json", None if given.only or given.no_page else PAGE)
    return 1 if report.lost or report.is_thin or not all(tooth.caught for tooth in teeth) else 0


@dataclass
class Session:
    """One run of the command."""

    ledger: Ledger
    only: str
    began: float
    deadline: float
    planned: int = 0

    def select(self, ids: list[str]) -> list[str]:
        """Return what is wanted and has no verdict yet."""
        wanted = [each for each in ids if each.startswith(self.only)]
        self.planned += len(wanted)
        unplayed = self.ledger.filter_unplayed(wanted)
        say(f"  {len(unplayed)} points to play, of {len(ids)}")
        return unplayed

    def play(self, lab: Lab, seed: int) -> None:
        """Play one laboratory's points, and keep each verdict as it falls."""
        if time.monotonic() > self.deadline:
            return
        say(f"{lab.name}:")
        earlier, lost = self.ledger.seconds, 0
        for verdict in lab.play(self.select, seed, self.deadline):
            self.ledger.add(verdict, earlier + time.monotonic() - self.began)
            if not verdict.survived:
                lost += 1
                say(f"  lost {verdict.id}: {'; '.join(verdict.seen[:2])[:300]}")
        say(f"  {lost} lost, {time.monotonic() - self.began:.0f} s so far")


def finish(report: Report, figures: Path, page: Path | None) -> None:
    """Print the figures, keep them as JSON, and write the page."""
    figures.write_text(report.to_json())
    if page:
        page.write_text(render(report), encoding="utf-8")
    print(report.to_json())
    print(report.headline, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
