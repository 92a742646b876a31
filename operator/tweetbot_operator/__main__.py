"""`tweetbot-operator`: the program. Nothing heavy is imported before it can be told to end."""

import signal
import sys


def main() -> int:
    """Run the operator and return its exit code.

    Until its loop listens, SIGTERM ends it at once: PID 1 gets no default action, and imports take a second or more.
    """
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    from tweetbot_operator.manager import run_program

    return run_program()


if __name__ == "__main__":
    sys.exit(main())
