"""The figures of a run: as JSON, and as the page docs/reliability.md."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from tweetbot_faults.point import Level, Verdict
from tweetbot_faults.rows import ROWS, Row

LEVELS: dict[Level, str] = {
    "memory": "the real reconciler on a cluster in memory",
    "live": "the operator's process on a real API server, with the process node",
    "bucket": "the trainer's publication on a real S3 server",
    "suite": "cases of the test suite that play the fault",
}
#: The share of the planned points that may play nothing.
MOST_NEVER_CAME = 0.01
INTRODUCTION = """\
# Reliability

What the operator and the trainer survive, measured. `make faults` plays the fault matrix below and writes this page;
nothing on it is typed by hand. [Decision 52](decisions/0052-a-standing-harness.md) says how it works,
[CONTRIBUTING](../CONTRIBUTING.md) how to add a point.

A *point* is one fault at one place of one workload, judged by oracles that never ask the operator: they read the API
server's audit log, the objects that are left, the bucket, the process. It is survived if no oracle finds anything.
"""


@dataclass(frozen=True)
class Tooth:
    """A planted bug: the oracle that must fire, and those that did."""

    bug: str
    oracle: str
    fired: tuple[str, ...]

    @property
    def caught(self) -> bool:
        return self.oracle in self.fired


@dataclass(frozen=True)
class Report:
    """A whole run."""

    commit: str
    seed: int
    minutes: float
    planned: int
    verdicts: tuple[Verdict, ...]
    """Of the points that were played."""
    teeth: tuple[Tooth, ...] = field(default=())
    never_came: int = 0
    """Points whose write did not come in their play."""

    @property
    def lost(self) -> list[Verdict]:
        return [each for each in self.verdicts if not each.survived]

    @property
    def is_thin(self) -> bool:
        """Whether more writes never came than MOST_NEVER_CAME allows."""
        return self.never_came > MOST_NEVER_CAME * self.planned

    @property
    def headline(self) -> str:
        """The one sentence."""
        played, faults = len(self.verdicts), sum(each.faults for each in self.verdicts)
        bound = f"95 % bound ≤ {compute_bound(len(self.lost), played):.2%} lost"
        caught = f"teeth {sum(each.caught for each in self.teeth)}/{len(self.teeth)}"
        run = f"seed {self.seed}, commit {self.commit}, {self.minutes:.0f} min"
        return f"{played - len(self.lost)} of {played} points survived, over {faults} faults, {bound}; {caught}; {run}"

    def to_json(self) -> str:
        """Return what a program reads."""
        content: dict[str, Any] = {
            "headline": self.headline,
            "commit": self.commit,
            "seed": self.seed,
            "minutes": round(self.minutes, 1),
            "planned": self.planned,
            "played": len(self.verdicts),
            "neverCame": self.never_came,
            "lost": [asdict(each) for each in self.lost],
            "teeth": [asdict(each) | {"caught": each.caught} for each in self.teeth],
            "rows": {row.number: _count(row, self.verdicts) for row in ROWS},
        }
        return json.dumps(content, indent=1)


def compute_bound(lost: int, played: int) -> float:
    """Return the upper 95 % bound of the share that is lost: 3/n for none of n, else the normal approximation."""
    if not played:
        return 1.0
    if not lost:
        return min(3 / played, 1.0)
    share = lost / played
    return float(min(share + 1.96 * (share * (1 - share) / played) ** 0.5 + 3 / played, 1.0))


def _count(row: Row, verdicts: Iterable[Verdict]) -> dict[str, Any]:
    mine = [each for each in verdicts if each.row == row.number]
    levels: dict[str, int] = defaultdict(int)
    for each in mine:
        levels[each.level] += 1
    return {"played": len(mine), "survived": sum(each.survived for each in mine), "levels": dict(levels)}


def render(report: Report) -> str:
    """Return the page."""
    parts = [INTRODUCTION, f"**{report.headline}.**\n", _render_levels(report), _render_rows(report)]
    return "\n".join([*parts, _render_teeth(report), _render_losses(report)])


def _render_levels(report: Report) -> str:
    lines = ["| Where | What it is | Points | Survived |", "| --- | --- | ---: | ---: |"]
    for level, words in LEVELS.items():
        mine = [each for each in report.verdicts if each.level == level]
        lines.append(f"| {level} | {words} | {len(mine)} | {sum(each.survived for each in mine)} |")
    unreached = report.planned - len(report.verdicts) - report.never_came
    if unreached:
        lines.append(f"\n{unreached} of the {report.planned} planned points were not reached in time.")
    if report.never_came:
        reason = "How often a status is reworded on the way differs, and these writes did not come"
        lines.append(f"\n{report.never_came} of the {report.planned} planned points played nothing. {reason}.")
    return "\n".join([*lines, ""])


def _render_rows(report: Report) -> str:
    lines = ["## The matrix\n", "| # | Fault | Oracles | Played as | Survived | Not played here |"]
    lines.append("| ---: | --- | --- | --- | ---: | --- |")
    for row in ROWS:
        found = _count(row, report.verdicts)
        levels = ", ".join(f"{number} {level}" for level, number in sorted(found["levels"].items()))
        survived = f"{found['survived']} of {found['played']}" if found["played"] else "–"
        missing = row.missing or ("" if found["played"] else "not reached")
        lines.append(f"| {row.number} | {row.fault} | {row.oracles} | {levels or '–'} | {survived} | {missing} |")
    return "\n".join([*lines, ""])


def _render_teeth(report: Report) -> str:
    lines = ["## Teeth\n", "Operators and trainers with one planted bug each; the named oracle must find it.\n"]
    lines += ["| Bug | Must be found by | Found by |", "| --- | --- | --- |"]
    for tooth in report.teeth:
        lines.append(f"| {tooth.bug} | {tooth.oracle} | {', '.join(tooth.fired) or 'nobody'} |")
    return "\n".join([*lines, ""])


def _render_losses(report: Report) -> str:
    lines = ["## Lost\n"]
    if not report.lost:
        return "\n".join([*lines, "None.", ""])
    for each in report.lost:
        lines.append(f"- row {each.row}: {'; '.join(_escape(text) for text in each.seen[:2])}")
        lines.append(f'  — `make faults ARGS="--only {each.id}"`')
    return "\n".join([*lines, ""])


def _escape(text: str) -> str:
    """Keep what was seen on one line, and out of Markdown's hands."""
    return "`" + " ".join(text.replace("`", "'").split())[:300] + "`"
