"""A long JSON array read item by item, within bounds of memory that a hostile file cannot break.

ijson would do the same, but keeps a path per level: 400 KB of nested brackets made it ask for 10 GB. The standard
library's scanner refuses them at its recursion limit.
"""

import io
import json
from collections.abc import Iterator
from typing import IO, Any, NamedTuple, TextIO

from tweetbot_trainer.data.encodings import describe_wrong_encoding, find_wide_encoding

#: Characters read at a time, and the longest item: tweets have some 2,000 characters, lists in them some 10,000.
BLOCK, ITEM_LIMIT = 1024 * 1024, 8 * 1024 * 1024
#: A value that is cut gives an error at most this many characters before the cut: an escaped emoji has 12.
_TORN = 16
_SPACE = " \t\r\n"
_decode = json.JSONDecoder().raw_decode


class Entry(NamedTuple):
    """An item of an array, with its number, from 1, and the line in which it begins."""

    value: Any
    number: int
    line: int

    @property
    def place(self) -> str:
        """Return where the row is, in words."""
        return f"row {self.number}, line {self.line}"


def open_text(raw: IO[bytes]) -> TextIO:
    """Return the text of a file, of which the functions below refuse what is not UTF-8."""
    return io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")


def build_head_error(head: str, expected: str) -> ValueError:
    """Return the error of a text that does not begin as expected."""
    if wide := find_wide_encoding(head.encode(errors="surrogateescape")):
        return ValueError(f"it is not UTF-8 but {wide}")
    return ValueError(f"it begins with {head[:40]!r}, not with {expected}" if head else "it is empty")


def iter_entries(text: TextIO, *, consumed: str = "") -> Iterator[Entry]:
    """Yield the items of the array at the text's position, which may end with a semicolon.

    `consumed` is what was read of it already. Raises ValueError, which names row and position, or RecursionError.
    """
    buffer = _Buffer(text, consumed)
    yield from _iter_array(buffer)
    if buffer.peek_char() == ";":
        buffer.take(";")
    buffer.require_end()


def iter_entries_under(text: TextIO, key: str, *, numbers: dict[str, int] | None = None) -> Iterator[Entry]:
    """Yield the items of the array under this key of the text's only object, skipping its other values.

    Those that are whole numbers are put into `numbers`. Raises ValueError or RecursionError if the text is damaged or
    has no such key.
    """
    buffer, found = _Buffer(text, ""), False
    buffer.take("{")
    while buffer.peek_char() != "}":
        name = buffer.read_item()
        buffer.take(":")
        if name == key:
            found = True
            yield from _iter_array(buffer)
        elif isinstance(value := buffer.read_item(), int) and not isinstance(value, bool) and numbers is not None:
            numbers[str(name)] = value
        if buffer.peek_char() != "}":
            buffer.take(",")
    buffer.take("}")
    buffer.require_end()
    if not found:
        raise ValueError(f"it has no {key}")


def _iter_array(buffer: "_Buffer") -> Iterator[Entry]:
    buffer.take("[")
    if buffer.peek_char() != "]":
        yield buffer.read_entry()
        while buffer.peek_char() == ",":
            buffer.take(",")
            yield buffer.read_entry()
    buffer.take("]")


class _Buffer:
    """The part of the text that is being read: from the next character to the end of an item at least."""

    def __init__(self, text: TextIO, consumed: str) -> None:
        self._text, self._read, self._at = text, consumed, 0
        self._entry_count, self._position = 0, (1, 1)
        #: An index of what was read, and the number of line ends between it and the first one.
        self._counted, self._line_ends = 0, 0
        self._undecoded: int | None = None

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

    def read_entry(self) -> Entry:
        """Return the next value of the array."""
        self._entry_count += 1
        self.peek_char()
        line = self._count_line()
        return Entry(self.read_item(), self._entry_count, line)

    def read_item(self) -> Any:
        """Return the next value, reading more text until it is whole."""
        self.peek_char()
        while True:
            try:
                value, end = _decode(self._read, self._at)
            except json.JSONDecodeError as error:
                ahead = error.pos - self._at  # growing moves what was read
                if self._is_final(error) or not self._grow():
                    raise self._build_error(error.msg, self._at + ahead) from error
                continue
            length = end - self._at
            if end < len(self._read) or not self._grow():  # a number may continue in the next block
                self._refuse_undecoded(self._at + length)
                self._at += length
                return value

    def _is_final(self, error: json.JSONDecodeError) -> bool:
        """Tell whether more text cannot help: only an unterminated string is reported at its start."""
        return error.pos + _TORN < len(self._read) and not error.msg.startswith("Unterminated string")

    def _refuse_undecoded(self, end: int) -> None:
        """Raise ValueError if there is a byte that is not UTF-8 before this index."""
        if self._undecoded is not None and self._undecoded < end:
            raise self._build_error("", self._undecoded)

    def _build_error(self, what: str, at: int) -> ValueError:
        """Return an error at an index of what was read, with its position in the text; wrong bytes come first."""
        if self._undecoded is not None and self._undecoded <= max(at, self._at):
            at = self._undecoded
        line, column = self._find_position(at)
        if at == self._undecoded:
            wrong = self._read[at : at + _TORN].encode(errors="surrogateescape")
            what = describe_wrong_encoding(wrong, first=(line, column) == (1, 1))
        elif self._read.startswith("\0", at):
            what = "a NUL character, as UTF-16 has them; it must be UTF-8"
        prefix = f"row {self._entry_count}, " if self._entry_count else ""
        return ValueError(f"{prefix}line {line}, column {column}: {what}")

    def _count_line(self) -> int:
        """Return the line, from 1, of the next character."""
        self._line_ends += self._read.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._position[0] + self._line_ends

    def _find_position(self, at: int) -> tuple[int, int]:
        """Return line and column, from 1, of an index of what was read."""
        (line, column), begin = self._position, self._read.rfind("\n", 0, at)
        return (line, column + at) if begin < 0 else (line + self._read.count("\n", 0, at), at - begin)

    def _grow(self) -> bool:
        if len(self._read) - self._at > ITEM_LIMIT:
            raise self._build_error(f"a value of more than {ITEM_LIMIT} characters", self._at)
        self._position = self._find_position(self._at)
        if self._undecoded is not None:
            self._undecoded -= self._at
        self._read, self._at = self._read[self._at :], 0
        self._counted = self._line_ends = 0
        block = self._text.read(BLOCK)
        if self._undecoded is None and (at := _find_undecoded(block)) is not None:
            self._undecoded = len(self._read) + at
        self._read += block
        return bool(block)


def _find_undecoded(block: str) -> int | None:
    """Return the index of the first byte that open_text could not decode; encoding is faster than a search."""
    try:
        block.isascii() or block.encode()
    except UnicodeEncodeError as error:
        return error.start
    return None
