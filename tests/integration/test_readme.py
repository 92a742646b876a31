"""The README's commands do what it says, in its order, in one shell."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
#: This test is a part of it.
OURSELVES = "make test\n"


def shell(script: str, state: Path) -> str:
    """Run a script as a reader would paste it, with a cluster folder of its own. Raises CalledProcessError."""
    env = {name: value for name, value in os.environ.items() if name not in {"KUBECONFIG", "MAKEFLAGS", "MAKELEVEL"}}
    env["TWEETBOT_CLUSTER_STATE"] = str(state)
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_readme_has_demo_quick_start_and_tests() -> None:
    assert [block.split()[1] for block in BLOCKS if block.startswith("make")] == ["demo", "test"]
    assert len(BLOCKS) == 3


@pytest.mark.parametrize("block", [block for block in BLOCKS if block != OURSELVES], ids=["demo", "by-hand"])
def test_the_commands_work(block: str, tmp_path: Path) -> None:
    try:
        output = shell(block, tmp_path)
    finally:
        shell("make cluster-down", tmp_path)
    assert "my dream is" in output.lower()


def test_the_manifest_shown_is_the_quickstart() -> None:
    shown = re.search(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    example = (ROOT / "crds" / "examples" / "quickstart.yaml").read_text(encoding="utf-8")
    assert shown is not None
    assert shown[1] == example.split("\n", 1)[1]
