"""What has been played: a file of verdicts, one a line, by which an interrupted run goes on."""

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tweetbot_faults.point import Verdict

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "build" / "faults"


@dataclass(frozen=True)
class Header:
    """What must be the same for verdicts to stand beside each other."""

    commit: str
    seed: int


def name_commit() -> str:
    """Return the commit of the working tree, with a plus where something is changed."""
    commit = _ask_git("rev-parse", "--short=12", "HEAD")
    changed = _ask_git("status", "--porcelain", "--untracked-files=no", "--", ":!docs/reliability.md")
    return f"{commit}+" if changed else commit


def _ask_git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


class Ledger:
    """Verdicts in the order in which they fell; a line that is half written does not count."""

    def __init__(self, header: Header, file: Path = FOLDER / "state.jsonl", *, resume: bool) -> None:
        self.header, self._file = header, file
        self.verdicts: dict[str, Verdict] = {}
        self.seconds = 0.0
        """Of earlier runs that this one goes on with."""
        file.parent.mkdir(parents=True, exist_ok=True)
        if not (resume and self._load()):
            file.write_text(json.dumps(vars(header)) + "\n")

    def _load(self) -> bool:
        """Take over what the file holds of the same commit and seed; answers whether it does."""
        lines = self._file.read_text().rpartition("\n")[0].splitlines() if self._file.exists() else []
        if not lines or json.loads(lines[0]) != vars(self.header):
            return False
        for line in lines[1:]:
            content = json.loads(line)
            self.seconds = max(self.seconds, content.pop("at"))
            self.verdicts[content["id"]] = Verdict.from_dict(content)
        return True

    def add(self, verdict: Verdict, at: float) -> None:
        """Keep a verdict that fell after this many seconds in all."""
        self.verdicts[verdict.id] = verdict
        with self._file.open("a") as file:
            file.write(json.dumps(verdict.to_dict() | {"at": round(at, 1)}) + "\n")

    def filter_unplayed(self, ids: Iterable[str]) -> list[str]:
        """Return those without a verdict."""
        return [each for each in ids if each not in self.verdicts]
