"""The card's sections, each a function from the facts to blocks of Markdown."""

import shlex

from tweetbot_trainer.learning.evaluation.memorization import Memorization
from tweetbot_trainer.publishing.report.badges import build_badges
from tweetbot_trainer.publishing.report.card_facts import CardData
from tweetbot_trainer.publishing.report.card_tables import (
    render_data_table,
    render_figures_table,
    render_memorization_table,
    render_values_table,
)
from tweetbot_trainer.publishing.report.markdown import (
    escape_inline,
    format_block,
    format_code,
    format_image,
    format_link,
)

HUGGINGTWEETS = "https://github.com/borisdayma/huggingtweets"
GPT2_PAPER = "https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf"
RELATIONS = {
    "Unspecified": "Whoever made this bot did not state what the person behind {handle} has to do with it.",
    "Self": "The owner of {handle} made this bot from their own posts.",
    "Consented": "The owner of {handle} agreed to this bot.",
    "Fictional": "{handle} is a fictional account: nobody real is imitated.",
    "Parody": "This bot is a parody. The person behind {handle} neither made nor endorses it.",
}


def render_header(facts: CardData) -> list[str]:
    """Return the accounts' pictures, where there are any, the title and the badges."""
    title = f"# 🤖 {escape_inline(facts.name)}: an AI {'cyborg' if len(facts.account_names) > 1 else 'bot'}"
    pictures = " ".join(format_image(f"Picture of {facts.name}", f"../report/{file}") for file in facts.pictures)
    badges = format_image(", ".join(badge.text for badge in build_badges(facts)), facts.badges_link)
    return [pictures, title, badges] if pictures else [title, badges]


def render_notice(facts: CardData) -> list[str]:
    """Return what nobody may miss: a machine writes this, in whose manner, and with whose consent."""
    handle = escape_inline(f"@{facts.subject.handle}")
    relation = RELATIONS[facts.subject.relation].format(handle=handle)
    if facts.other_handle:
        relation = f"{relation} The posts come from the account {escape_inline(f'@{facts.other_handle}')}."
    consent = f" On record: {escape_inline(facts.subject.consent_ref)}." if facts.subject.consent_ref else ""
    return [
        f"> **AI-generated imitation of {handle}.** A machine writes every word of this model's output; "
        f"{escape_inline(facts.name)} wrote none of it.\n>\n> {relation}{consent}",
        f"Made with {escape_inline(facts.made_by)}, in the tradition of {format_link('huggingtweets', HUGGINGTWEETS)}.",
        format_image(f"Posts that the model wrote, in the manner of {facts.name}", facts.predictions_link),
    ]


def render_how_it_works(facts: CardData) -> list[str]:
    """Return the way from posts to model in a few sentences."""
    return [
        "## How does it work?",
        "1. The posts are read from their sources, cleaned and counted.\n"
        "2. They are frozen as a dataset that is named by its own hash.\n"
        f"3. Starting from {_format_base(facts)}, the model is fine-tuned on the older posts, "
        "each between two end marks.\n"
        "4. The model is measured on the newest posts, which training never reads, and published with its figures.",
    ]


def render_training_data(facts: CardData) -> list[str]:
    """Return what became of the posts, in a table that adds up."""
    train, validation, test = facts.parts
    order = {"created_at": "by time", "input": "by their order in the file", "mixed": "by time where posts have dates"}
    newest = f" The newest post is of {escape_inline(facts.newest_post_at[:10])}." if facts.newest_post_at else ""
    name = f"dataset {facts.dataset_digest[:16]}"
    watch = "tell when to stop" if facts.stops_early else "are only watched"
    return [
        "## Training data",
        f"The model learned from posts of {escape_inline(facts.name)}.{newest} {_format_languages(facts)}",
        render_data_table(facts),
        "Kept is what was downloaded less the rows in between. "
        f"Cleaned by the recipe {format_code(facts.cleaning_recipe)}. "
        f"Split {order[facts.ordered_by]}: the oldest {train} posts train, "
        f"the next {validation} {watch}, the newest {test} are the test.",
        f"The data is {format_link(name, facts.dataset_link)}, sha256 {format_code(facts.dataset_digest)}.",
    ]


def render_training_procedure(facts: CardData) -> list[str]:
    """Return base, values and course of the training."""
    outcome = facts.outcome
    wandb_run = (
        f" The run is on {format_link('Weights & Biases', facts.tracking_url)}, with its metrics and artifacts."
        if facts.tracking_url
        else ""
    )
    epochs = f"{outcome.epochs} of {facts.values.epochs} epochs"
    return [
        "## Training procedure",
        f"The model starts from {_format_base(facts)}. It was trained for {outcome.steps} steps ({epochs}) in "
        f"{outcome.seconds:.0f} seconds on {escape_inline(outcome.device.name)} ({outcome.device.device_type}), "
        f"{outcome.tokens_per_second:.0f} tokens a second. The weights are those after epoch {outcome.best_epoch}."
        f"{wandb_run}",
        render_values_table(facts),
        format_image("Loss over the training", facts.loss_link),
    ]


def render_evaluation(facts: CardData) -> list[str]:
    """Return the figures on the test posts and how far they can be trusted."""
    caution = (
        f" Only {facts.parts[2]} posts are in the test: take the figures as a hint."
        if facts.metrics.reliability == "Low"
        else ""
    )
    return [
        "## Evaluation",
        f"On the newest {facts.parts[2]} posts, each predicted alone.{caution} Bits per byte compare models with "
        "different tokenizers; lower is better.",
        render_figures_table(facts),
        *(_render_memorization(facts.memorization) if facts.memorization else []),
    ]


def _render_memorization(found: Memorization) -> list[str]:
    return [
        f"How much it repeats: {found.samples} texts that it wrote, begun from nothing, compared with the posts. "
        "People repeat themselves, so only what the third line is above the fourth was learned by heart.",
        render_memorization_table(found),
    ]


def render_samples(facts: CardData) -> list[str]:
    """Return what the model wrote, as it came."""
    if not facts.samples:
        return []
    lines = "\n".join(f"- {escape_inline(sample.text)}" for sample in facts.samples)
    return [
        "## Samples",
        "Written by the model (AI-generated), in the order in which they came, nothing edited. Texts that copy a post "
        "it was trained on were left out:",
        lines,
    ]


def render_how_to_use(facts: CardData) -> list[str]:
    """Return commands that work when pasted."""
    prompt = facts.prompts[0]
    fetch = f"aws s3 cp --recursive {shlex.quote(facts.model_uri)} model" if facts.model_uri.startswith("s3:") else ""
    python = (
        "from transformers import pipeline\n\n"
        'generator = pipeline("text-generation", model="model")\n'
        f"for post in generator({prompt!r}, num_return_sequences=5):\n"
        '    print(post["generated_text"])'
    )
    command = f"tweetbot-trainer generate --model model --prompt {shlex.quote(prompt)} -n 5 --seed 42"
    return [
        "## How to use",
        *(["Fetch the directory:", format_block(fetch, "sh")] if fetch else []),
        "Then, with the directory as `model`:",
        format_block(python, "python"),
        "The end mark goes before the prompt by itself, and `generation_config.json` holds the sampling values. Or:",
        format_block(command, "sh"),
    ]


def render_limitations(facts: CardData) -> list[str]:
    """Return what the model cannot do and must not be used for."""
    inherited = (
        "It starts from weights drawn at random, so it knows no more of the language than these posts show."
        if facts.base.kind == "scratch"
        else f"It inherits the limits and prejudices of its base ({format_link('GPT-2', GPT2_PAPER)}), "
        "and adds the account's."
    )
    handle = escape_inline(f"@{facts.subject.handle}")
    return [
        "## Limitations and bias",
        f"- {inherited}\n"
        "- What it writes is invented. It may be false, offensive, or repeat a post word for word.\n"
        f"- It does not speak for {handle}. Never present its output as something the person said, "
        "and never use it against anybody who did not agree to be imitated.\n"
        "- Label every text that you publish from it as AI-generated.",
    ]


def render_about(facts: CardData) -> list[str]:
    """Return who made it and what it is called."""
    return [
        "## About",
        f"{format_code(facts.model_name)} was made by {escape_inline(facts.made_by)}, "
        "a Kubernetes operator that turns one person's "
        "posts into a fine-tuned GPT-2. "
        f"The idea of such bots is {format_link('huggingtweets', HUGGINGTWEETS)} by Boris "
        "Dayma. Every file of the model is listed with its hash in `MANIFEST.json` beside this directory.",
    ]


def _format_languages(facts: CardData) -> str:
    return f"Their language: {', '.join(facts.languages)}." if facts.languages else "Their language is undetermined."


def _format_base(facts: CardData) -> str:
    base = facts.base
    if base.hub_name:
        hub = format_link(base.hub_name, f"https://huggingface.co/{base.hub_name}")
        return f"{hub} at commit {format_code(base.digest[:12])}"
    if base.kind == "scratch":
        return f"a small GPT-2 from nothing ({format_code(base.uri)})"
    return f"a GPT-2 of the author's own (weights {format_code(base.digest[:16])})"
