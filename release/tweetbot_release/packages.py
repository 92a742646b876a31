"""Wheel and sdist, and for each extra the one file that pip needs to install it by hashes."""

import os
import subprocess
import sys
from pathlib import Path

from tweetbot_release.source import ReleaseFailed, Source, hash_file

#: Extra → the files in requirements/ that pin everything that it installs.
EXTRAS = {"operator": ("operator",), "trainer": ("trainer", "torch"), "cli": ("cli",)}


def build_packages(source: Source, dist: Path) -> Path:
    """Build both by hatchling, dated by the commit; return the wheel. Raises ReleaseFailed."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(dist)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(source.epoch)}
    done = subprocess.run(command, cwd=source.folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseFailed(f"hatchling: {done.stderr.strip()}")
    (wheel,) = dist.glob("*.whl")
    return wheel


def write_requirements(source: Source, dist: Path, wheel: Path) -> list[Path]:
    """Write each extra's requirements, the wheel's hash among them; return the files."""
    written = []
    for extra, names in EXTRAS.items():
        file = dist / f"requirements-{extra}.txt"
        pins = [(source.folder / f"requirements/{name}.txt").read_text(encoding="utf-8") for name in names]
        ours = f"tweetbot-operator[{extra}]=={source.version} --hash=sha256:{hash_file(wheel)}\n"
        head = f"# pip install --require-hashes --find-links . --requirement {file.name}\n"
        file.write_text(head + "".join(pins) + ours, encoding="utf-8")
        written.append(file)
    return written
