"""badges.svg, at the top of the card. It is drawn here so that opening a card asks no other server for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.drawing.fonts import make_drawable
from tweetbot_trainer.publishing.report.drawing.svg import render_svg, render_text
from tweetbot_trainer.publishing.report.drawing.text_drawing import (
    AMBER,
    MUTED,
    SLATE,
    TEAL,
    VERMILION,
    WHITE,
    TextRenderer,
)

#: In pixels: height of a badge, padding around each of its two texts, gap between badges, size of the font.
HEIGHT, PADDING, GAP, SIZE = 22, 8, 6, 12
#: Shares of texts that copy a training post: above the first it is a caution, above the second, or a stricter limit of
#: the spec, bad news.
COPIES, MANY_COPIES = 0.05, 0.2


@dataclass(frozen=True, slots=True)
class Badge:
    """A label and its value. TEAL is good news, AMBER a caution, VERMILION a warning; SLATE judges nothing."""

    label: str
    value: str
    colour: str = SLATE

    @property
    def text(self) -> str:
        """The badge as text, for readers who do not see it."""
        return f"{self.label}: {self.value}"


def build_badges(card: CardData) -> tuple[Badge, ...]:
    """Return the badges of a model."""
    rate = card.metrics.verbatim_rate
    return (
        Badge("AI-generated", f"imitation of @{card.handle}", VERMILION),
        Badge("base", card.base.hub_name or card.base.uri.rstrip("/").rpartition("/")[2]),
        Badge("bits per byte", f"{card.metrics.bits_per_byte:.3f}", _choose_improvement_colour(card)),
        *([Badge("verbatim", f"{rate:.1%}", _choose_copies_colour(card, rate))] if rate is not None else []),
    )


def _choose_improvement_colour(card: CardData) -> str:
    """Only the base's figure tells whether the model's is good."""
    base = card.metrics.base_bits_per_byte
    if base is None or card.metrics.reliability == "Low":
        return SLATE
    return TEAL if card.metrics.bits_per_byte < base else VERMILION


def _choose_copies_colour(card: CardData, rate: float) -> str:
    limit = card.gates.max_verbatim_percent
    if rate > min(MANY_COPIES, 1.0 if limit is None else limit / 100):
        return VERMILION
    return AMBER if rate > COPIES else TEAL


def render_badges(badges: Sequence[Badge]) -> str:
    """Return the badges side by side as SVG. Each has its own background, for light and dark pages alike."""
    renderer, left, drawn = TextRenderer(SIZE), 0.0, list[str]()
    for badge in badges:
        widths = [renderer.measure_width(make_drawable(text)) for text in (badge.label, badge.value)]
        drawn.append(_render_badge(badge, left, widths))
        left += sum(widths) + 4 * PADDING + GAP
    return render_svg(max(0.0, left - GAP), HEIGHT, ", ".join(badge.text for badge in badges), drawn)


def _render_badge(badge: Badge, left: float, widths: Sequence[float]) -> str:
    middle = left + widths[0] + 2 * PADDING
    whole = sum(widths) + 4 * PADDING
    texts = ((badge.label, left + PADDING, widths[0]), (badge.value, middle + PADDING, widths[1]))
    return (
        f'<rect x="{left:.1f}" width="{whole:.1f}" height="{HEIGHT}" rx="4" fill="{badge.colour}"/>\n'
        f'<path d="M{left + 4:.1f} 0H{middle:.1f}V{HEIGHT}H{left + 4:.1f}a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4z" '
        f'fill="{MUTED}"/>\n'
        + "".join(render_text(text, (x, 15.5), width=width, size=SIZE, fill=WHITE) for text, x, width in texts)
    )
