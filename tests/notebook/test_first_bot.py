"""The first commands of the README, as typed: a text file becomes a model that writes."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCKS = {
    page: re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    for page in ("README.md", "docs/tutorial.md")
}


def test_a_text_file_becomes_a_model_by_the_readmes_first_commands() -> None:
    command = ["bash", "-euo", "pipefail", "-c", BLOCKS["README.md"][0]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"^sample ", done.stdout, flags=re.MULTILINE)) == 5


def test_the_tutorial_has_the_same_commands() -> None:
    assert BLOCKS["docs/tutorial.md"][-1] == BLOCKS["README.md"][0]
