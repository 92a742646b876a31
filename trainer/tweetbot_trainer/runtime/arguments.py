"""Command-line values that `generate` and `kubectl tweetbot drafts` take alike."""

import argparse


def parse_count(text: str) -> int:
    """Parse a number of posts. Raises ArgumentTypeError."""
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError("write a number from 1 to 100")
    return int(text)


def parse_seed(text: str) -> int:
    """Parse a random seed. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) >= 2**63:
        raise argparse.ArgumentTypeError("write a whole number from 0 to 9223372036854775807")
    return int(text)
