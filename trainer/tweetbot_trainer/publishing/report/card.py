"""The model card: what the model imitates, what it learned from, how, how well, and what it must not be used for."""

import yaml

from tweetbot_trainer.publishing.report import card_adapter, card_text, front_matter
from tweetbot_trainer.publishing.report.card_facts import CardFacts

#: The order of the sections; huggingtweets' cards had it, evaluation and samples are ours.
SECTIONS = (
    card_text.header,
    card_text.notice,
    card_text.how_it_works,
    card_text.training_data,
    card_text.training_procedure,
    card_text.evaluation,
    card_text.samples,
    card_text.how_to_use,
    card_adapter.adapter,
    card_text.limitations,
    card_text.about,
)


def render_card(facts: CardFacts) -> str:
    """Return README.md: YAML front matter, then Markdown. The same facts give the same text."""
    front = yaml.safe_dump(front_matter.front_matter(facts), allow_unicode=True, sort_keys=False, width=1000)
    body = "\n\n".join(block for section in SECTIONS for block in section(facts))
    return f"---\n{front}---\n\n{body}\n"
