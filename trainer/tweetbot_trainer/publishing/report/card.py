"""The model card: what the model imitates, what it learned from, how, how well, and what it must not be used for."""

import yaml

from tweetbot_trainer.publishing.report import card_adapter, card_text, front_matter
from tweetbot_trainer.publishing.report.card_facts import CardData

#: The order of the sections; huggingtweets' cards had it, evaluation and samples are ours.
SECTIONS = (
    card_text.render_header,
    card_text.render_notice,
    card_text.render_how_it_works,
    card_text.render_training_data,
    card_text.render_training_procedure,
    card_text.render_evaluation,
    card_text.render_samples,
    card_text.render_how_to_use,
    card_adapter.render_adapter,
    card_text.render_limitations,
    card_text.render_about,
)


def render_card(facts: CardData) -> str:
    """Return README.md: YAML front matter, then Markdown. The same facts give the same text."""
    front = yaml.safe_dump(front_matter.build_front_matter(facts), allow_unicode=True, sort_keys=False, width=1000)
    body = "\n\n".join(block for section in SECTIONS for block in section(facts))
    return f"---\n{front}---\n\n{body}\n"
