"""The order in which parts of a line stand when text from left to right and from right to left is mixed.

Inside a part Pillow's text engine orders the letters. This is the part of Unicode's rules (UAX 9) that is left when a
line is drawn in several fonts: what lies between two parts of one direction has it too, all else the line's own.
"""

import unicodedata
from collections.abc import Sequence
from itertools import groupby
from typing import TypeVar

T = TypeVar("T")


def is_right_to_left(text: str) -> bool:
    """Whether a text is read from right to left, as its first letter is."""
    return next((found for found in map(find_direction, text) if found is not None), False)


def find_direction(text: str) -> bool | None:
    """Return whether the first letter of a text is read from right to left; None if it has no letter."""
    strong = (kind for kind in map(unicodedata.bidirectional, text) if kind in ("L", "R", "AL"))
    return next((kind != "L" for kind in strong), None)


def resolve_directions(parts: Sequence[str], *, backwards: bool) -> list[bool]:
    """Return for each part of a line whether it is read from right to left; `backwards` is the line's direction."""
    found = [find_direction(part) for part in parts]
    before, after = _fill(found, backwards), _fill(found[::-1], backwards)[::-1]
    return [left if left == right else backwards for left, right in zip(before, after, strict=True)]


def sort_parts(parts: Sequence[T], directions: Sequence[bool], *, backwards: bool) -> list[T]:
    """Return the parts of a line from left to right as they are drawn."""
    runs = [list(run) for _, run in groupby(zip(parts, directions, strict=True), key=lambda pair: pair[1])]
    drawn = runs[::-1] if backwards else runs
    return [part for run in drawn for part, _ in (run[::-1] if run[0][1] else run)]


def _fill(found: Sequence[bool | None], start: bool) -> list[bool]:
    """Return the directions with that of the part before in place of each None."""
    filled = [start]
    for direction in found:
        filled.append(filled[-1] if direction is None else direction)
    return filled[1:]
