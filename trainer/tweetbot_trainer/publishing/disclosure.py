"""What goes with everything that a model writes: a sentence that a machine wrote it, and which model did."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CARD_FILE = "README.md"
#: Bytes of a card that are read for its front matter, which has a few thousand.
_FRONT_LIMIT = 256 * 1024
#: How a card names the posts that its figures are of.
_HANDLE = re.compile(r" of @(\S+)$")
#: The sentence where nothing tells whom the model imitates.
UNKNOWN = "AI-generated. A machine wrote this, not a person."


@dataclass(frozen=True, slots=True)
class Origin:
    """Which model wrote a text, by the name that it is published under, and whom it imitates; None where unknown."""

    model: str | None = None
    handle: str | None = None
    disclosure: str = UNKNOWN


def build_disclosure(handle: str) -> str:
    """Return the sentence for texts in the style of this account."""
    return f"AI-generated imitation of @{handle}. A machine wrote this, not the person."


def read_origin(folder: Path) -> Origin:
    """Read from the card of a model's folder what goes with its texts. What the card does not say is left out."""
    front = read_front_matter(folder / CARD_FILE)
    name = _find_text(front, "model-index", 0, "name")
    posts = _HANDLE.search(_find_text(front, "model-index", 0, "results", 0, "dataset", "name") or "")
    handle = posts[1] if posts else None
    known = build_disclosure(handle) if handle else UNKNOWN  # cards of earlier releases have no sentence
    return Origin(name, handle, _find_text(front, "disclosure") or known)


def _find_text(content: Any, *path: str | int) -> str | None:
    """Return the text at the end of a path; None if something else is there."""
    for step in path:
        try:
            content = content[step]
        except (LookupError, TypeError):
            return None
    return content if isinstance(content, str) and content else None


def read_front_matter(path: Path) -> dict[str, Any]:
    """Read the front matter of a card; empty if there is no card, or none that can be read."""
    try:
        with path.open("rb") as card:
            _, front, _ = card.read(_FRONT_LIMIT).decode(errors="replace").split("---\n", 2)
        content: Any = yaml.safe_load(front)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}
