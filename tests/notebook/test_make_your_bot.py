"""The notebook runs from top to bottom without an edit, in an environment into which it installs the trainer itself."""

import base64
import json
import os
import shutil
import subprocess
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tweetbot_demo.archive import HANDLE, write_archive

ROOT = Path(__file__).parents[2]
#: Has what the trainer needs, and not the trainer.
PYTHON = ROOT / ".venv-notebook" / "bin" / "python"
RUN = """
import sys
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], 4)
nbformat.validate(notebook)
NotebookClient(notebook, timeout=600).execute()
nbformat.write(notebook, sys.argv[1])
"""
#: pip takes everything from the environment: nothing that it needs is missing there. "0" is how pip spells this one.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}

Outputs = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the notebook ran, far from the checkout."""
    folder = tmp_path_factory.mktemp("notebook")
    shutil.copy(ROOT / "notebooks" / "make-your-bot.ipynb", folder)
    given = {
        "TWEETBOT_SOURCE": str(ROOT),
        "TWEETBOT_ARCHIVE": str(write_archive(folder / "my archive (1).zip", posts=900).path),
        "TWEETBOT_BASE": "scratch://mini",
        "HF_HUB_OFFLINE": "1",
        "IPYTHONDIR": str(folder / "ipython"),
    }
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | OFFLINE | given
    subprocess.run([PYTHON, "-c", RUN, "make-your-bot.ipynb"], cwd=folder, env=environment, check=True)
    return folder


@pytest.fixture(scope="module")
def outputs(folder: Path) -> Outputs:
    """What each cell gave."""
    cells = json.loads((folder / "make-your-bot.ipynb").read_text(encoding="utf-8"))["cells"]
    return {cell["id"]: cell.get("outputs", []) for cell in cells}


def read_text(outputs: Outputs, cell: str) -> str:
    return "".join("".join(output.get("text", "")) for output in outputs[cell])


def find_data(outputs: Outputs, cell: str, form: str) -> str:
    (found,) = ["".join(output["data"][form]) for output in outputs[cell] if form in output.get("data", {})]
    return found


def test_the_archives_account_is_found(outputs: Outputs) -> None:
    assert read_text(outputs, "archive") == f"The archive is of @{HANDLE}.\n"
    assert read_text(outputs, "manifest").endswith("from scratch://mini\n")


def test_the_table_adds_up(outputs: Outputs) -> None:
    _, _, *lines = find_data(outputs, "table", "text/markdown").splitlines()
    counts = {label: int(count) for label, count in (line.strip("| ").split(" | ") for line in lines)}
    downloaded, kept = counts.pop("Tweets downloaded"), counts.pop("Tweets kept")
    assert {"Retweets", "Short tweets"} <= counts.keys()
    assert kept == downloaded - sum(counts.values())


def test_progress_is_one_line_that_is_overwritten(outputs: Outputs) -> None:
    shown = read_text(outputs, "train")
    assert "█ 100 %  loss " in shown
    assert "bits per byte on " in shown
    assert {output["name"] for output in outputs["train"]} == {"stdout"}


def test_it_writes_five_posts(outputs: Outputs) -> None:
    lines = read_text(outputs, "posts").splitlines()
    assert [line.startswith("• My dream is") for line in lines] == [True] * 5


def test_the_picture_says_what_it_is(outputs: Outputs) -> None:
    picture = Image.open(BytesIO(base64.b64decode(find_data(outputs, "picture", "image/png"))))
    assert (picture.size, picture.info["ai_generated"]) == ((1200, 630), "true")


def test_the_model_is_kept_and_sent_nowhere(folder: Path, outputs: Outputs) -> None:
    with zipfile.ZipFile(folder / "my-bot-model.zip") as kept:
        assert {"README.md", "config.json", "model.safetensors", "predictions.png"} <= set(kept.namelist())
    assert outputs["push"] == []
