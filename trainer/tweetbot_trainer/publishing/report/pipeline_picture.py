"""pipeline.svg: the way from posts to model with this model's own figures, as in huggingtweets' cards."""

from dataclasses import dataclass

from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.drawing.fonts import make_drawable
from tweetbot_trainer.publishing.report.drawing.svg import render_svg, render_text
from tweetbot_trainer.publishing.report.drawing.text_drawing import (
    FAINT,
    INK,
    MUTED,
    PAPER,
    TEAL,
    WHITE,
    TextRenderer,
)

#: In pixels: a box, the gap with its arrow, the margin around all, and the sizes of a box's two texts.
BOX, TALL, GAP, MARGIN, TITLE_SIZE, LINE_SIZE = 176, 84, 30, 18, 15, 12


@dataclass(frozen=True, slots=True)
class Step:
    """A box: what it is, and up to two lines about it. A thing is lighter than what is done with it."""

    title: str
    lines: tuple[str, ...]
    is_done: bool = False


def list_steps(card: CardData) -> tuple[Step, ...]:
    """Return the boxes from left to right."""
    train, _, test = card.parts
    outcome, table = card.outcome, card.table
    own = "random weights" if card.base.kind == "scratch" else f"a custom {card.base.family_name}"
    base = card.base.hub_name or own
    sources = card.source_names[0] if len(card.source_names) == 1 else f"{len(card.source_names)} sources"
    return (
        Step("Posts", (f"{table.downloaded:,} downloaded", sources)),
        Step("Cleaning", (f"recipe {card.cleaning_recipe}", f"{table.kept:,} kept"), is_done=True),
        Step("Dataset", (card.dataset_digest[:12], f"{train:,} train, {test:,} test")),
        Step(
            "Fine-tuning",
            (f"from {base}", f"{outcome.epochs} epochs, {outcome.steps:,} steps"),
            is_done=True,
        ),
        Step("Model", (f"weights of epoch {outcome.best_epoch}", f"{card.metrics.bits_per_byte:.3f} bits per byte")),
    )


def describe_pipeline(card: CardData) -> str:
    """Return the picture in words."""
    return " → ".join(f"{step.title} ({', '.join(step.lines)})" for step in list_steps(card))


def render_pipeline(card: CardData) -> str:
    """Return the picture as SVG, with a background of its own for dark pages."""
    steps = list_steps(card)
    width, height = 2 * MARGIN + len(steps) * BOX + (len(steps) - 1) * GAP, 2 * MARGIN + TALL
    lefts = [MARGIN + index * (BOX + GAP) for index in range(len(steps))]
    drawn = [f'<rect width="{width}" height="{height}" rx="10" fill="{PAPER}"/>\n']
    drawn += [_render_step(step, left) for step, left in zip(steps, lefts, strict=True)]
    drawn += [_render_arrow(left - GAP) for left in lefts[1:]]
    return render_svg(width, height, describe_pipeline(card), drawn)


def _render_step(step: Step, left: float) -> str:
    fill, title_fill, line_fill = (TEAL, WHITE, WHITE) if step.is_done else (WHITE, INK, MUTED)
    texts = [_render_middle(step.title, left, MARGIN + 30, size=TITLE_SIZE, fill=title_fill, bold=True)]
    texts += [
        _render_middle(line, left, MARGIN + 50 + 17 * index, size=LINE_SIZE, fill=line_fill)
        for index, line in enumerate(step.lines)
    ]
    box = f'<rect x="{left}" y="{MARGIN}" width="{BOX}" height="{TALL}" rx="10" fill="{fill}" stroke="{FAINT}"/>\n'
    return box + "".join(texts)


def _render_middle(text: str, left: float, baseline: float, *, size: int, fill: str, bold: bool = False) -> str:
    """Return a text in the middle of a box, cut if it is too long."""
    renderer = TextRenderer(size, bold=bold)
    cut = renderer.truncate(make_drawable(text), BOX - 16)
    width = renderer.measure_width(cut)
    return render_text(cut, (left + (BOX - width) / 2, baseline), width=width, size=size, fill=fill, bold=bold)


def _render_arrow(left: float) -> str:
    middle, end = MARGIN + TALL / 2, left + GAP - 6
    return (
        f'<path d="M{left + 6:.1f} {middle:.1f}H{end - 5:.1f}" stroke="{MUTED}" stroke-width="2"/>'
        f'<path d="M{end:.1f} {middle:.1f}l-8-5v10z" fill="{MUTED}"/>\n'
    )
