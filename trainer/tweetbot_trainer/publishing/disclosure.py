"""What goes with everything that a model writes: a sentence that a machine wrote it, and which model did."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CARD_FILE = "README.md"
#: Bytes of a card that are read for its front matter, which has a few thousand.
_FRONT_LIMIT = 256 * 1024
#: The sentence where nothing tells whom the model imitates.
UNKNOWN = "AI-generated. A machine wrote this, not a person."


@dataclass(frozen=True, slots=True)
class Origin:
    """Which model wrote a text, by the name that it is published under; None if its folder has no card."""

    model: str | None = None
    disclosure: str = UNKNOWN


def build_disclosure(handle: str) -> str:
    """Return the sentence for texts in the style of this account."""
    return f"AI-generated imitation of @{handle}. A machine wrote this, not the person."


def read_origin(folder: Path) -> Origin:
    """Read from the card of a model's folder what goes with its texts. What the card does not say is left out."""
    front = read_front_matter(folder / CARD_FILE)
    models = front.get("model-index")
    first = models[0] if isinstance(models, list) and models else None
    name = first.get("name") if isinstance(first, dict) else None
    said = front.get("disclosure")
    return Origin(name if isinstance(name, str) else None, said if isinstance(said, str) and said else UNKNOWN)


def read_front_matter(path: Path) -> dict[str, Any]:
    """Read the front matter of a card; empty if there is no card, or none that can be read."""
    try:
        with path.open("rb") as card:
            _, front, _ = card.read(_FRONT_LIMIT).decode(errors="replace").split("---\n", 2)
        content: Any = yaml.safe_load(front)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}
