"""What `make mutants` changes, how it names it, and what it makes of the outcomes."""

import os
from pathlib import Path

import pytest

from tweetbot_mutants.calls import read_calls
from tweetbot_mutants.child import find_importers, measure
from tweetbot_mutants.ledger import Ledger
from tweetbot_mutants.mutations import compile_mutant, list_mutants
from tweetbot_mutants.play import Outcome, fork
from tweetbot_mutants.report import build_report, read_explanations
from tweetbot_mutants.targets import TARGETS, Target

SOURCE = '''
"""A module."""

def is_due(age: int, limit: int, *, held: bool = False) -> bool:
    """Answer whether it is time."""
    log.info("asked", age=age)
    return age < limit and not held

class Store:
    def put(self, name: str) -> None:
        if self.closed:
            raise OSError(f"{name} is late")
        self.write(name, if_match="etag")
        self.count = len(name) + 1

    def is_open(self) -> bool:
        return self.open
'''


def name_faults(source: str) -> list[str]:
    return [mutant.id.removeprefix("m:") for mutant in list_mutants("m", source)]


def test_each_kind_of_fault_is_put_in_by_its_name() -> None:
    assert name_faults(SOURCE) == [
        "is_due:operand:age < limit and (not held) -> not held",
        "is_due:operand:age < limit and (not held) -> age < limit",
        "is_due:compare:age < limit -> age <= limit",
        "is_due:negate:not held -> bool(held)",
        "Store.put:negate:if self.closed: raise OSError(f'{name} is late') -> "
        "if not self.closed: raise OSError(f'{name} is late')",
        "Store.put:remove:raise OSError(f'{name} is late') -> pass",
        "Store.put:remove:self.write(name, if_match='etag') -> pass",
        "Store.put:keyword:self.write(if_match='etag')",
        "Store.put:constant:'etag' -> ''",
        "Store.put:remove:self.count = len(name) + 1 -> pass",
        "Store.put:arithmetic:len(name) + 1 -> len(name) - 1",
        "Store.put:constant:1 -> 2",
        "Store.is_open:return:body -> return True",
        "Store.is_open:return:body -> return False",
    ]


def test_a_name_outlives_what_is_written_above_it() -> None:
    assert name_faults(f"import os\n\n\n{SOURCE}") == name_faults(SOURCE)


def test_two_faults_of_the_same_words_have_two_names() -> None:
    names = name_faults("def f(a):\n    g(a)\n    g(a)\n")
    assert names == ["f:remove:g(a) -> pass", "f:remove:g(a) -> pass #2"]


def test_a_mutant_has_its_one_fault_and_no_other() -> None:
    source = "def f(a):\n    return a < 1, a < 1\n"
    answers = {}
    for mutant in list_mutants("m", source):
        namespace: dict[str, object] = {}
        exec(compile_mutant(source, mutant, "m.py"), namespace)
        function = namespace["f"]
        assert callable(function)
        answers[mutant.id] = function(1)
    assert answers == {
        "m:f:compare:a < 1 -> a <= 1": (True, False),
        "m:f:compare:a < 1 -> a <= 1 #2": (False, True),
        "m:f:constant:1 -> 2": (True, False),
        "m:f:constant:1 -> 2 #2": (False, True),
    }


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.module)
def test_every_dangerous_module_has_tests_and_faults_of_different_names(target: Target) -> None:
    assert target.test_files
    assert [path for path in [target.path, *target.test_files] if not path.exists()] == []
    mutants = list_mutants(target.module, target.path.read_text())
    assert len({mutant.id for mutant in mutants}) == len(mutants) > 0


def test_a_survivor_must_be_explained_and_an_explanation_must_have_its_mutant() -> None:
    outcomes = {"m": {"m:a": Outcome(True), "m:b": Outcome(False), "m:c": Outcome(False), "m:d": None}}
    report = build_report(outcomes, ["m:a", "m:b", "m:gone", "other:not played"])
    assert (report.unexplained, report.stale, report.killed_though_explained) == (["m:c"], ["m:gone"], ["m:a"])
    assert vars(report.modules["m"]) == {"mutants": 4, "killed": 1, "explained": 1, "unexplained": 1, "not_run": 1}
    assert not report.passed


def test_a_run_passes_when_all_is_killed_or_explained() -> None:
    assert build_report({"m": {"m:a": Outcome(True), "m:b": Outcome(False)}}, ["m:b"]).passed


def test_an_explanation_without_words_is_refused(tmp_path: Path) -> None:
    (tmp_path / "explained.toml").write_text('"m:a" = " "\n')
    with pytest.raises(ValueError, match="m:a"):
        read_explanations(tmp_path / "explained.toml")


def test_every_explanation_is_of_a_mutant_that_exists() -> None:
    every = {mutant.id for target in TARGETS for mutant in list_mutants(target.module, target.path.read_text())}
    assert read_explanations().keys() - every == set()


def test_a_verdict_counts_until_what_it_rests_on_is_changed(tmp_path: Path) -> None:
    target = TARGETS[0]
    mutant, other = list_mutants(target.module, target.path.read_text())[:2]
    Ledger(target, tmp_path).put(mutant, Outcome(True, "tests/unit/gone.py::test_gone"))
    assert Ledger(target, tmp_path).find(mutant) == Outcome(True, "tests/unit/gone.py::test_gone")
    assert Ledger(target, tmp_path).find(other) is None
    file = tmp_path / f"{target.module}.json"
    file.write_text(file.read_text().replace('"basis": "', '"basis": "0'))
    assert Ledger(target, tmp_path).find(mutant) is None


def test_what_imports_a_module_by_its_package_or_in_a_function_imports_it(tmp_path: Path) -> None:
    sources = {
        "a": "",
        "a.b": "from a.b import c",
        "a.b.c": "import os",
        "a.b.d": "import os",
        "by_package": "from a.b.d import f",
        "later": "def f():\n    import by_package",
        "apart": "import a",
    }
    files = {name: tmp_path / f"{name}.py" for name in sources}
    for name, source in sources.items():
        files[name].write_text(source)
    assert find_importers("a.b.c", files) == {"a.b.c", "a.b", "a.b.d", "by_package", "later"}


TESTS = """
import importlib.util
import pytest
spec = importlib.util.spec_from_file_location("m", {module!r})
m = importlib.util.module_from_spec(spec)
spec.loader.exec_module(m)

@pytest.fixture(scope="module")
def made():
    return m.make()

def test_a(made):
    assert m.ask() == 1

def test_b():
    pass
"""


def test_a_mutants_tests_are_those_that_call_its_function_by_fixtures_too(tmp_path: Path) -> None:
    module, tests = tmp_path / "m.py", tmp_path / "test_m.py"
    module.write_text("def make(): return 1\ndef ask(): return (lambda: 1)()\ndef idle(): return 1\n")
    tests.write_text(TESTS.format(module=str(module)))
    pid = fork(lambda: measure(module, [tests], tmp_path))
    assert os.waitpid(pid, 0)[1] == 0
    calls = {
        name: {test.rpartition("::")[2] for test in found} for name, found in read_calls(tmp_path / "calls").items()
    }
    assert {name: calls.get(name) for name in ("make", "ask", "idle", "")} == {
        "make": {"test_a", "test_b"},
        "ask": {"test_a"},
        "idle": None,
        "": {"test_a", "test_b"},
    }
