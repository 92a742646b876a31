"""The program `tweetbot-trainer`: the only place that catches every error."""

import os
import sys
from collections.abc import Sequence

from tweetbot_trainer.runtime.signals import handle_sigterm  # nothing heavier is imported before the handler is set


def main() -> None:
    """Run a command and end the process with its exit code.

    It ends at once: at interpreter exit, libraries such as wandb would wait for their servers and keep the Pod alive.
    """
    # OpenMP threads that spin on shared cores made training eight times slower (638 against 5,231 tokens/s,
    # scratch://mini with two threads on two busy cores). torch reads the variable once, when it is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    code = run_command(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def run_command(argv: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    with handle_sigterm() as stop:
        from tweetbot_trainer.cli.parser import parse_args
        from tweetbot_trainer.runtime.certificates import trust_ca_bundle

        arguments = parse_args(argv)
        try:
            with trust_ca_bundle(os.environ):
                code: int = arguments.run(arguments, stop)
        except BaseException as error:  # noqa: BLE001  # a panic in Rust and sys.exit() in a library are no Exceptions
            code = arguments.fail(error)
        return code


if __name__ == "__main__":
    main()
