"""A card's front matter, in the form that the Hugging Face Hub and other catalogues read."""

from typing import Any

from tweetbot_trainer.data.post_length import collapse_whitespace
from tweetbot_trainer.publishing.report.card_data import REPORT_LINK, CardData

TAGS = ("tweetbot", "huggingtweets", "gpt2", "text-generation", "ai-generated")


def build_front_matter(card: CardData) -> dict[str, Any]:
    """Return the front matter of the model's card."""
    return {
        **_build_common_part(card, library="transformers", relation="finetune"),
        "tags": list(TAGS),
        "thumbnail": f"{REPORT_LINK}/predictions.png",
        "widget": [{"text": collapse_whitespace(prompt)} for prompt in card.prompts],
        "model-index": [{"name": card.model_name, "results": [_build_result(card)]}],
    }


def build_adapter_front_matter(card: CardData) -> dict[str, Any]:
    """Return the front matter of the adapter's own card."""
    return {**_build_common_part(card, library="peft", relation="adapter"), "tags": [*TAGS, "lora"]}


def _build_common_part(card: CardData, *, library: str, relation: str) -> dict[str, Any]:
    hub_name = card.base.hub_name
    base = {"base_model": hub_name, "base_model_relation": relation} if hub_name else {}
    language = {"language": list(card.languages)} if card.languages else {}
    return {
        **language,
        "library_name": library,
        "pipeline_tag": "text-generation",
        **base,
        "ai_generated": True,
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
    }
    return {
        "task": {"type": "text-generation", "name": "Text Generation"},
        "dataset": {
            "name": f"The newest {card.parts[2]} posts of @{card.subject.handle}",
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
