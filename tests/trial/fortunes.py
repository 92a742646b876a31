"""A trial on human texts: prepare a dataset of Debian's fortunes, fifteen thousand short texts.

    python -m trial.fortunes        with PYTHONPATH=tests; needs apt-get and dpkg-deb, installs nothing

The texts are downloaded into a temporary folder and never become part of this repository.
"""

import json
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from builders.stages import a_context, a_local_run
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


def prepare_dataset(folder: Path, recipe: str) -> dict[str, Any]:
    """Prepare a dataset of the folder's posts file, in this process, and return its figures."""
    from tweetbot_trainer.stages.prepare import prepare

    spec = {
        "sources": [{"posts": {"uri": f"file://{folder}/posts.jsonl", "format": "jsonl"}}],
        "output": {"s3": {"uri": f"file://{folder}/{recipe}"}},
        "filter": {"recipe": recipe},
    }
    run = a_local_run(folder, spec=spec)
    start = time.perf_counter()
    dataset = prepare(a_context(folder, run)).dataset
    seconds = time.perf_counter() - start
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return {"recipe": recipe, "seconds": round(seconds, 2), "peakMiB": int(peak) // 1024, **dataset.table.to_dict()}


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
            with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
                print(json.dumps(fresh.submit(prepare_dataset, folder, recipe).result()))
        print(*describe_examples(folder / "posts.jsonl"), sep="\n")


if __name__ == "__main__":
    main()
