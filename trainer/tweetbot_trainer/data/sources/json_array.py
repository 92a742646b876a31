"""A long JSON array read item by item, with bounds that a hostile file cannot pass.

ijson reads as well, but keeps a path for each level: 400 KB of nested brackets made it ask for 10 GB. The standard
library's scanner refuses them by its recursion limit.
"""

import json
from collections.abc import Iterator
from typing import Any, TextIO

#: Characters read at a time, and the most that one item may have: tweets have 2,000, lists in them at most some 10,000.
BLOCK, ITEM_LIMIT = 1024 * 1024, 8 * 1024 * 1024
#: Where a text is cut inside a value, that is told so many characters before the cut at most: an escaped emoji has 12.
_TORN = 16
_SPACE = " \t\r\n"
_decode = json.JSONDecoder().raw_decode


def iter_items(text: TextIO, *, begun: str = "") -> Iterator[Any]:
    """Yield the items of the array that begins at the text's position; a semicolon may end it.

    `begun` is what was read of the array already.
    Raises ValueError, which tells the row and where it stands, or RecursionError where it is damaged.
    """
    buffer = _Buffer(text, begun)
    yield from _iter_array(buffer)
    if buffer.peek_sign() == ";":
        buffer.take(";")
    buffer.require_end()


def iter_items_under(text: TextIO, key: str) -> Iterator[Any]:
    """Yield the items of the array that the text's only object holds under a key; its other values are passed by.

    Raises ValueError or RecursionError where it is damaged or has no such key.
    """
    buffer, found = _Buffer(text, ""), False
    buffer.take("{")
    while buffer.peek_sign() != "}":
        name = buffer.read_item()
        buffer.take(":")
        if name == key:
            found = True
            yield from _iter_array(buffer)
        else:
            buffer.read_item()
        if buffer.peek_sign() != "}":
            buffer.take(",")
    buffer.take("}")
    buffer.require_end()
    if not found:
        raise ValueError(f"it has no {key}")


def _iter_array(buffer: "_Buffer") -> Iterator[Any]:
    buffer.take("[")
    if buffer.peek_sign() != "]":
        yield buffer.read_array_item()
        while buffer.peek_sign() == ",":
            buffer.take(",")
            yield buffer.read_array_item()
    buffer.take("]")


class _Buffer:
    """The part of the text that is being read: from the next sign on, at least as far as one item needs."""

    def __init__(self, text: TextIO, begun: str) -> None:
        self._text, self._read, self._at = text, begun, 0
        self._item_count, self._position = 0, (1, 1)

    def peek_sign(self) -> str:
        """Return the next sign that is no space, "" at the end."""
        while True:
            while self._at < len(self._read):
                if (sign := self._read[self._at]) not in _SPACE:
                    return sign
                self._at += 1
            if not self._grow():
                return ""

    def take(self, expected: str) -> None:
        """Step over the next sign, which must be this one."""
        if (sign := self.peek_sign()) != expected:
            raise self._build_error(f"{sign or 'the end'!r} stands where {expected!r} should", self._at)
        self._at += 1

    def require_end(self) -> None:
        """Make sure that nothing follows."""
        if sign := self.peek_sign():
            raise self._build_error(f"{sign!r} stands behind the end", self._at)

    def read_array_item(self) -> Any:
        """Return the next value, as a row of the array."""
        self._item_count += 1
        return self.read_item()

    def read_item(self) -> Any:
        """Return the next value, reading on until it is whole."""
        self.peek_sign()
        while True:
            try:
                value, end = _decode(self._read, self._at)
            except json.JSONDecodeError as error:
                if self._is_final(error) or not self._grow():
                    raise self._build_error(error.msg, error.pos) from error
                continue
            length = end - self._at
            if end < len(self._read) or not self._grow():  # a number may go on behind what was read
                self._at += length
                return value

    def _is_final(self, error: json.JSONDecodeError) -> bool:
        """Tell whether no more text can mend this: only a string without end is told at its beginning."""
        return error.pos + _TORN < len(self._read) and not error.msg.startswith("Unterminated string")

    def _build_error(self, what: str, at: int) -> ValueError:
        """Return what is wrong at a place in what was read, with that place in the text."""
        line, column = self._find_position(at)
        prefix = f"row {self._item_count}, " if self._item_count else ""
        return ValueError(f"{prefix}line {line}, column {column}: {what}")

    def _find_position(self, at: int) -> tuple[int, int]:
        """Return line and column, from 1, of a place in what was read."""
        (line, column), begin = self._position, self._read.rfind("\n", 0, at)
        return (line, column + at) if begin < 0 else (line + self._read.count("\n", 0, at), at - begin)

    def _grow(self) -> bool:
        if len(self._read) - self._at > ITEM_LIMIT:
            raise self._build_error(f"more than {ITEM_LIMIT} characters of one value", self._at)
        self._position = self._find_position(self._at)
        self._read, self._at = self._read[self._at :], 0
        self._read += (block := self._text.read(BLOCK))
        return bool(block)
