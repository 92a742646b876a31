"""What is released: one commit's tree. Nothing that is not committed gets in."""

import hashlib
import io
import re
import subprocess
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path


class ReleaseFailed(Exception):
    """The release cannot be made; the message says what is missing or does not agree."""


@dataclass(frozen=True, slots=True)
class Source:
    """A commit's exported tree: its folder, the version that it names, its id, and its time in seconds since 1970."""

    folder: Path
    version: str
    commit: str
    epoch: int


def export_source(repository: Path, folder: Path) -> Source:
    """Write HEAD's tree into a folder."""
    commit = _ask_git(repository, "rev-parse", "HEAD").decode().strip()
    epoch = int(_ask_git(repository, "log", "-1", "--format=%ct", commit))
    with tarfile.open(fileobj=io.BytesIO(_ask_git(repository, "archive", "--format=tar", commit))) as tree:
        tree.extractall(folder, filter="data")
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return Source(folder, project["version"], commit, epoch)


def check_version(source: Source, wanted: str) -> None:
    """Raise ReleaseFailed unless the commit names the version to release."""
    if source.version != wanted:
        raise ReleaseFailed(f"VERSION={wanted}, but pyproject.toml at {source.commit[:9]} has {source.version}")


def cut_notes(changelog: str, version: str) -> str:
    """Return the section of one version, without its heading. Raises ReleaseFailed if it is missing or has no date."""
    heading = rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)\n"
    found = re.search(rf"{heading}(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if not found:
        raise ReleaseFailed(f"CHANGELOG.md has no section `## {version} (<date>)`")
    return found[1].strip() + "\n"


def hash_file(path: Path) -> str:
    """Return a file's sha256 in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _ask_git(repository: Path, *arguments: str) -> bytes:
    done = subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, check=False)
    if done.returncode:
        raise ReleaseFailed(f"git {arguments[0]}: {done.stderr.decode().strip()}")
    return done.stdout
