"""The card's tables."""

from tweetbot_contract.result import DataTable
from tweetbot_trainer.learning.evaluation.memorization import Memorization
from tweetbot_trainer.learning.values import BLOCK, COPIES, SHORT_STEPS, Hyperparameters, LoraConfig
from tweetbot_trainer.publishing.report.card_facts import CardData
from tweetbot_trainer.publishing.report.markdown import escape_inline, format_table

#: What the drops are called, in the order in which posts are checked.
DROPS = {
    "retweets": "Retweets",
    "edits": "Earlier versions of edited posts",
    "replies": "Replies",
    "languages": "Other languages",
    "short": "Short posts",
    "duplicates": "Near-duplicates",
}
#: These two stood in every card of huggingtweets.
ALWAYS_SHOWN = ("retweets", "short")


def render_data_table(facts: CardData) -> str:
    """Return downloaded, each drop, and kept; a column for each source where there are several."""
    tables = (*facts.source_tables, facts.table) if len(facts.source_tables) > 1 else (facts.table,)
    names = (*facts.source_names, "all") if len(facts.source_tables) > 1 else (f"posts of {facts.name}",)
    dropped = [(name, label) for name, label in DROPS.items() if _get_count(facts.table, name) or name in ALWAYS_SHOWN]
    lines = [
        ["Posts downloaded", *(str(one.downloaded) for one in tables)],
        *([label, *_format_dropped(facts, name, tables)] for name, label in dropped),
        ["**Posts kept**", *(f"**{one.kept}**" for one in tables)],
    ]
    if facts.table.redacted:
        lines.append(["of these with personal data replaced", *(str(one.redacted) for one in tables)])
    if facts.values.source_weights:
        lines.append(["Weight in training", *map(str, facts.values.source_weights), ""])
    return format_table(["Data", *map(escape_inline, names)], lines)


def _format_dropped(facts: CardData, name: str, tables: tuple[DataTable, ...]) -> list[str]:
    """Return a drop's cells; 0 retweets would say that there were none where nobody asked X for them."""
    cells = [str(_get_count(one, name)) for one in tables]
    if name == "retweets" and any(facts.without_retweets):
        unknown = (*facts.without_retweets, all(facts.without_retweets))
        return ["not downloaded" if left else cell for left, cell in zip(unknown, cells, strict=False)]
    return cells


def _get_count(one: DataTable, drop: str) -> int:
    number: int = getattr(one, drop)
    return number


def render_values_table(facts: CardData) -> str:
    """Return every hyper-parameter."""
    values, sampling = facts.values, facts.sampling
    pairs = {
        "Recipe": values.recipe,
        "Trained": _format_method(values.lora),
        "Optimizer": f"{values.optimizer}, betas {values.betas[0]:g} and {values.betas[1]:g}, "
        f"epsilon {values.adam_epsilon:g}",
        "Learning rate": f"{_format_rate(values)}, {values.schedule} to 0, warm-up {values.warmup:.0%} of the steps",
        "Batch": f"{values.batch_tokens} label tokens a step",
        "Weight decay, gradient clip": f"{values.weight_decay:g}, {values.clip_norm:g}",
        "Dropout": f"{values.dropout:g}, of attention weights {values.attention_dropout:g}",
        "Epochs": _format_passes(facts),
        "Precision": facts.outcome.device.precision,
        "Seed": str(values.seed),
        "Sampling": f"temperature {sampling.temperature:g}, top-p {sampling.top_p:g}, top-k {sampling.top_k}, "
        f"{sampling.min_new_tokens} to {sampling.max_new_tokens} tokens",
    }
    return format_table(["Hyper-parameter", "Value"], [[name, escape_inline(value)] for name, value in pairs.items()])


def _format_passes(facts: CardData) -> str:
    values = facts.values
    if values.recipe == "huggingtweets":
        return f"1, of {COPIES} reshuffled copies of the posts in blocks of at most {BLOCK} tokens"
    return f"{values.epochs} at the most, early stopping {'on' if facts.stops_early else 'off'}"


def _format_method(lora: LoraConfig | None) -> str:
    if lora is None:
        return "every weight"
    return f"LoRA adapters on every linear layer, rank {lora.rank}, alpha {lora.alpha}"


def _format_rate(values: Hyperparameters) -> str:
    if values.short_learning_rate is None:
        return f"{values.learning_rate:g}"
    return f"{values.learning_rate:g} ({values.short_learning_rate:g} in under {SHORT_STEPS} steps)"


def render_figures_table(facts: CardData) -> str:
    """Return the figures on the test posts, beside the base's where it has any."""
    metrics = facts.metrics
    lines = [
        ["Loss (nats a token)", f"{metrics.eval_loss:.4f}"],
        ["Perplexity", f"{metrics.perplexity:.2f}"],
        [
            "Bits per byte",
            f"{metrics.bits_per_byte:.4f} ({facts.interval[0]:.4f} to {facts.interval[1]:.4f} with 95 %)",
        ],
    ]
    if metrics.base_bits_per_byte is not None:
        lines.append(["Bits per byte of the base before training", f"{metrics.base_bits_per_byte:.4f}"])
    if metrics.base_bits_per_byte and facts.ratio_interval:
        low, high = facts.ratio_interval
        ratio = metrics.bits_per_byte / metrics.base_bits_per_byte
        lines.append(["Of the base's, the tuned model needs", f"{ratio:.1%} ({low:.1%} to {high:.1%} with 95 %)"])
    return format_table(["Test posts", "Value"], lines)


def render_memorization_table(found: Memorization) -> str:
    """Return how much of what the model writes by itself stands in posts, word for word."""
    lines = [
        ["50 characters or more of a post it was trained on", f"{found.verbatim_rate:.1%}"],
        ["8 words or more of a post it was trained on", f"{found.word_rate:.1%}"],
        ["50 characters of as many train posts as there are test posts", f"{found.sized_rate:.1%}"],
        ["50 characters of the test posts, which it has never seen", f"{found.unseen_rate:.1%}"],
        ["An address, a number or a key of a post it was trained on", str(found.leaked)],
        ["Different sequences of one, two, three words", ", ".join(f"{share:.1%}" for share in found.distinct)],
    ]
    return format_table([f"Of {found.samples} texts", "Share"], lines)
