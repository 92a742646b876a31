"""Posts as lines of text: decoded one by one, so that what is wrong has the number of its line."""

from collections.abc import Callable, Iterable, Iterator
from typing import IO

from tweetbot_trainer.data.encodings import describe_wrong_encoding, find_wide_encoding
from tweetbot_trainer.data.posts import BadPost, Post

#: A longer line is no post; this bounds the memory that one line can take.
LINE_LIMIT = 1024 * 1024


class WrongEncoding(BadPost):
    """A file that is not UTF-8."""


def decode_lines(file: IO[bytes]) -> Iterator[str]:
    """Yield the file's lines, each decoded on its own so that errors have a line number. Raises BadPost."""
    number = 0
    while line := file.readline(LINE_LIMIT + 1):
        number += 1
        if len(line) > LINE_LIMIT:
            raise BadPost(f"line {number}: longer than {LINE_LIMIT} bytes")
        if number == 1 and (wide := find_wide_encoding(line)):
            raise WrongEncoding(f"line 1: not UTF-8 but {wide}")
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            wrong = describe_wrong_encoding(line[error.start :], first=False)
            raise WrongEncoding(f"line {number}: {wrong}") from error
        yield text.removeprefix("\ufeff") if number == 1 else text


def parse_lines(lines: Iterable[str], parse: Callable[[str, int], Post]) -> Iterator[Post]:
    """Yield the post of each line that is not blank. `parse` is given the line and its number, from 1.

    Raises BadPost naming the line.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield parse(line.rstrip("\r\n"), number)
            except BadPost as error:
                raise BadPost(f"line {number}: {error}") from error
