"""What needs a cluster or images is opted into: `--integration` for tests/integration, and each other folder by its."""

import gc
from pathlib import Path

import pytest
from hypothesis import settings

HERE = Path(__file__).parent
settings.register_profile("any machine", deadline=None)  # a shared machine is slow at times
settings.load_profile("any machine")
OPTIONS = {
    f"--{name}": HERE / name for name in ("integration", "e2e", "images", "kueue", "notebook", "browser", "release")
}


def pytest_addoption(parser: pytest.Parser) -> None:
    for option, folder in OPTIONS.items():
        parser.addoption(option, action="store_true", help=f"run tests/{folder.name} as well")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name no case by its bytes: archives hold the time of their making, and all workers must find the same tests."""
    return "bytes" if isinstance(val, bytes) else None


def pytest_configure(config: pytest.Config) -> None:
    """An option without paths on the command line means its folder too."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args += [str(folder) for option, folder in OPTIONS.items() if config.getoption(option)]


def pytest_collection_finish() -> None:
    """Have the garbage collector leave alone what was imported: looking it through takes longer than many a test."""
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect, visibly in the last line, what was named by a path but not opted into."""
    left_out = tuple(f"{folder}/" for option, folder in OPTIONS.items() if not config.getoption(option))
    deselected = [item for item in items if str(item.path).startswith(left_out)]
    if deselected:
        items[:] = [item for item in items if not str(item.path).startswith(left_out)]
        config.hook.pytest_deselected(items=deselected)
