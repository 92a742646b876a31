"""Which font draws which character: DejaVu Sans, which comes with matplotlib, and ours beside this file.

Text is taken apart into what a reader calls a character (Unicode's grapheme clusters), so that a family of three joined
emoji, a flag, or a letter with its vowel signs stays whole.
"""

import unicodedata
from functools import lru_cache
from pathlib import Path

import matplotlib
import regex
from matplotlib.ft2font import FT2Font

FOLDER = Path(__file__).parent / "font_files"
EMOJI, CJK = FOLDER / "Twemoji.ttf", FOLDER / "NotoSansCJK.otf"
#: Drawn for a letter that no font has.
PLACEHOLDER = "\u25af"
_CLUSTER = regex.compile(r"\X")
#: What X shows as a picture. Signs such as © stay text unless the picture is asked for, and any does if text is.
_PICTURE = regex.compile(r"(?:[\p{Extended_Pictographic}--[\xa9\xae\u2122]]|\p{RI}|.\ufe0f)(?!.*\ufe0e)", regex.V1)
_INVISIBLE = ("Cf", "Cc")
_SELECTORS = frozenset(("\ufe0e", "\ufe0f"))


def split_clusters(text: str) -> list[str]:
    """Return the characters of a text, as a reader counts them."""
    found: list[str] = _CLUSTER.findall(text)
    return found


def make_drawable(text: str) -> str:
    """Return a text on one line. Letters that no font has become a placeholder; other signs without one are dropped."""
    return " ".join("".join(map(_replace_missing, split_clusters(" ".join(text.split())))).split())


def find_missing(text: str) -> list[str]:
    """Return the characters of a text that no font has."""
    return [one for one in split_clusters(text) if _is_visible(one) and find_font(one) is None]


@lru_cache(maxsize=4096)
def find_font(cluster: str, *, bold: bool = False) -> Path | None:
    """Return the font that draws a whole cluster, or None. Bold is DejaVu alone."""
    shown = frozenset(ord(sign) for sign in cluster if _is_visible(sign))
    return next((path for path in _order_fonts(cluster, bold=bold) if shown <= _read_characters(path)), None)


def _order_fonts(cluster: str, *, bold: bool) -> tuple[Path, ...]:
    """Return the fonts to try: the emoji's for emoji, DejaVu for Latin, those of other scripts before it."""
    latin = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")
    others = (*_list_script_fonts(), latin, CJK)
    if _PICTURE.match(cluster):
        return (EMOJI, *others)
    return (latin, *others) if cluster[0] < "\u0590" else others


@lru_cache(maxsize=1)
def _list_script_fonts() -> tuple[Path, ...]:
    return tuple(path for path in sorted(FOLDER.glob("*.ttf")) if path != EMOJI)


@lru_cache(maxsize=32)
def _read_characters(path: Path) -> frozenset[int]:
    return frozenset(FT2Font(str(path)).get_charmap()) if path.is_file() else frozenset()


def _is_visible(sign: str) -> bool:
    """Whether a sign is drawn: joiners and selectors only change what stands beside them."""
    return sign not in _SELECTORS and any(unicodedata.category(one) not in _INVISIBLE for one in sign)


def _replace_missing(cluster: str) -> str:
    if not _is_visible(cluster):
        return ""
    for shown in (cluster, cluster[0]):  # without the marks that no font has
        if find_font(shown):
            return shown
    return PLACEHOLDER if unicodedata.category(cluster[0])[0] in "LN" else ""
