"""What runs in a process of its own: the tests, with one module replaced by its mutant, which leaves no bytecode."""

import ast
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from tweetbot_mutants.calls import CallRecorder
from tweetbot_mutants.targets import HOMES, ROOT, Target


class MutantFinder(importlib.abc.MetaPathFinder):
    """Finds one module, with its own path and other code."""

    def __init__(self, module: str, code: CodeType) -> None:
        self._module, self._code = module, code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.origin is None:
            raise ImportError(f"{fullname} is not where it was")
        spec.loader = _MutantLoader(fullname, spec.origin, self._code)
        return spec


class _MutantLoader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, code: CodeType) -> None:
        super().__init__(fullname, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code


class Order:
    """Runs the named tests alone, in their order, all without names, and notes which one notices the fault."""

    def __init__(self, tests: Sequence[str] = ()) -> None:
        self._ranks = {name: rank for rank, name in enumerate(tests)}
        self.killer = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self._ranks:
            items[:] = sorted((each for each in items if each.nodeid in self._ranks), key=self._get_rank)

    def _get_rank(self, item: pytest.Item) -> int:
        return self._ranks[item.nodeid]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.killer:
            self.killer = report.nodeid


def run_tests(files: Sequence[Path], plugins: Sequence[object], scratch: Path, *, extra: Sequence[str] = ()) -> int:
    """Run the files up to the first failure; returns pytest's exit code."""
    from hypothesis import HealthCheck, settings

    # A slow machine notices no fault, so nothing counts that has to do with time.
    health = [*HealthCheck]
    settings.register_profile("mutants", database=None, derandomize=True, deadline=None, suppress_health_check=health)
    options = [
        "-x",
        "-q",
        "--assert=plain",
        "--hypothesis-profile=mutants",
        f"--basetemp={scratch / 'tests'}",
        *(part for name in ("cacheprovider", "randomly", "xdist") for part in ("-p", f"no:{name}")),
        *extra,
        *map(str, files),
    ]
    return int(pytest.main(options, plugins=[*plugins]))


def play(module: str, code: CodeType, tests: Sequence[str], scratch: Path) -> int:
    """Run the named tests on a mutant, in this order; the killer's name goes to a file."""
    sys.dont_write_bytecode = True
    sys.meta_path.insert(0, MutantFinder(module, code))
    order = Order(tests)
    files = dict.fromkeys(ROOT / test.partition("::")[0] for test in tests)
    code_of_exit = run_tests([*files], [order], scratch)
    (scratch / "killer").write_text(order.killer)
    return code_of_exit


def measure(module: Path, files: Sequence[Path], scratch: Path) -> int:
    """Run all tests on the module as it is; which of them call what goes to a file, or which one fails."""
    sys.dont_write_bytecode = True
    recorder, order = CallRecorder(module), Order()
    recorder.start()
    code_of_exit = run_tests(files, [recorder, order], scratch)
    recorder.write(scratch / "calls")
    (scratch / "killer").write_text(order.killer)
    return code_of_exit


def list_preloads(target: Target, scratch: Path) -> list[str]:
    """Return what these tests import and need not import again for each mutant: libraries, and what of ours can do
    without the module. Their bytecode is kept, whatever the environment says, as each mutant loads the rest.
    """
    sys.dont_write_bytecode = False
    run_tests(target.test_files, [], scratch, extra=("--collect-only",))
    files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
    own = {name: Path(file) for name, file in files.items() if name.partition(".")[0] in HOMES and file}
    packages = str(Path(pytest.__file__).parents[1])
    libraries = [name for name, file in files.items() if file.startswith(packages)]
    return [*libraries, *(own.keys() - find_importers(target.module, own))]


def find_importers(module: str, files: Mapping[str, Path]) -> set[str]:
    """Return the modules that import one, by others or in a function, and that one."""
    imports = {name: {*_iter_imports(file), *_iter_packages(name)} for name, file in files.items()}
    found, new = {module}, {module}
    while new:
        new = {name for name, names in imports.items() if names & new} - found
        found |= new
    return found


def _iter_imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (each for name in names for each in _iter_packages(name))


def _iter_packages(name: str) -> Iterator[str]:
    """Yield the packages that are loaded before a module, and its own name."""
    parts = name.split(".")
    yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))
