"""The card's tables."""

from tweetbot_contract.data_table import DataTable
from tweetbot_contract.spec.training import BLOCK, COPIES
from tweetbot_trainer.learning.evaluation.memorization import Memorization
from tweetbot_trainer.learning.training.device import Device
from tweetbot_trainer.learning.values import SHORT_STEPS
from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.markdown import escape_inline, format_table

#: Labels of why a record never became a post.
NOT_DOWNLOADED = {
    "repeated": "Repeated records",
    "unreadable": "Damaged records",
    "not_public": "Posts that were not public",
    "not_posts": "Records that are no posts",
    "older": "Posts older than the newest maxPosts",
    "excluded": "Excluded posts",
    "missing": "Missing",
}
#: Labels of the reasons for dropping a post, in the order in which they are checked.
DROPS = {
    "retweets": "Retweets",
    "edits": "Earlier versions of edited posts",
    "truncated": "Posts of which only the beginning is there",
    "replies": "Replies",
    "languages": "Other languages",
    "short": "Short posts",
    "duplicates": "Near-duplicates",
}
#: Shown even at 0: they were in every card of huggingtweets.
ALWAYS_SHOWN = ("retweets", "short")


def render_data_table(card: CardData) -> str:
    """Return the posts downloaded, dropped for each reason, and kept; with several sources a column for each."""
    several = len(card.source_tables) > 1
    tables = (*card.source_tables, card.table) if several else (card.table,)
    names = (*card.source_names, "all") if several else (f"posts of {card.name}",)
    shown = [reason for reason in DROPS if getattr(card.table, reason) or reason in ALWAYS_SHOWN]
    lines = [
        *_render_left_out(card.table, tables),
        ["Posts downloaded", *(str(one.downloaded) for one in tables)],
        *([DROPS[reason], *_format_dropped(card, reason, tables)] for reason in shown),
        ["**Posts kept**", *(f"**{one.kept}**" for one in tables)],
    ]
    if card.table.redacted:
        lines.append(["of these with personal data replaced", *(str(one.redacted) for one in tables)])
    if card.values.source_weights:
        lines.append(["Weight in training", *map(str, card.values.source_weights), ""])
    return format_table(["Data", *map(escape_inline, names)], lines)


def _render_left_out(whole: DataTable, tables: tuple[DataTable, ...]) -> list[list[str]]:
    """Return what the sources say they hold, and what of it was not downloaded; nothing that is 0 everywhere."""
    shown = [(label, name) for name, label in NOT_DOWNLOADED.items() if getattr(whole, name)]
    lines = [[label, *(str(getattr(one, name)) for one in tables)] for label, name in shown]
    if whole.claimed is None:
        return lines
    return [["Held, as the source says", *map(_format_claimed, tables)], *lines]


def _format_claimed(table: DataTable) -> str:
    return "unknown" if table.claimed is None else str(table.claimed)


def _format_dropped(card: CardData, reason: str, tables: tuple[DataTable, ...]) -> list[str]:
    """Return the cells of a reason. If retweets were not downloaded, their number is unknown, not 0."""
    cells = [str(getattr(one, reason)) for one in tables]
    if reason == "retweets" and any(card.without_retweets):
        unknown = (*card.without_retweets, all(card.without_retweets))
        return ["not downloaded" if left else cell for left, cell in zip(unknown, cells, strict=False)]
    return cells


def render_values_table(card: CardData) -> str:
    """Return every hyper-parameter."""
    values, sampling, lora = card.values, card.sampling, card.values.lora
    rate = f"{values.learning_rate:g}"
    if values.short_learning_rate is not None:
        rate = f"{rate} ({values.short_learning_rate:g} in under {SHORT_STEPS} steps)"
    adapters = f"LoRA adapters on every linear layer, rank {lora.rank}, alpha {lora.alpha}" if lora else None
    pairs = {
        "Recipe": values.recipe,
        "Trained": adapters or "every weight",
        "Optimizer": f"{values.optimizer}, betas {values.betas[0]:g} and {values.betas[1]:g}, "
        f"epsilon {values.adam_epsilon:g}",
        "Learning rate": f"{rate}, {values.schedule} to 0, warm-up {values.warmup:.0%} of the steps",
        "Batch": f"{values.batch_tokens} label tokens per step{_describe_memory(card)}",
        "Weight decay, gradient clip": f"{values.weight_decay:g}, {values.clip_norm:g}",
        "Dropout": f"{values.dropout:g}, of attention weights {values.attention_dropout:g}",
        "Epochs": _format_epochs(card),
        "Precision": _format_precision(card.outcome.device),
        "Seed": str(values.seed),
        "Sampling": f"temperature {sampling.temperature:g}, top-p {sampling.top_p:g}, top-k {sampling.top_k}, "
        f"{sampling.min_new_tokens} to {sampling.max_new_tokens} tokens",
    }
    return format_table(["Hyper-parameter", "Value"], [[name, escape_inline(value)] for name, value in pairs.items()])


def _describe_memory(card: CardData) -> str:
    return ", activations computed again for the backward pass" if card.outcome.recomputed else ""


def _format_precision(device: Device) -> str:
    if device.products is None:
        return device.precision
    fp32, bf16 = (f"{1000 * seconds:.3g} ms" for seconds in (device.products.fp32, device.products.bf16))
    return f"{device.precision}, as measured: a product of the model's shape took {fp32} in FP32, {bf16} in BF16"


def _format_epochs(card: CardData) -> str:
    if card.values.recipe == "huggingtweets":
        return f"1, of {COPIES} reshuffled copies of the posts in blocks of at most {BLOCK} tokens"
    return f"at most {card.values.epochs}, early stopping {'on' if card.stops_early else 'off'}"


def render_figures_table(card: CardData) -> str:
    """Return the figures on the test posts, next to the base's if it was measured."""
    metrics, (low, high) = card.metrics, card.interval
    lines = [
        ["Loss (nats per token)", f"{metrics.eval_loss:.4f}"],
        ["Perplexity", f"{metrics.perplexity:.2f}"],
        ["Bits per byte", f"{metrics.bits_per_byte:.4f} (95 % interval {low:.4f} to {high:.4f})"],
    ]
    if metrics.base_bits_per_byte is not None:
        lines.append(["Bits per byte of the base before training", f"{metrics.base_bits_per_byte:.4f}"])
    if metrics.base_bits_per_byte and card.ratio_interval:
        low, high = card.ratio_interval
        ratio = metrics.bits_per_byte / metrics.base_bits_per_byte
        lines.append(["Bits per byte relative to the base", f"{ratio:.1%} (95 % interval {low:.1%} to {high:.1%})"])
    return format_table(["Test posts", "Value"], lines)


def render_memorization_table(found: Memorization) -> str:
    """Return how much of what the model writes without a prompt is found in posts, word for word."""
    lines = [
        ["50 characters or more of a training post", f"{found.verbatim_rate:.1%}"],
        ["8 words or more of a training post", f"{found.word_rate:.1%}"],
        ["50 characters of as many training posts as there are test posts", f"{found.sized_rate:.1%}"],
        ["50 characters of the test posts, which it has never seen", f"{found.unseen_rate:.1%}"],
        ["An address, a number or a key of a training post", str(found.leaked)],
        ["Distinct sequences of one, two, three words", ", ".join(f"{share:.1%}" for share in found.distinct)],
    ]
    return format_table([f"Of {found.samples} texts", "Share"], lines)
