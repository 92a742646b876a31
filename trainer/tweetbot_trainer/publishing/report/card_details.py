"""The figures of a card, which are folded away at first. Each function returns a section's blocks of Markdown."""

from tweetbot_trainer.learning.evaluation.comparison import Comparison, NoComparison
from tweetbot_trainer.learning.evaluation.memorization import Memorization
from tweetbot_trainer.learning.style.style import Style
from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.card_languages import CardLanguages
from tweetbot_trainer.publishing.report.card_tables import (
    render_data_table,
    render_figures_table,
    render_memorization_table,
    render_values_table,
)
from tweetbot_trainer.publishing.report.card_text import FIRST_SAMPLES, format_samples, render_adapter_usage
from tweetbot_trainer.publishing.report.loss_plot import describe_loss
from tweetbot_trainer.publishing.report.markdown import escape_inline, format_code, format_image, format_link
from tweetbot_trainer.publishing.report.pipeline_picture import describe_pipeline

ORDERS = {"created_at": "by time", "input": "by their order in the file", "mixed": "by time where posts have dates"}


def render_details(card: CardData) -> list[str]:
    """Return all sections of figures behind one line that unfolds them."""
    return [
        "## How it was made, and how well it does",
        "<details>\n<summary>The data, the training, and all figures</summary>",
        *(block for render in DETAILS for block in render(card)),
        "</details>",
    ]


def render_how_it_works(card: CardData) -> list[str]:
    """Return the way from posts to model as a picture and in four sentences."""
    return [
        "### How does it work?",
        format_image(describe_pipeline(card), "pipeline.svg"),
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
    watch = "tell when to stop" if card.stops_early else "are only watched"
    where = f" It lies at {format_code(card.dataset_uri)}." if card.dataset_uri.startswith("s3:") else ""
    links = ", ".join(format_link(name, page) for name, page in card.account_pages)
    whose = f"{escape_inline(card.name)} ({links})" if links else escape_inline(card.name)
    explore = f" {_link_artifacts(card, 'Explore the data')}, as it was tracked." if card.tracking_url else ""
    return [
        "### Training data",
        f"The model learned from posts of {whose}.{newest} {_describe_languages(card.languages)}",
        render_data_table(card),
        "The posts kept are the posts downloaded minus the rows in between. "
        f"{_explain_left_out(card)}"
        f"The cleaning recipe is {format_code(card.cleaning_recipe)}. "
        f"The posts are split {ORDERS[card.ordered_by]}: the oldest {train} are for training, "
        f"the next {validation} {watch}, and the newest {test} are the test.",
        f"The dataset has the sha256 {format_code(card.dataset_digest)}.{where} Only who may read the posts can "
        f"read it: none of them is in this directory.{explore}",
    ]


def _explain_left_out(card: CardData) -> str:
    if card.table.claimed is None:
        return ""
    return "What the sources say they hold was downloaded, or left out as the rows above say, or it is missing. "


def _describe_languages(languages: CardLanguages) -> str:
    if not languages.codes:
        return "Their language is undetermined."
    how = " (detected by py3langid where posts have no label, or a wrong one)" if languages.detected else ""
    return f"Their language: {', '.join(languages.codes)}{how}."


def render_training_procedure(card: CardData) -> list[str]:
    """Return the base, the hyper-parameters and the course of the training."""
    outcome, device = card.outcome, card.outcome.device
    tracking = (
        f" {format_link('The run is on Weights & Biases', card.tracking_url)}, with its metrics and "
        f"{_link_artifacts(card, 'artifacts')}."
        if card.tracking_url
        else ""
    )
    return [
        "### Training procedure",
        f"The model starts from {_format_base(card)}. It was trained for {outcome.steps} steps "
        f"({outcome.epochs} of {card.values.epochs} epochs) in {outcome.seconds:.0f} seconds on "
        f"{escape_inline(device.name)} ({device.device_type}), {outcome.tokens_per_second:.0f} tokens per second. "
        f"The published weights are those after epoch {outcome.best_epoch}.{tracking}",
        render_values_table(card),
        format_image(describe_loss(card), "loss.png"),
    ]


def render_evaluation(card: CardData) -> list[str]:
    """Return the figures on the test posts, and how far to trust them."""
    test = card.parts[2]
    few = card.metrics.reliability == "Low"
    caution = f" There are only {test} posts in the test: take the figures as a hint." if few else ""
    return [
        "### Evaluation",
        f"Measured on the newest {test} posts, each predicted on its own.{caution} Bits per byte compare models with "
        "different tokenizers; lower is better.",
        render_figures_table(card),
        *([_describe_comparison(card)] if card.comparison else []),
        *(_render_memorization(card.memorization) if card.memorization else []),
        *(_render_style(card, card.style) if card.style else []),
    ]


def _describe_comparison(card: CardData) -> str:
    match card.comparison:
        case Comparison() as found:
            return f"Compared with the version that was served before: its {found.describe(card.metrics)}."
        case NoComparison(version, why):
            return f"It could not be compared with version {version}, which was served before: {escape_inline(why)}."
    return ""


def _render_memorization(found: Memorization) -> list[str]:
    return [
        f"How much it copies: {found.samples} texts that the model wrote without a prompt, compared with the posts. "
        "People repeat themselves, so only the difference between the third line and the fourth was memorized.",
        render_memorization_table(found),
    ]


def _render_style(card: CardData, style: Style) -> list[str]:
    """Return the style score with what its 0 and 1 are, or why there is none."""
    if style.score is None:
        return [f"How much it sounds like its author was not measured: {style.untold}."]
    name, score = escape_inline(card.name), style.score
    words = f"; by function words alone {style.function_words.value:.2f}" if style.function_words else ""
    return [
        f"How much it sounds like its author: **{score.value:.2f}** (95 % interval {score.low:.2f} to {score.high:.2f})"
        f"{words}. 0 is how the other people write who come closest to {name}, 1 is how {name} writes in posts that it "
        "was not trained on. Clearly more than 1, with a high share of repeated text in the table above, is a copy."
    ]


def render_other_samples(card: CardData) -> list[str]:
    """Return the texts that the card's beginning has no room for."""
    first = card.first_samples[:FIRST_SAMPLES]
    others = tuple(sample for sample in card.samples if not any(sample is one for one in first))
    return ["### More that it wrote", format_samples(others)] if others else []


def render_adapter(card: CardData) -> list[str]:
    """Return how to use the LoRA adapter alone; nothing if every weight was trained."""
    if card.values.lora is None:
        return []
    return [
        "### Adapter",
        "Only LoRA adapters were trained; this directory holds the base with the adapters merged into its weights. "
        "The adapter alone is a few megabytes, in the format of the peft library.",
        *render_adapter_usage(card),
    ]


DETAILS = (
    render_how_it_works,
    render_training_data,
    render_training_procedure,
    render_evaluation,
    render_other_samples,
    render_adapter,
)


def _link_artifacts(card: CardData, label: str) -> str:
    return format_link(label, f"{(card.tracking_url or '').rstrip('/')}/artifacts")


def _format_base(card: CardData) -> str:
    base = card.base
    if base.hub_name:
        return f"{format_link(base.hub_name, base.hub_page or '')} at commit {format_code(base.digest[:12])}"
    if base.kind == "scratch":
        return f"a small GPT-2 with random weights ({format_code(base.uri)})"
    return f"a custom {base.family_name} (weights {format_code(base.digest[:16])})"
