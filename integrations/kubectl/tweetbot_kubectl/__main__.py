"""`kubectl tweetbot`: parse the command line, run the command, end with its exit code."""

import argparse
import os
import sys

from tweetbot_kubectl.commands.command import PROGRAM, Session
from tweetbot_kubectl.completion import COMPLETE, print_candidates
from tweetbot_kubectl.failures import CommandFailed
from tweetbot_kubectl.output.output import Output
from tweetbot_kubectl.parser import parse_arguments
from tweetbot_kubectl.session import build_session

#: Exit code after Ctrl-C.
INTERRUPTED = 130


def main() -> int:
    """Run the command of the command line and return its exit code."""
    words = sys.argv[1:]
    if words[:1] == [COMPLETE]:
        return print_candidates(words[1:])
    arguments = parse_arguments(words)
    return run_command(arguments, build_session(arguments, Output(arguments.output)))


def run_command(arguments: argparse.Namespace, session: Session) -> int:
    """Run a command, and report its failure in one sentence."""
    try:
        return int(arguments.handler(arguments, session))
    except CommandFailed as failure:
        session.output.note(f"{PROGRAM}: {failure}")
        return int(failure.exit_code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader closed the pipe: discard what is still buffered
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
