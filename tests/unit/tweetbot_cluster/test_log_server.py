"""The last lines of a log."""

from pathlib import Path

import pytest

from tweetbot_cluster.node.log_server import BLOCK, start_of_tail

TEXT = b"one\ntwo\nthree\n"


def tail(folder: Path, content: bytes, lines: int) -> bytes:
    file = folder / "log"
    file.write_bytes(content)
    with file.open("rb") as log:
        return content[start_of_tail(log.fileno(), lines) :]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [(-1, TEXT), (0, b""), (1, b"three\n"), (2, b"two\nthree\n"), (3, TEXT), (9, TEXT)],
)
def test_so_many_lines_are_kept(tmp_path: Path, lines: int, expected: bytes) -> None:
    assert tail(tmp_path, TEXT, lines) == expected


def test_a_line_that_has_not_ended_counts(tmp_path: Path) -> None:
    assert tail(tmp_path, b"one\ntwo", 1) == b"two"


def test_lines_may_be_longer_than_a_block(tmp_path: Path) -> None:
    long = b"x" * (2 * BLOCK) + b"\n"
    assert tail(tmp_path, b"one\n" + long + b"end\n", 2) == long + b"end\n"


def test_an_empty_log_has_no_lines(tmp_path: Path) -> None:
    assert tail(tmp_path, b"", 3) == b""
