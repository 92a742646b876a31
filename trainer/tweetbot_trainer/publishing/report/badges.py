"""badges.svg, at the top of the card. It is drawn here so that opening a card asks no other server for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.text_drawing import MUTED, TEAL, VERMILION, WHITE, TextRenderer, make_drawable

#: In pixels: height of a badge, padding around each of its two texts, gap between badges, size of the font.
HEIGHT, PADDING, GAP, SIZE = 22, 8, 6, 12
_FONT = "DejaVu Sans,Verdana,sans-serif"


@dataclass(frozen=True, slots=True)
class Badge:
    """A label and its value."""

    label: str
    value: str
    colour: str = TEAL

    @property
    def text(self) -> str:
        """The badge as text, for readers who do not see it."""
        return f"{self.label}: {self.value}"


def build_badges(card: CardData) -> tuple[Badge, ...]:
    """Return the badges of a model."""
    rate = card.metrics.verbatim_rate
    return (
        Badge("AI-generated", f"imitation of @{card.subject.handle}", VERMILION),
        Badge("base", card.base.hub_name or card.base.uri.rstrip("/").rpartition("/")[2]),
        Badge("bits per byte", f"{card.metrics.bits_per_byte:.3f}"),
        *([Badge("verbatim", f"{rate:.1%}")] if rate is not None else []),
    )


def render_badges(badges: Sequence[Badge]) -> str:
    """Return the badges side by side as SVG. Each has its own background, for light and dark pages alike."""
    renderer, left, drawn = TextRenderer(SIZE), 0.0, list[str]()
    for badge in badges:
        widths = [renderer.measure_width(make_drawable(text)) for text in (badge.label, badge.value)]
        drawn.append(_render_badge(badge, left, widths))
        left += sum(widths) + 4 * PADDING + GAP
    title = escape(make_drawable(", ".join(badge.text for badge in badges)))
    width = f"{max(0.0, left - GAP):.1f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" '
        f'viewBox="0 0 {width} {HEIGHT}" role="img"><title>{title}</title>\n{"".join(drawn)}</svg>\n'
    )


def _render_badge(badge: Badge, left: float, widths: Sequence[float]) -> str:
    middle = left + widths[0] + 2 * PADDING
    whole = sum(widths) + 4 * PADDING
    return (
        f'<rect x="{left:.1f}" width="{whole:.1f}" height="{HEIGHT}" rx="4" fill="{badge.colour}"/>\n'
        f'<path d="M{left + 4:.1f} 0H{middle:.1f}V{HEIGHT}H{left + 4:.1f}a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4z" '
        f'fill="{MUTED}"/>\n'
        f"{_render_text(badge.label, left + PADDING, widths[0])}"
        f"{_render_text(badge.value, middle + PADDING, widths[1])}"
    )


def _render_text(text: str, left: float, width: float) -> str:
    """Return a text that takes this width with any font the reader has."""
    return (
        f'<text x="{left:.1f}" y="15.5" textLength="{width:.1f}" font-family="{_FONT}" font-size="{SIZE}" '
        f'fill="{WHITE}">{escape(make_drawable(text))}</text>\n'
    )
