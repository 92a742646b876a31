"""A trial on human texts: prepare a dataset of Debian's fortunes, fifteen thousand short texts.

    python -m trial.fortunes        with PYTHONPATH=tests; needs apt-get and dpkg-deb, installs nothing

The texts are downloaded into a temporary folder and never become part of this repository.
"""

import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trial.machine import measure_prepare
from tweetbot_contract.spec.spec import Filter

PACKAGES = ("fortunes-min", "fortunes")
RECIPES = ("modern", "huggingtweets")
#: A line of this alone separates two texts of a file.
SEPARATOR = "%"
EXAMPLES = 3
_WIDTH = 100


def download_texts(folder: Path) -> Path:
    """Download the packages into a folder, unpack them there, and return the folder of their texts."""
    subprocess.run(["apt-get", "download", *PACKAGES], cwd=folder, check=True, capture_output=True)
    for package in sorted(folder.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", package.name, "unpacked"], cwd=folder, check=True)
    return folder / "unpacked/usr/share/games/fortunes"


def read_records(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the texts of a folder as canonical records; files with a suffix are indexes."""
    for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.suffix):
        lines: list[str] = []
        number = 0
        for line in [*path.read_text(encoding="utf-8", errors="replace").split("\n"), SEPARATOR]:
            if line != SEPARATOR:
                lines.append(line)
            elif text := "\n".join(lines).strip():
                number += 1
                yield {"id": f"{path.name}-{number}", "text": text}
                lines.clear()


def write_posts(folder: Path, path: Path) -> int:
    """Write the texts of a folder as a posts file and count them."""
    lines = [json.dumps(record) + "\n" for record in read_records(folder)]
    path.write_text("".join(lines), encoding="utf-8")
    return len(lines)


def describe_examples(path: Path) -> Iterator[str]:
    """Yield what recipe modern redacted, counted by class, and a few texts of each drop reason."""
    from tweetbot_trainer.data.cleaning import clean
    from tweetbot_trainer.data.cleaning.personal_data import PLACEHOLDERS
    from tweetbot_trainer.data.posts import parse_json

    with path.open(encoding="utf-8") as file:
        cleaned = list(clean((parse_json(line, number) for number, line in enumerate(file, start=1)), Filter()))
    found = Counter(sign for one in cleaned if one.redacted for sign in PLACEHOLDERS if sign in one.text)
    yield f"posts with: {dict(found)}"
    for reason in sorted({one.reason or "kept" for one in cleaned}):
        texts = [one.text for one in cleaned if (one.reason or "kept") == reason]
        yield from (f"{reason}: {text[:_WIDTH]}" for text in texts[:: max(1, len(texts) // EXAMPLES)][:EXAMPLES])


def main() -> None:
    """Download, prepare with either recipe, and print figures and examples."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{write_posts(download_texts(folder), folder / 'posts.jsonl')} texts")
        for recipe in RECIPES:
            source = {"posts": {"uri": f"file://{folder}/posts.jsonl", "format": "jsonl"}}
            print(json.dumps({"recipe": recipe, **measure_prepare(folder, source, {"recipe": recipe})}))
        print(*describe_examples(folder / "posts.jsonl"), sep="\n")


if __name__ == "__main__":
    main()
