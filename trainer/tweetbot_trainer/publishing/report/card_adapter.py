"""What is told of a LoRA adapter: a section of the model's card, and the adapter's own card."""

from typing import Any

import yaml

from tweetbot_trainer.publishing.report.card_facts import CardData
from tweetbot_trainer.publishing.report.card_text import render_header, render_notice
from tweetbot_trainer.publishing.report.front_matter import TAGS
from tweetbot_trainer.publishing.report.markdown import format_block, format_link


def render_adapter(facts: CardData) -> list[str]:
    """Return how the adapter lies beside the model; nothing where every weight was trained."""
    if facts.values.lora is None:
        return []
    return [
        "## Adapter",
        f"Only LoRA adapters were trained; this directory holds the base with the adapters in its weights. "
        f"{format_link('The adapters alone', '../adapter')} are some megabytes, in the form of the peft library.",
        *_render_how_to_load(facts),
    ]


def render_adapter_card(facts: CardData) -> str:
    """Return the README.md that goes with the adapters: they can be passed on without the model."""
    front = yaml.safe_dump(_build_front_matter(facts), allow_unicode=True, sort_keys=False, width=1000)
    blocks = [
        *render_header(facts),
        *render_notice(facts),
        f"These are LoRA adapters. What they learned from, how, and how well is told by "
        f"{format_link('the card of the whole model', '../model/README.md')}.",
        *_render_how_to_load(facts),
    ]
    body = "\n\n".join(blocks)
    return f"---\n{front}---\n\n{body}\n"


def _build_front_matter(facts: CardData) -> dict[str, Any]:
    content = {
        "language": list(facts.languages),
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": [*TAGS, "lora"],
        "base_model": facts.base.hub_name,
        "base_model_relation": "adapter" if facts.base.hub_name else None,
        "ai_generated": True,
    }
    return {key: value for key, value in content.items() if value}


def _render_how_to_load(facts: CardData) -> list[str]:
    base = f'"{facts.base.hub_name}", revision="{facts.base.digest}"' if facts.base.hub_name else '"base"'
    python = (
        "from peft import PeftModel\n"
        "from transformers import AutoModelForCausalLM\n\n"
        f"base = AutoModelForCausalLM.from_pretrained({base})\n"
        'model = PeftModel.from_pretrained(base, "adapter")'
    )
    where = "" if facts.base.hub_name else ", and its base as `base`"
    return [f"With the directory as `render_adapter`{where}:", format_block(python, "python")]
