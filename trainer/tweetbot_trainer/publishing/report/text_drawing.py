"""Text in pictures: measured, wrapped and drawn with several fonts, so that any character can be drawn."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import matplotlib
from matplotlib.ft2font import FT2Font
from PIL import ImageFont, features
from PIL.ImageDraw import ImageDraw

from tweetbot_trainer.data.post_length import collapse_whitespace

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

#: Drawn for a letter that no font has.
PLACEHOLDER = "\u25af"
#: Fonts of the machine, if installed, for characters that DejaVu lacks. The first font with a character draws it.
FALLBACK_FONTS = ("NotoSansCJK-Regular*", "NotoSansJP*", "DroidSansFallback*", "wqy-*", "NotoEmoji-*", "Symbola*")
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
#: Joiners and variation selectors of emoji sequences, which are blank by themselves.
_JOINERS = re.compile("[\u200d\ufe0e\ufe0f]")


class TextRenderer:
    """Draws text of one size in pixels, regular or bold. Texts must have been through `make_drawable`."""

    def __init__(self, size: int, *, bold: bool = False) -> None:
        self._paths = find_font_paths(bold=bold)
        self._fonts = [ImageFont.truetype(str(path), size) for path in self._paths]
        self.size, self.line_height = size, round(size * 1.36)

    def measure_width(self, text: str) -> float:
        """Return the width of the text on one line, in pixels."""
        return sum(font.getlength(chunk) for font, chunk in self._split_by_font(text))

    def draw(
        self, canvas: ImageDraw, at: tuple[float, float], pieces: Sequence[tuple[str, str]], *, backwards: bool = False
    ) -> None:
        """Draw pieces of text, each with its colour. The baseline begins at `at`, and goes left if `backwards`."""
        x, y = at
        direction = "rtl" if backwards and features.check("raqm") else None
        for text, colour in pieces:
            for font, chunk in self._split_by_font(text):
                width = font.getlength(chunk, direction=direction)
                x -= width if backwards else 0
                canvas.text((x, y), chunk, font=font, fill=colour, anchor="ls", direction=direction)
                x += 0 if backwards else width

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
        cut = text
        while cut and self.measure_width(cut + "…") > width:
            cut = cut[:-1]
        return text if self.measure_width(text) <= width else f"{cut.rstrip()}…" if cut else ""

    def _split_word(self, word: str, width: float) -> list[str]:
        parts = [""]
        for character in word:
            if parts[-1] and self.measure_width(parts[-1] + character) > width:
                parts.append("")
            parts[-1] += character
        return parts

    def _split_by_font(self, text: str) -> list[tuple[ImageFont.FreeTypeFont, str]]:
        groups = groupby(text, key=lambda character: find_font(character, self._paths) or 0)
        return [(self._fonts[font], "".join(group)) for font, group in groups]


def make_drawable(text: str) -> str:
    """Return the text on one line. Letters that no font has become a placeholder, symbols such as emoji are dropped."""
    paths = find_font_paths(bold=False)

    def replace_missing(character: str) -> str:
        if find_font(character, paths) is not None:
            return character
        return PLACEHOLDER if unicodedata.category(character)[0] in "LN" else ""

    return " ".join("".join(map(replace_missing, _JOINERS.sub("", collapse_whitespace(text)))).split())


def is_right_to_left(text: str) -> bool:
    """Whether a text is read from right to left, as its first letter is."""
    strong = map(unicodedata.bidirectional, text)
    return next((kind != "L" for kind in strong if kind in ("L", "R", "AL")), False)


def find_font(character: str, paths: tuple[Path, ...]) -> int | None:
    """Return the index of the first font that has the character, or None."""
    return next((index for index, path in enumerate(paths) if ord(character) in _read_characters(path)), None)


@lru_cache(maxsize=2)
def find_font_paths(*, bold: bool) -> tuple[Path, ...]:
    """Return DejaVu Sans, which comes with matplotlib, then the fallback fonts of the machine."""
    own = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")
    found = [path for pattern in FALLBACK_FONTS for folder in FONT_FOLDERS for path in sorted(folder.rglob(pattern))]
    return (own, *(path for path in found if path.suffix in (".ttf", ".otf", ".ttc")))


@lru_cache(maxsize=16)
def _read_characters(path: Path) -> frozenset[int]:
    return frozenset(FT2Font(str(path)).get_charmap())
