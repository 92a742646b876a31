"""All files rendered from the contract's types, and how they are written or checked."""

import sys
from collections.abc import Mapping
from pathlib import Path

from tweetbot_contract.generate import class_crd, crd, docs, models

ROOT = Path(__file__).parents[3]


def render_files() -> dict[Path, str]:
    """Return the content of each generated file by its path in the repository."""
    return {
        Path("crds/tweetbots.tweetbot.dev.yaml"): crd.render(),
        Path("crds/tweetbotclasses.tweetbot.dev.yaml"): crd.render(class_crd.build_class_crd()),
        Path("docs/api-reference.md"): docs.render_api_reference(),
        Path("docs/models.md"): models.render_models(),
        Path("docs/troubleshooting.md"): docs.render_troubleshooting(),
    }


def find_stale(wanted: Mapping[Path, str], root: Path = ROOT) -> list[Path]:
    """Return the paths whose file is missing or differs."""
    files = {path: root / path for path in wanted}
    return [path for path, file in files.items() if not file.exists() or file.read_text("utf-8") != wanted[path]]


def write_or_check(wanted: Mapping[Path, str]) -> None:
    """Write the files; with --check print those that differ and exit 1 instead."""
    if "--check" in sys.argv:
        different = find_stale(wanted)
        print("\n".join(f"{path} is out of date: run `make generate`" for path in different))
        sys.exit(1 if different else 0)
    for path, text in wanted.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
