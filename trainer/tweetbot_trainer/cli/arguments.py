"""Parsers of the values of options. Each says what to write instead."""

import argparse
from collections.abc import Callable


def parse_count(text: str) -> int:
    """Parse how many posts to write."""
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError("write a number from 1 to 100")
    return int(text)


def parse_seed(text: str) -> int:
    """Parse a seed, which torch takes as 63 bits."""
    if not text.isdecimal() or int(text) >= 2**63:
        raise argparse.ArgumentTypeError("write a whole number from 0 to 9223372036854775807")
    return int(text)


def make_range_parser(least: float, most: int) -> Callable[[str], float]:
    """Return a parser of numbers in a range."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not least <= value <= most:  # logits divided by a temperature near 0 overflow
            raise argparse.ArgumentTypeError(f"write a number from {least} to {most}")
        return value

    return parse
