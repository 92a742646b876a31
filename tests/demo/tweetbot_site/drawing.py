"""Boxes and arrows as SVG, with the colours of the terminal's picture; text keeps its place with any font."""

from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape

PAPER, FRAME, INK, FAINT, LINE = "#14262e", "#22383f", "#e3eaed", "#9db2ba", "#7fd4dd"
FONT = "DejaVu Sans,Helvetica,Arial,sans-serif"
_LINE_HEIGHT = 18


@dataclass(frozen=True, slots=True)
class Box:
    """A thing, by its place in pixels and its lines; the first is its name."""

    left: int
    top: int
    width: int
    height: int
    lines: tuple[str, ...]
    colour: str = LINE

    @property
    def middle(self) -> tuple[int, int]:
        """Where its middle is."""
        return self.left + self.width // 2, self.top + self.height // 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way through points in pixels, with a word at one of them."""

    points: tuple[tuple[int, int], ...]
    text: str = ""
    at: tuple[int, int] = (0, 0)
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around things that belong together, by its place in pixels."""

    left: int
    top: int
    width: int
    height: int
    text: str


def draw(
    title: str, size: tuple[int, int], boxes: Iterable[Box], arrows: Iterable[Arrow], frames: Iterable[Frame] = ()
) -> str:
    """Return the picture; its title is what is read out."""
    width, height = size
    body = "\n".join([*map(_draw_frame, frames), *map(_draw_arrow, arrows), *map(_draw_box, boxes)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" font-family="{FONT}">'
        f"<title>{escape(title)}</title>\n"
        f'<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{FAINT}"/></marker></defs>\n'
        f'<rect width="{width}" height="{height}" rx="10" fill="{PAPER}"/>\n{body}\n</svg>\n'
    )


def _draw_frame(frame: Frame) -> str:
    box = f'<rect x="{frame.left}" y="{frame.top}" width="{frame.width}" height="{frame.height}" rx="10"'
    text = f'<text x="{frame.left + 14}" y="{frame.top + 22}" font-size="12" fill="{FAINT}">{escape(frame.text)}</text>'
    return f'{box} fill="none" stroke="{FAINT}" stroke-dasharray="2 4"/>{text}'


def _draw_box(box: Box) -> str:
    x, y = box.middle
    first = y - (len(box.lines) - 1) * _LINE_HEIGHT // 2 + 5
    texts = "".join(
        f'<text x="{x}" y="{first + _LINE_HEIGHT * index}" text-anchor="middle" font-size="{12 if index else 14}" '
        f'fill="{FAINT if index else INK}">{escape(line)}</text>'
        for index, line in enumerate(box.lines)
    )
    frame = f'<rect x="{box.left}" y="{box.top}" width="{box.width}" height="{box.height}" rx="8"'
    return f'{frame} fill="{FRAME}" stroke="{box.colour}"/>{texts}'


def _draw_arrow(arrow: Arrow) -> str:
    way = "M" + "L".join(f"{x} {y}" for x, y in arrow.points)
    dash = ' stroke-dasharray="5 4"' if arrow.dashed else ""
    line = f'<path d="{way}" fill="none" stroke="{FAINT}" stroke-width="1.4"{dash} marker-end="url(#tip)"/>'
    x, y = arrow.at
    word = f'<text x="{x}" y="{y}" text-anchor="middle" font-size="12" fill="{FAINT}">{escape(arrow.text)}</text>'
    return line + (word if arrow.text else "")
