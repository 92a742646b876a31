"""`tweetbot-operator [--version]`: the program. It handles SIGTERM before it imports anything heavy."""

import importlib.metadata
import signal
import sys


def main() -> int:
    """Run the operator and return its exit code.

    SIGTERM ends it at once until its event loop takes over: PID 1 has no default action, and imports take a second.
    """
    if sys.argv[1:] == ["--version"]:
        print(importlib.metadata.version("tweetbot-operator"))
        return 0
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    from tweetbot_operator.manager import run_program

    return run_program()


if __name__ == "__main__":
    sys.exit(main())
