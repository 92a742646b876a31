"""What became of the mutants: figures by module, survivors, and what is wrong with the list of explanations."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tweetbot_mutants.play import Outcome

EXPLAINED = Path(__file__).parent / "explained.toml"


@dataclass(frozen=True)
class Figures:
    """Counts of one module's mutants."""

    mutants: int
    killed: int
    explained: int
    unexplained: int
    not_run: int


@dataclass(frozen=True)
class Report:
    """The figures by module; unexplained survivors; explanations of no mutant, or of one that is killed."""

    modules: dict[str, Figures]
    unexplained: list[str]
    stale: list[str]
    killed_though_explained: list[str]

    @property
    def passed(self) -> bool:
        """Whether every survivor is explained and every explanation has its mutant."""
        return not self.unexplained and not self.stale


def read_explanations(file: Path = EXPLAINED) -> dict[str, str]:
    """Return why each listed mutant is harmless, by its id. Raises ValueError for one without a reason."""
    explanations = tomllib.loads(file.read_text())
    if empty := [id_ for id_, why in explanations.items() if not (isinstance(why, str) and why.strip())]:
        raise ValueError(f"{file.name}: say why these are harmless: {empty}")
    return explanations


def build_report(outcomes: Mapping[str, Mapping[str, Outcome | None]], explained: Iterable[str]) -> Report:
    """Judge the outcomes by module and mutant; None is a mutant that has not been run."""
    listed = set(explained)
    every = {id_: outcome for mutants in outcomes.values() for id_, outcome in mutants.items()}
    alive = {id_ for id_, outcome in every.items() if outcome and not outcome.killed}
    played = tuple(f"{module}:" for module in outcomes)
    return Report(
        modules={module: _count(mutants, listed) for module, mutants in outcomes.items()},
        unexplained=[id_ for id_ in every if id_ in alive - listed],
        stale=sorted(id_ for id_ in listed - every.keys() if id_.startswith(played)),
        killed_though_explained=sorted(id_ for id_ in listed if (found := every.get(id_)) and found.killed),
    )


def _count(mutants: Mapping[str, Outcome | None], listed: set[str]) -> Figures:
    alive = {id_ for id_, outcome in mutants.items() if outcome and not outcome.killed}
    killed = sum(1 for outcome in mutants.values() if outcome and outcome.killed)
    not_run = sum(1 for outcome in mutants.values() if outcome is None)
    return Figures(len(mutants), killed, len(alive & listed), len(alive - listed), not_run)
