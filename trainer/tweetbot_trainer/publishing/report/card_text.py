"""The sections of a card: each function returns a section's blocks of Markdown."""

import shlex

from tweetbot_trainer.learning.evaluation.memorization import Memorization
from tweetbot_trainer.publishing.report.badges import build_badges
from tweetbot_trainer.publishing.report.card_data import REPORT_LINK, CardData
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
    "Unspecified": "The maker of this bot did not state how it relates to the person behind {handle}.",
    "Self": "The owner of {handle} made this bot from their own posts.",
    "Consented": "The owner of {handle} agreed to this bot.",
    "Fictional": "{handle} is a fictional account: nobody real is imitated.",
    "Parody": "This bot is a parody. The person behind {handle} neither made nor endorses it.",
}
ORDERS = {"created_at": "by time", "input": "by their order in the file", "mixed": "by time where posts have dates"}


def render_header(card: CardData) -> list[str]:
    """Return the accounts' pictures, the title and the badges."""
    title = f"# 🤖 {escape_inline(card.name)}: an AI {'cyborg' if len(card.account_names) > 1 else 'bot'}"
    pictures = " ".join(format_image(f"Picture of {card.name}", f"{REPORT_LINK}/{file}") for file in card.pictures)
    badges = format_image(", ".join(badge.text for badge in build_badges(card)), f"{REPORT_LINK}/badges.svg")
    return [pictures, title, badges] if pictures else [title, badges]


def render_notice(card: CardData) -> list[str]:
    """Return what nobody may miss: a machine writes this, whom it imitates, and with whose consent."""
    handle = escape_inline(f"@{card.subject.handle}")
    relation = RELATIONS[card.subject.relation].format(handle=handle)
    if card.other_handle:
        relation = f"{relation} The posts come from the account {escape_inline(f'@{card.other_handle}')}."
    consent = f" On record: {escape_inline(card.subject.consent_ref)}." if card.subject.consent_ref else ""
    return [
        f"> **AI-generated imitation of {handle}.** A machine writes every word of this model's output; "
        f"{escape_inline(card.name)} wrote none of it.\n>\n> {relation}{consent}",
        f"Made with {escape_inline(card.made_by)}, in the tradition of {format_link('huggingtweets', HUGGINGTWEETS)}.",
        format_image(f"Posts by the model, in the style of {card.name}", f"{REPORT_LINK}/predictions.png"),
    ]


def render_how_it_works(card: CardData) -> list[str]:
    """Return the way from posts to model in four sentences."""
    return [
        "## How does it work?",
        "1. The posts are read from their sources, cleaned and counted.\n"
        "2. They are stored as a dataset that is named by its own hash.\n"
        f"3. Starting from {_format_base(card)}, the model is fine-tuned on the older posts, "
        "each between two end marks.\n"
        "4. The model is measured on the newest posts, which it was not trained on, and published with the results.",
    ]


def render_training_data(card: CardData) -> list[str]:
    """Return how many posts there were and what became of them."""
    train, validation, test = card.parts
    newest = f" The newest post is from {escape_inline(card.newest_post_at[:10])}." if card.newest_post_at else ""
    languages = f"Their language: {', '.join(card.languages)}." if card.languages else "Their language is undetermined."
    dataset = format_link(
        f"dataset {card.dataset_digest[:16]}", f"../../../datasets/{card.dataset_digest}/dataset.json"
    )
    watch = "tell when to stop" if card.stops_early else "are only watched"
    return [
        "## Training data",
        f"The model learned from posts of {escape_inline(card.name)}.{newest} {languages}",
        render_data_table(card),
        "The posts kept are the posts downloaded minus the rows in between. "
        f"The cleaning recipe is {format_code(card.cleaning_recipe)}. "
        f"The posts are split {ORDERS[card.ordered_by]}: the oldest {train} are for training, "
        f"the next {validation} {watch}, and the newest {test} are the test.",
        f"The data is {dataset}, sha256 {format_code(card.dataset_digest)}.",
    ]


def render_training_procedure(card: CardData) -> list[str]:
    """Return the base, the hyper-parameters and the course of the training."""
    outcome, device = card.outcome, card.outcome.device
    link = format_link("Weights & Biases", card.tracking_url) if card.tracking_url else ""
    tracking = f" The run is on {link}, with its metrics and artifacts." if link else ""
    return [
        "## Training procedure",
        f"The model starts from {_format_base(card)}. It was trained for {outcome.steps} steps "
        f"({outcome.epochs} of {card.values.epochs} epochs) in {outcome.seconds:.0f} seconds on "
        f"{escape_inline(device.name)} ({device.device_type}), {outcome.tokens_per_second:.0f} tokens per second. "
        f"The published weights are those after epoch {outcome.best_epoch}.{tracking}",
        render_values_table(card),
        format_image("Loss during training", f"{REPORT_LINK}/loss.png"),
    ]


def render_evaluation(card: CardData) -> list[str]:
    """Return the figures on the test posts, and how far to trust them."""
    test = card.parts[2]
    few = card.metrics.reliability == "Low"
    caution = f" There are only {test} posts in the test: take the figures as a hint." if few else ""
    return [
        "## Evaluation",
        f"Measured on the newest {test} posts, each predicted on its own.{caution} Bits per byte compare models with "
        "different tokenizers; lower is better.",
        render_figures_table(card),
        *(_render_memorization(card.memorization) if card.memorization else []),
    ]


def _render_memorization(found: Memorization) -> list[str]:
    return [
        f"How much it copies: {found.samples} texts that the model wrote without a prompt, compared with the posts. "
        "People repeat themselves, so only the difference between the third line and the fourth was memorized.",
        render_memorization_table(found),
    ]


def render_samples(card: CardData) -> list[str]:
    """Return texts of the model, unedited."""
    if not card.samples:
        return []
    return [
        "## Samples",
        "Written by the model (AI-generated), unedited and in the order of writing. Texts that copy a training post "
        "were left out:",
        "\n".join(f"- {escape_inline(sample.text)}" for sample in card.samples),
    ]


def render_how_to_use(card: CardData) -> list[str]:
    """Return commands that work when pasted."""
    prompt = card.prompts[0]
    download = f"aws s3 cp --recursive {shlex.quote(card.model_uri)} model" if card.model_uri.startswith("s3:") else ""
    python = (
        "from transformers import pipeline\n\n"
        'generator = pipeline("text-generation", model="model")\n'
        f"for post in generator({prompt!r}, num_return_sequences=5):\n"
        '    print(post["generated_text"])'
    )
    command = f"tweetbot-trainer generate --model model --prompt {shlex.quote(prompt)} -n 5 --seed 42"
    return [
        "## How to use",
        *(["Download the model:", format_block(download, "sh")] if download else []),
        "Load it from the directory `model`:",
        format_block(python, "python"),
        "The end mark is put before the prompt automatically, and `generation_config.json` holds the sampling values. "
        "Or on the command line:",
        format_block(command, "sh"),
    ]


def render_adapter(card: CardData) -> list[str]:
    """Return how to use the LoRA adapter alone; nothing if every weight was trained."""
    if card.values.lora is None:
        return []
    return [
        "## Adapter",
        "Only LoRA adapters were trained; this directory holds the base with the adapters merged into its weights. "
        f"{format_link('The adapters alone', '../adapter')} are a few megabytes, in the format of the peft library.",
        *render_adapter_usage(card),
    ]


def render_adapter_usage(card: CardData) -> list[str]:
    """Return the code that loads the adapter on its base."""
    hub_name = card.base.hub_name
    base = f'"{hub_name}", revision="{card.base.digest}"' if hub_name else '"base"'
    python = (
        "from peft import PeftModel\n"
        "from transformers import AutoModelForCausalLM\n\n"
        f"base = AutoModelForCausalLM.from_pretrained({base})\n"
        'model = PeftModel.from_pretrained(base, "adapter")'
    )
    where = "" if hub_name else ", and its base from the directory `base`"
    return [f"Load them from the directory `adapter`{where}:", format_block(python, "python")]


def render_limitations(card: CardData) -> list[str]:
    """Return what the model cannot do and must not be used for."""
    inherited = (
        "It was trained from random weights, so it knows no more of the language than these posts show."
        if card.base.kind == "scratch"
        else f"It inherits the limits and biases of its base ({format_link('GPT-2', GPT2_PAPER)}), "
        "and adds those of the account."
    )
    handle = escape_inline(f"@{card.subject.handle}")
    return [
        "## Limitations and bias",
        f"- {inherited}\n"
        "- What it writes is invented. It may be false or offensive, or repeat a post word for word.\n"
        f"- It does not speak for {handle}. Never present its output as something the person said, "
        "and never use it against anyone who did not agree to be imitated.\n"
        "- Label every text of it that you publish as AI-generated.",
    ]


def render_about(card: CardData) -> list[str]:
    """Return who made the model and what it is called."""
    return [
        "## About",
        f"{format_code(card.model_name)} was made by {escape_inline(card.made_by)}, a Kubernetes operator that turns "
        f"one person's posts into a fine-tuned GPT-2. The idea comes from {format_link('huggingtweets', HUGGINGTWEETS)}"
        " by Boris Dayma. `MANIFEST.json`, next to this directory, lists every file of the model with its hash.",
    ]


def _format_base(card: CardData) -> str:
    base = card.base
    if base.hub_name:
        hub = format_link(base.hub_name, f"https://huggingface.co/{base.hub_name}")
        return f"{hub} at commit {format_code(base.digest[:12])}"
    if base.kind == "scratch":
        return f"a small GPT-2 with random weights ({format_code(base.uri)})"
    return f"a custom GPT-2 (weights {format_code(base.digest[:16])})"
