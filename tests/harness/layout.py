"""The layout as measured from the sources: `make marks` prints it, tests/unit/test_layout.py holds it to its limits."""

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "tweetbot_operator": ROOT / "operator",
    "tweetbot_trainer": ROOT / "trainer",
    "tweetbot_contract": ROOT / "crds",
    "tweetbot_kubectl": ROOT / "integrations" / "kubectl",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def parse(path: Path) -> ast.Module:
    """Parse a source file once per process."""
    return ast.parse(path.read_text(encoding="utf-8"))


def list_sources(*folders: str) -> list[Path]:
    """Return the Python files below these folders of the repository."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def list_product() -> list[Path]:
    """Return the files of operator, trainer, contract and plugin."""
    return [path for name, base in PACKAGES.items() for path in sorted((base / name).rglob("*.py"))]


def list_functions(path: Path) -> list[Function]:
    """Return the functions and methods of a file, nested ones too."""
    return [node for node in ast.walk(parse(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def count_lines(node: Function) -> int:
    """Count the lines of a function without its decorators."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def iter_imports(package: str) -> Iterator[tuple[str, str]]:
    """Yield (importer, imported) for each import within a package, as dotted module names."""
    base = PACKAGES[package]
    modules = {name_module(path, base): path for path in (base / package).rglob("*.py")}
    for module, path in modules.items():
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package:
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    yield module, inner if inner in modules else str(node.module)


def name_module(path: Path, base: Path) -> str:
    """Return the dotted name of a file below an import root."""
    return ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")


def map_rooms(package: str) -> dict[str, set[str]]:
    """Return which rooms each room imports: the files and folders directly below the package."""
    rooms: dict[str, set[str]] = {}
    for importer, imported in iter_imports(package):
        here, there = (f"{name}.".split(".")[1] for name in (importer, imported))
        rooms.setdefault(here, set())
        rooms.setdefault(there, set())
        if here != there:
            rooms[here].add(there)
    return {room: others - {""} for room, others in rooms.items() if room}


def sort_into_floors(rooms: dict[str, set[str]]) -> list[set[str]]:
    """Return the rooms by floors, the ground floor first. Raises ValueError at a circle, which has no floor."""
    floors: list[set[str]] = []
    left = dict(rooms)
    while left:
        below = set().union(*floors)
        floor = {room for room, others in left.items() if others <= below}
        if not floor:
            raise ValueError(f"these rooms import each other in a circle: {sorted(left)}")
        floors.append(floor)
        left = {room: others for room, others in left.items() if room not in floor}
    return floors


def measure() -> dict[str, object]:
    """Return the marks of the layout."""
    product = list_product()
    functions = [(path, node) for path in product for node in list_functions(path)]
    folders = {path.parent for path in list_sources("operator", "trainer", "crds", "charts", "integrations", "tests")}
    floors = {name: sort_into_floors(map_rooms(name)) for name in PACKAGES}
    return {
        "lines": sum(len(path.read_text(encoding="utf-8").splitlines()) for path in product),
        "files": len(product),
        "rooms": {name: len(map_rooms(name)) for name in PACKAGES},
        "floors": {name: len(found) for name, found in floors.items()},
        "most files in a folder": max(len(list(folder.glob("*.py"))) for folder in folders),
        "longest file": max(len(path.read_text(encoding="utf-8").splitlines()) for path in product),
        "functions": len(functions),
        "longest function": max(count_lines(node) for _, node in functions),
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
