"""The cards of the model and of its LoRA adapter: front matter that the Hugging Face Hub reads, then sections.

Each card can be read alone: pictures lie beside it, and every other link is absolute.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from tweetbot_trainer.data.post_length import collapse_whitespace
from tweetbot_trainer.publishing.disclosure import build_disclosure
from tweetbot_trainer.publishing.report import card_text
from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.card_details import render_details
from tweetbot_trainer.publishing.report.card_license import build_license_fields
from tweetbot_trainer.publishing.report.markdown import format_code

TAGS = ("text-generation", "ai-generated")
#: For people first: who it is, what it writes, how to try it. The figures are folded away.
SECTIONS = (
    card_text.render_header,
    card_text.render_notice,
    card_text.render_first_samples,
    card_text.render_how_to_use,
    card_text.render_own_bot,
    card_text.render_limitations,
    render_details,
    card_text.render_about,
)


def render_card(card: CardData) -> str:
    """Return the model's README.md. The same data gives the same text."""
    return _render_page(_build_front_matter(card), [block for render in SECTIONS for block in render(card)])


def render_adapter_card(card: CardData) -> str:
    """Return the README.md of the adapter, which can be passed on without the model."""
    blocks = [
        *card_text.render_header(card),
        *card_text.render_notice(card),
        *card_text.render_first_samples(card),
        "## Try it",
        f"This is a LoRA adapter. The whole model is {format_code(card.model_name)}: its card says what it learned "
        "from, how, and how well.",
        *card_text.render_adapter_usage(card),
        *card_text.render_limitations(card),
        *card_text.render_about(card),
    ]
    front = {**_build_common_part(card, library="peft", relation="adapter"), "tags": [*_list_tags(card), "lora"]}
    return _render_page(front, blocks)


def _render_page(front: Mapping[str, Any], blocks: Sequence[str]) -> str:
    head = yaml.safe_dump(front, allow_unicode=True, sort_keys=False, width=1000)
    body = "\n\n".join(blocks)
    return f"---\n{head}---\n\n{body}\n"


def _list_tags(card: CardData) -> list[str]:
    return ["tweetbot", "huggingtweets", card.base.architecture or "gpt2", *TAGS]


def _build_front_matter(card: CardData) -> dict[str, Any]:
    return {
        **_build_common_part(card, library="transformers", relation="finetune"),
        "tags": _list_tags(card),
        "widget": [{"text": collapse_whitespace(prompt)} for prompt in card.prompts],
        "model-index": [{"name": card.model_name, "results": [_build_result(card)]}],
    }


def _build_common_part(card: CardData, *, library: str, relation: str) -> dict[str, Any]:
    hub_name = card.base.hub_name
    base = {"base_model": hub_name, "base_model_relation": relation} if hub_name else {}
    language = {"language": list(card.languages.codes)} if card.languages.codes else {}
    return {
        **language,
        "library_name": library,
        "pipeline_tag": "text-generation",
        **base,
        **build_license_fields(card),
        "ai_generated": True,
        "disclosure": build_disclosure(card.handle),
        "thumbnail": "predictions.png",
    }


def _build_result(card: CardData) -> dict[str, Any]:
    metrics = card.metrics
    figures = {
        "loss": ("Loss (nats per token)", metrics.eval_loss),
        "perplexity": ("Perplexity", metrics.perplexity),
        "bits_per_byte": ("Bits per byte", metrics.bits_per_byte),
        "base_bits_per_byte": ("Bits per byte of the base before training", metrics.base_bits_per_byte),
        "verbatim_rate": ("Share of texts with 50 characters of a training post", metrics.verbatim_rate),
        "verbatim_rate_unseen": ("Share of texts with 50 characters of a test post", metrics.verbatim_rate_unseen),
        "distinct_2": ("Share of distinct word pairs", metrics.distinct2),
        "leaked_samples": ("Texts with personal data of a training post", metrics.leaked_samples),
        "style_score": ("Style (0: anybody, 1: the author)", metrics.style_score),
        "function_word_score": ("Style by function words alone", metrics.function_word_score),
    }
    return {
        "task": {"type": "text-generation", "name": "Text Generation"},
        "dataset": {
            "name": f"The newest {card.parts[2]} posts of @{card.handle}",
            "type": "posts",
            "split": "test",
            "revision": card.dataset_digest,
        },
        "metrics": [
            {"type": kind, "name": name, "value": round(float(value), 5)}
            for kind, (name, value) in figures.items()
            if value is not None
        ],
    }
