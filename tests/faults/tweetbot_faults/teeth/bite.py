"""Plays every planted bug."""

import logging

from tweetbot_faults.report import Tooth
from tweetbot_faults.runner import say
from tweetbot_faults.teeth import operator_bugs, trainer_bugs


def bite_all() -> tuple[Tooth, ...]:
    """Return by which oracles each bug was found."""
    say("teeth:")
    logging.disable(logging.CRITICAL)
    try:
        return tuple(_bite(*bug) for bug in (*operator_bugs.BUGS, *trainer_bugs.BUGS))
    finally:
        logging.disable(logging.NOTSET)


def _bite(bug: str, oracle: str, play: operator_bugs.Play) -> Tooth:
    fired = sorted({violation.oracle for violation in play()}, key=lambda name: (len(name), name))
    tooth = Tooth(bug, oracle, tuple(fired))
    say(f"  {'caught' if tooth.caught else 'MISSED'}: {bug} ({', '.join(fired)})")
    return tooth
