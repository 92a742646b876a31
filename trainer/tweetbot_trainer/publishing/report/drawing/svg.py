"""Small pictures as SVG: text in them has the width that was measured for it, with any font the reader has."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from tweetbot_trainer.publishing.report.drawing.fonts import make_drawable

_FONT = "DejaVu Sans,Verdana,sans-serif"


def render_svg(width: float, height: float, title: str, elements: Sequence[str]) -> str:
    """Return a whole picture of this size in pixels; its title is read to those who do not see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}" height="{height:g}" '
        f'viewBox="0 0 {width:.1f} {height:g}" role="img"><title>{escape(make_drawable(title))}</title>\n'
        f"{''.join(elements)}</svg>\n"
    )


def render_text(text: str, at: tuple[float, float], *, width: float, size: int, fill: str, bold: bool = False) -> str:
    """Return a text on one line that begins at a point of its baseline and is this wide. Any text is only text."""
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" textLength="{width:.1f}" font-family="{_FONT}" font-size="{size}"'
        f'{weight} fill="{fill}">{escape(make_drawable(text))}</text>\n'
    )
