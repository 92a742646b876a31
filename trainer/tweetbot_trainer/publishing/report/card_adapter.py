"""What is told of a LoRA adapter: a section of the model's card, and the adapter's own card."""

from typing import Any

import yaml

from tweetbot_trainer.publishing.report.card_facts import CardFacts
from tweetbot_trainer.publishing.report.card_text import header, notice
from tweetbot_trainer.publishing.report.front_matter import TAGS
from tweetbot_trainer.publishing.report.markdown import block, link


def adapter(facts: CardFacts) -> list[str]:
    """Return how the adapter lies beside the model; nothing where every weight was trained."""
    if facts.values.lora is None:
        return []
    return [
        "## Adapter",
        f"Only LoRA adapters were trained; this directory holds the base with the adapters in its weights. "
        f"{link('The adapters alone', '../adapter')} are some megabytes, in the form of the peft library.",
        *_how_to_load(facts),
    ]


def render_adapter_card(facts: CardFacts) -> str:
    """Return the README.md that goes with the adapters: they can be passed on without the model."""
    front = yaml.safe_dump(_front_matter(facts), allow_unicode=True, sort_keys=False, width=1000)
    blocks = [
        *header(facts),
        *notice(facts),
        f"These are LoRA adapters. What they learned from, how, and how well is told by "
        f"{link('the card of the whole model', '../model/README.md')}.",
        *_how_to_load(facts),
    ]
    body = "\n\n".join(blocks)
    return f"---\n{front}---\n\n{body}\n"


def _front_matter(facts: CardFacts) -> dict[str, Any]:
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


def _how_to_load(facts: CardFacts) -> list[str]:
    base = f'"{facts.base.hub_name}", revision="{facts.base.digest}"' if facts.base.hub_name else '"base"'
    python = (
        "from peft import PeftModel\n"
        "from transformers import AutoModelForCausalLM\n\n"
        f"base = AutoModelForCausalLM.from_pretrained({base})\n"
        'model = PeftModel.from_pretrained(base, "adapter")'
    )
    where = "" if facts.base.hub_name else ", and its base as `base`"
    return [f"With the directory as `adapter`{where}:", block(python, "python")]
