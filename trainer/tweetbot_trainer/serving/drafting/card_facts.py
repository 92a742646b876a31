"""What a model's card says for programs: its name, whom it imitates. A model without a card has less to say."""

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from tweetbot_trainer.publishing.disclosure import CARD_FILE, UNKNOWN, read_front_matter, read_origin

_FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_TITLE = re.compile(r"^# 🤖 (.+): an AI (?:bot|cyborg)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CardFacts:
    """The model's name, the handle and the name of whom it imitates, its base on the Hub; empty where unknown."""

    model_name: str = ""
    handle: str = ""
    person: str = ""
    base: str = ""
    disclosure: str = UNKNOWN


def read_card_text(folder: Path) -> str:
    """Return a card as Markdown without its front matter; empty if there is no card, or none that can be read."""
    try:
        return _FRONT.sub("", (folder / CARD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""


def read_card_facts(folder: Path) -> CardFacts:
    """Read what a card says. Nothing in it is trusted to have a form."""
    front, origin = read_front_matter(folder / CARD_FILE), read_origin(folder)
    title = _TITLE.search(read_card_text(folder))
    return CardFacts(
        model_name=origin.model or "",
        handle=origin.handle or "",
        person=_strip_markdown(title[1]) if title else "",
        base=str(front.get("base_model") or ""),
        disclosure=origin.disclosure,
    )


def _strip_markdown(text: str) -> str:
    tokens = MarkdownIt("commonmark").parseInline(text)[0].children or []
    return "".join(token.content for token in tokens)
