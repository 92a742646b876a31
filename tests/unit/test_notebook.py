"""The notebook as Git keeps it: without outputs, in short cells, and sending nothing that nobody asked to send."""

import ast
import importlib
import json
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest

from tweetbot_demo.archive import HANDLE, write_archive

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


@dataclass
class FakeApi:
    """Keeps what it was asked; `private` is what the repository is."""

    private: bool = True
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def create_repo(self, name: str, **options: Any) -> SimpleNamespace:
        self.calls.append(("create", options))
        return SimpleNamespace(repo_id=name)

    def model_info(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(private=self.private)

    def upload_folder(self, **options: Any) -> None:
        self.calls.append(("upload", options))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    fake = FakeApi()
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda token: fake)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "a token")
    return fake


def push(repository: str) -> None:
    exec(SOURCES["push"], {"HUB_REPO": repository, "model": "model"})


def test_nothing_is_pushed_unless_a_repository_is_named(hub: FakeApi) -> None:
    assert 'HUB_REPO = ""' in SOURCES["settings"]
    push("")
    assert hub.calls == []


def test_what_is_pushed_is_private(hub: FakeApi) -> None:
    push("me/gull")
    assert hub.calls == [
        ("create", {"private": True, "exist_ok": True}),
        ("upload", {"repo_id": "me/gull", "folder_path": "model"}),
    ]


def test_nothing_is_pushed_to_a_repository_that_was_public_before(hub: FakeApi) -> None:
    hub.private = False
    with pytest.raises(SystemExit, match="is public"):
        push("me/gull")
    assert [name for name, _ in hub.calls] == ["create"]
