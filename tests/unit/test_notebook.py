"""The notebook as Git keeps it: without outputs, in short cells, and sending nothing that nobody asked to send."""

import ast
import importlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest

from tweetbot_demo.archive import HANDLE, write_archive
from tweetbot_trainer.cli.parser import parse_args

PATH = Path(__file__).parents[2] / "notebooks" / "make-your-bot.ipynb"
NOTEBOOK = json.loads(PATH.read_text(encoding="utf-8"))
CELLS = {cell["id"]: cell for cell in NOTEBOOK["cells"]}
SOURCES = {name: "".join(cell["source"]) for name, cell in CELLS.items()}


def test_git_keeps_no_output() -> None:
    ran = [cell for cell in CELLS.values() if cell.get("outputs") or cell.get("execution_count") is not None]
    assert ran == []
    assert set(NOTEBOOK["metadata"]) == {"accelerator", "colab", "kernelspec", "language_info"}


def test_cells_are_short() -> None:
    assert [name for name, source in SOURCES.items() if source.count("\n") >= 32] == []


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", "".join(SOURCES.values()))
    assert links
    assert [link for link in links if not (PATH.parent / link).exists()] == []


def test_all_that_it_takes_from_the_trainer_is_there() -> None:
    """`make notebook` would find out, a minute later."""
    cells = [ast.parse(source) for name, source in SOURCES.items() if CELLS[name]["cell_type"] == "code"]
    nodes = [node for cell in cells for node in ast.walk(cell) if isinstance(node, ast.ImportFrom) and node.module]
    taken = [(str(node.module), alias.name) for node in nodes for alias in node.names]
    ours = [(module, name) for module, name in taken if module.startswith("tweetbot_")]
    assert len(ours) > 5
    assert [(module, name) for module, name in ours if not hasattr(importlib.import_module(module), name)] == []


@pytest.mark.parametrize("folder", ["", "twitter-2026-11-01/"])
def test_the_account_is_read_from_the_archive(folder: str, tmp_path: Path) -> None:
    """A zip that was unpacked and packed again on a Mac has a folder around all."""
    written = write_archive(tmp_path / "plain.zip", posts=30).path
    with zipfile.ZipFile(written) as plain, zipfile.ZipFile(tmp_path / "mine.zip", "w") as mine:
        for name in plain.namelist():
            mine.writestr(folder + name, plain.read(name))
    given: dict[str, Any] = {"Path": Path, "ARCHIVE": str(tmp_path / "mine.zip"), "HANDLE": ""}
    exec(SOURCES["archive"], given)
    assert (given["archive"], given["handle"]) == (tmp_path / "mine.zip", HANDLE)
    exec(SOURCES["archive"], typed := given | {"HANDLE": " @someone "})
    assert typed["handle"] == "someone"


# ---- the Hub


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The programs that a cell starts, instead of starting them."""
    programs: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: programs.append(command))
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "a token")
    monkeypatch.setenv("HF_TOKEN", "")
    return programs


def push(repository: str) -> None:
    trained = SimpleNamespace(model=SimpleNamespace(uri="file:///my-bot/models/1/model"))
    exec(SOURCES["push"], {"HUB_REPO": repository, "trained": trained, "os": os, "sys": sys, "subprocess": subprocess})


def test_nothing_is_pushed_unless_a_repository_is_named(started: list[list[str]]) -> None:
    assert 'HUB_REPO = ""' in SOURCES["settings"]
    push("")
    assert started == []


def test_what_is_pushed_is_private(started: list[list[str]]) -> None:
    push("me/gull")
    ((python, _, program, *words),) = started
    asked = parse_args(words)
    assert (python, program, os.environ["HF_TOKEN"]) == (sys.executable, "tweetbot_trainer", "a token")
    assert (asked.model, asked.repo, asked.visibility) == ("file:///my-bot/models/1/model", "me/gull", "Private")
