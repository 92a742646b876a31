"""The README's commands do what it says, in its order, in one shell; test_main_job.py goes on from its quick start."""

import re
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
#: A bot of a text file (`make notebook` runs it), the demo, the quick start by hand, and the tests, with this one.
FIRST, DEMO, BY_HAND, TESTS = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)


def test_the_readme_has_demo_quick_start_and_tests() -> None:
    assert (DEMO, TESTS) == ("make demo\n", "make test\n")
    assert "make cluster-up" in BY_HAND


def test_the_demo_ends_with_a_model(shell: Callable[[str, Path], str], tmp_path: Path) -> None:
    assert "my dream is" in shell(DEMO, tmp_path).lower()


def test_the_manifest_shown_is_the_quickstart() -> None:
    shown = re.search(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    example = (ROOT / "crds" / "examples" / "quickstart.yaml").read_text(encoding="utf-8")
    assert shown is not None
    assert shown[1] == example.split("\n", 1)[1]
