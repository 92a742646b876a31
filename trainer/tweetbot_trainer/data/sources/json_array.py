"""A long JSON array read item by item, within bounds of memory that a hostile file cannot break.

ijson would do the same, but keeps a path per level: 400 KB of nested brackets made it ask for 10 GB. The standard
library's scanner refuses them at its recursion limit.
"""

import json
from collections.abc import Iterator
from typing import Any, TextIO

#: Characters read at a time, and the longest item: tweets have some 2,000 characters, lists in them some 10,000.
BLOCK, ITEM_LIMIT = 1024 * 1024, 8 * 1024 * 1024
#: A value that is cut gives an error at most this many characters before the cut: an escaped emoji has 12.
_TORN = 16
_SPACE = " \t\r\n"
_decode = json.JSONDecoder().raw_decode


def iter_items(text: TextIO, *, consumed: str = "") -> Iterator[Any]:
    """Yield the items of the array at the text's position, which may end with a semicolon.

    `consumed` is what was read of it already. Raises ValueError, which names row and position, or RecursionError.
    """
    buffer = _Buffer(text, consumed)
    yield from _iter_array(buffer)
    if buffer.peek_char() == ";":
        buffer.take(";")
    buffer.require_end()


def iter_items_under(text: TextIO, key: str) -> Iterator[Any]:
    """Yield the items of the array under this key of the text's only object, skipping its other values.

    Raises ValueError or RecursionError if the text is damaged or has no such key.
    """
    buffer, found = _Buffer(text, ""), False
    buffer.take("{")
    while buffer.peek_char() != "}":
        name = buffer.read_item()
        buffer.take(":")
        if name == key:
            found = True
            yield from _iter_array(buffer)
        else:
            buffer.read_item()
        if buffer.peek_char() != "}":
            buffer.take(",")
    buffer.take("}")
    buffer.require_end()
    if not found:
        raise ValueError(f"it has no {key}")


def _iter_array(buffer: "_Buffer") -> Iterator[Any]:
    buffer.take("[")
    if buffer.peek_char() != "]":
        yield buffer.read_array_item()
        while buffer.peek_char() == ",":
            buffer.take(",")
            yield buffer.read_array_item()
    buffer.take("]")


class _Buffer:
    """The part of the text that is being read: from the next character to the end of an item at least."""

    def __init__(self, text: TextIO, consumed: str) -> None:
        self._text, self._read, self._at = text, consumed, 0
        self._item_count, self._position = 0, (1, 1)

    def peek_char(self) -> str:
        """Return the next character that is not white space, "" at the end."""
        while True:
            while self._at < len(self._read):
                if (char := self._read[self._at]) not in _SPACE:
                    return char
                self._at += 1
            if not self._grow():
                return ""

    def take(self, expected: str) -> None:
        """Skip the next character, which must be this one."""
        if (char := self.peek_char()) != expected:
            raise self._build_error(f"{char or 'the end'!r} where {expected!r} was expected", self._at)
        self._at += 1

    def require_end(self) -> None:
        """Raise ValueError if anything follows."""
        if char := self.peek_char():
            raise self._build_error(f"{char!r} after the end", self._at)

    def read_array_item(self) -> Any:
        """Return the next value and count it as a row of the array."""
        self._item_count += 1
        return self.read_item()

    def read_item(self) -> Any:
        """Return the next value, reading more text until it is whole."""
        self.peek_char()
        while True:
            try:
                value, end = _decode(self._read, self._at)
            except json.JSONDecodeError as error:
                if self._is_final(error) or not self._grow():
                    raise self._build_error(error.msg, error.pos) from error
                continue
            length = end - self._at
            if end < len(self._read) or not self._grow():  # a number may continue in the next block
                self._at += length
                return value

    def _is_final(self, error: json.JSONDecodeError) -> bool:
        """Tell whether more text cannot help: only an unterminated string is reported at its start."""
        return error.pos + _TORN < len(self._read) and not error.msg.startswith("Unterminated string")

    def _build_error(self, what: str, at: int) -> ValueError:
        """Return an error at an index of what was read, with its position in the text."""
        line, column = self._find_position(at)
        prefix = f"row {self._item_count}, " if self._item_count else ""
        return ValueError(f"{prefix}line {line}, column {column}: {what}")

    def _find_position(self, at: int) -> tuple[int, int]:
        """Return line and column, from 1, of an index of what was read."""
        (line, column), begin = self._position, self._read.rfind("\n", 0, at)
        return (line, column + at) if begin < 0 else (line + self._read.count("\n", 0, at), at - begin)

    def _grow(self) -> bool:
        if len(self._read) - self._at > ITEM_LIMIT:
            raise self._build_error(f"a value of more than {ITEM_LIMIT} characters", self._at)
        self._position = self._find_position(self._at)
        self._read, self._at = self._read[self._at :], 0
        self._read += (block := self._text.read(BLOCK))
        return bool(block)
