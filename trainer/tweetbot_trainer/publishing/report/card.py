"""The model card, and the card of a LoRA adapter: what the model imitates, what it learned from, how, and how well."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from tweetbot_trainer.publishing.report import card_text
from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.front_matter import build_adapter_front_matter, build_front_matter
from tweetbot_trainer.publishing.report.markdown import format_link

#: In the order of huggingtweets' cards; evaluation, samples and adapter are ours.
SECTIONS = (
    card_text.render_header,
    card_text.render_notice,
    card_text.render_how_it_works,
    card_text.render_training_data,
    card_text.render_training_procedure,
    card_text.render_evaluation,
    card_text.render_samples,
    card_text.render_how_to_use,
    card_text.render_adapter,
    card_text.render_limitations,
    card_text.render_about,
)


def render_card(card: CardData) -> str:
    """Return the model's README.md. The same data gives the same text."""
    return _render_page(build_front_matter(card), [block for render in SECTIONS for block in render(card)])


def render_adapter_card(card: CardData) -> str:
    """Return the README.md of the adapter, which can be passed on without the model."""
    link = format_link("The card of the whole model", "../model/README.md")
    blocks = [
        *card_text.render_header(card),
        *card_text.render_notice(card),
        f"These are LoRA adapters. {link} says what they learned from, how, and how well.",
        *card_text.render_adapter_usage(card),
    ]
    return _render_page(build_adapter_front_matter(card), blocks)


def _render_page(front: Mapping[str, Any], blocks: Sequence[str]) -> str:
    head = yaml.safe_dump(front, allow_unicode=True, sort_keys=False, width=1000)
    body = "\n\n".join(blocks)
    return f"---\n{head}---\n\n{body}\n"
