"""Verdicts of earlier runs, which count while what they rest on is unchanged.

That is the module's source, and of a killed mutant the test that killed it, of a survivor all tests that let it live:
so a new test makes only the survivors run again.
"""

import ast
import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from tweetbot_mutants.mutations import Mutant
from tweetbot_mutants.play import Outcome
from tweetbot_mutants.targets import ROOT, Target

FOLDER = ROOT / "build" / "mutants"


@dataclass(frozen=True)
class Record:
    """A verdict and the hash of what it rests on."""

    killed: bool
    by: str
    basis: str


class Ledger:
    """The verdicts on one module's mutants, in a file that each new one is written to."""

    def __init__(self, target: Target, folder: Path = FOLDER) -> None:
        self._target, self._file = target, folder / f"{target.module}.json"
        content = json.loads(self._file.read_text()) if self._file.exists() else {}
        self._records = {id_: Record(**record) for id_, record in content.items()}

    def find(self, mutant: Mutant) -> Outcome | None:
        """Return a mutant's verdict; None without one, or if what it rests on has changed."""
        record = self._records.get(mutant.id)
        if record is None or record.basis != _hash_basis(self._target, Outcome(record.killed, record.by)):
            return None
        return Outcome(record.killed, record.by)

    def put(self, mutant: Mutant, outcome: Outcome) -> None:
        """Keep a verdict."""
        self._records[mutant.id] = Record(outcome.killed, outcome.by, _hash_basis(self._target, outcome))
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(".new")
        temporary.write_text(json.dumps({id_: asdict(record) for id_, record in self._records.items()}, indent=1))
        temporary.replace(self._file)


def _hash_basis(target: Target, outcome: Outcome) -> str:
    tests = [_read(path) for path in target.test_files]
    texts = [_find_test(outcome.by)] if outcome.by else [] if outcome.killed else tests
    return hashlib.sha256("\0".join([_read(target.path), *texts]).encode()).hexdigest()[:16]


@cache
def _read(path: Path) -> str:
    return path.read_text()


@cache
def _find_test(name: str) -> str:
    """Return the source of a test by its pytest name; empty if it is gone."""
    path, _, test = name.partition("::")
    function = test.rpartition("::")[2].partition("[")[0]
    if not (ROOT / path).exists():
        return ""
    source = _read(ROOT / path)
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return next((ast.get_source_segment(source, node) or "" for node in nodes if node.name == function), "")
