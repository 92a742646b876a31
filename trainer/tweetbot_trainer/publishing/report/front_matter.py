"""The card's front matter, in the form that the Hugging Face Hub and other catalogues read."""

from typing import Any

from tweetbot_trainer.data.post_length import collapse_whitespace
from tweetbot_trainer.publishing.report.card_facts import CardData

TAGS = ("tweetbot", "huggingtweets", "gpt2", "text-generation", "ai-generated")


def build_front_matter(facts: CardData) -> dict[str, Any]:
    """Return plain values; keys without a value are left out, so that no catalogue reads an empty one."""
    content: dict[str, Any] = {
        "language": list(facts.languages),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": list(TAGS),
        "base_model": facts.base.hub_name,
        "base_model_relation": "finetune" if facts.base.hub_name else None,
        "thumbnail": facts.predictions_link,
        "widget": [{"text": collapse_whitespace(prompt)} for prompt in facts.prompts],
        "ai_generated": True,
        "model-index": [{"name": facts.model_name, "results": [_build_result(facts)]}],
    }
    return {key: value for key, value in content.items() if value}


def _build_result(facts: CardData) -> dict[str, Any]:
    metrics = facts.metrics
    figures = {
        "loss": ("Loss (nats a token)", metrics.eval_loss),
        "perplexity": ("Perplexity", metrics.perplexity),
        "bits_per_byte": ("Bits per byte", metrics.bits_per_byte),
        "base_bits_per_byte": ("Bits per byte of the base before training", metrics.base_bits_per_byte),
        "verbatim_rate": ("Share of texts with 50 characters of a training post", metrics.verbatim_rate),
        "verbatim_rate_unseen": ("Share of texts with 50 characters of a test post", metrics.verbatim_rate_unseen),
        "distinct_2": ("Share of different pairs of words", metrics.distinct2),
        "leaked_samples": ("Texts with personal data of a training post", metrics.leaked_samples),
    }
    return {
        "task": {"type": "text-generation", "name": "Text Generation"},
        "dataset": {
            "name": f"The newest {facts.parts[2]} posts of @{facts.subject.handle}",
            "type": "posts",
            "split": "test",
            "revision": facts.dataset_digest,
        },
        "metrics": [
            {"type": kind, "name": name, "value": round(float(value), 5)}
            for kind, (name, value) in figures.items()
            if value is not None
        ],
    }
