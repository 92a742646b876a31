"""An answer is read within its limits of size and time, in whatever pieces it arrives."""

import io
import itertools
import time

import pytest

from tweetbot_trainer.runtime.http import read_bounded


def test_an_answer_within_its_limits_is_read_whole() -> None:
    assert read_bounded(io.BytesIO(b"x" * 100_000).read1, largest=100_000, longest=60) == b"x" * 100_000


def test_an_answer_that_is_too_large_is_left() -> None:
    with pytest.raises(ValueError, match="more than 99 bytes"):
        read_bounded(io.BytesIO(b"x" * 100).read1, largest=99, longest=60)


def test_an_answer_that_trickles_in_is_left_at_the_deadline() -> None:
    pieces = itertools.repeat(b" ")

    def trickle(_size: int) -> bytes:
        time.sleep(0.01)
        return next(pieces)

    with pytest.raises(TimeoutError, match="not whole after 0 seconds"):
        read_bounded(trickle, largest=100_000, longest=0.05)
