"""Text in pictures: measured, wrapped and drawn in any script, with emoji in colour."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any

from PIL import ImageFont, features
from PIL.ImageDraw import ImageDraw

from tweetbot_trainer.publishing.report.drawing.bidi import resolve_directions, sort_parts
from tweetbot_trainer.publishing.report.drawing.fonts import CJK, EMOJI, find_font, split_clusters

INK = "#14262e"
MUTED = "#5c6f78"
GRID = "#e3eaed"
PAPER = "#f3f7f8"
WHITE = "#ffffff"
TEAL = "#0b7f8c"
SLATE = "#3f5964"
AMBER = "#a86500"
FAINT = "#b9dde1"
VERMILION = "#d1491b"

#: A text with the colour that it is drawn in.
Piece = tuple[str, str]
#: Small kana and signs that begin no line in Japanese, beside closing punctuation of any script.
_NO_BEGINNING = frozenset("、。，．！？：；・ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ…")  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Part of a line in one font, colour and direction."""

    text: str
    font: Path
    colour: str
    backwards: bool


class TextRenderer:
    """Draws text of one size in pixels, regular or bold. Texts must have been through `make_drawable`.

    `language` chooses between the forms that Japan, China and Korea have of a character.
    """

    def __init__(self, size: int, *, bold: bool = False, language: str | None = None) -> None:
        self._bold, self._language = bold, language
        self.size, self.line_height = size, round(size * 1.36)

    def measure_width(self, text: str) -> float:
        """Return the width of the text on one line, in pixels."""
        return sum(map(self._measure, self._split([(text, INK)], backwards=False)))

    def draw(
        self, canvas: ImageDraw, at: tuple[float, float], pieces: Sequence[Piece], *, backwards: bool = False
    ) -> None:
        """Draw pieces of text, each with its colour. The baseline begins at `at`, and goes left if `backwards`."""
        chunks = self._split(pieces, backwards=backwards)
        ordered = sort_parts(chunks, [chunk.backwards for chunk in chunks], backwards=backwards)
        widths = [self._measure(chunk) for chunk in ordered]
        left = at[0] - sum(widths) if backwards else at[0]
        for chunk, x in zip(ordered, accumulate(widths, initial=left), strict=False):
            options = {"embedded_color": chunk.font == EMOJI, **self._shape(chunk)}
            canvas.text((x, at[1]), chunk.text, font=self._load(chunk), fill=chunk.colour, anchor="ls", **options)

    def wrap(self, text: str, width: float) -> list[str]:
        """Break the text into lines of at most this width: between words, or inside a word that is wider."""
        lines = [""]
        for part in (part for word in text.split() for part in self._split_word(word, width)):
            longer = f"{lines[-1]} {part}".lstrip()
            if self.measure_width(longer) <= width:
                lines[-1] = longer
            else:
                lines.append(part)
        return lines

    def truncate(self, text: str, width: float) -> str:
        """Return the text, or as much of its beginning as fits before an ellipsis."""
        if self.measure_width(text) <= width:
            return text
        clusters = split_clusters(text)
        while clusters and self.measure_width("".join(clusters) + "…") > width:
            clusters.pop()
        return f"{''.join(clusters).rstrip()}…" if clusters else ""

    def _split_word(self, word: str, width: float) -> list[str]:
        if self.measure_width(word) <= width:
            return [word]
        parts = [""]
        for unit in _split_units(word):
            if parts[-1] and self.measure_width(parts[-1] + unit) > width:
                parts.append("")
            parts[-1] += unit
        return parts

    def _split(self, pieces: Sequence[Piece], *, backwards: bool) -> list[_Chunk]:
        """Return the chunks of a line in reading order. A character that no font has is drawn as DejaVu's box."""
        clusters = [(cluster, colour) for text, colour in pieces for cluster in split_clusters(text)]
        directions = resolve_directions([cluster for cluster, _ in clusters], backwards=backwards)
        box = find_font("x", bold=self._bold)
        styles = [
            (find_font(cluster, bold=self._bold) or box, colour, direction)
            for (cluster, colour), direction in zip(clusters, directions, strict=True)
        ]
        groups = groupby(zip(clusters, styles, strict=True), key=lambda pair: pair[1])
        return [_Chunk("".join(one for (one, _), _ in group), *style) for style, group in groups if style[0]]

    def _measure(self, chunk: _Chunk) -> float:
        return self._load(chunk).getlength(chunk.text, **self._shape(chunk))

    def _load(self, chunk: _Chunk) -> ImageFont.FreeTypeFont:
        return _load_font(chunk.font, self.size)

    def _shape(self, chunk: _Chunk) -> dict[str, Any]:
        """Return what the text engine is to know; Pillow's basic one knows none of it."""
        if not features.check("raqm"):
            return {}
        language = {"language": self._language} if self._language and chunk.font == CJK else {}
        return {"direction": "rtl" if chunk.backwards else "ltr", **language}


@lru_cache(maxsize=256)
def _load_font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)


def _split_units(word: str) -> list[str]:
    """Return the pieces between which a word may be broken: no line begins with closing punctuation."""
    units: list[str] = []
    for cluster in split_clusters(word):
        closing = cluster in _NO_BEGINNING or unicodedata.category(cluster[0]) in ("Pe", "Pf")
        if closing and units:
            units[-1] += cluster
        else:
            units.append(cluster)
    return units
