"""The command line: kubectl's flags, before or after the command, and the commands themselves."""

import argparse
import importlib.metadata

from tweetbot_kubectl.commands.acting import ACTING
from tweetbot_kubectl.commands.command import PROGRAM, Command
from tweetbot_kubectl.commands.reading import READING
from tweetbot_kubectl.output.times import parse_span

COMMANDS: tuple[Command, ...] = (*READING, *ACTING)
#: Seconds that one request may take.
_REQUEST_TIMEOUT = 30.0
_EPILOG = "Exit codes: 0 done, 1 not well or failed, 2 usage, 3 not found, 4 forbidden, 5 unreachable."


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    flags = _build_flags()
    parser = argparse.ArgumentParser(
        PROGRAM, description="Look after TweetBots, with your own rights.", epilog=_EPILOG, parents=[flags]
    )
    parser.add_argument("--version", action="version", version=importlib.metadata.version("tweetbot-operator"))
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        description = f"{command.summary[0].upper()}{command.summary[1:]}. {command.details}".strip()
        own = commands.add_parser(command.name, help=command.summary, description=description, parents=[flags])
        command.add_arguments(own)
        own.set_defaults(handler=command.run)
    return parser


def parse_arguments(words: list[str]) -> argparse.Namespace:
    """Parse a command line. Ends the process with 2 for a wrong one, as argparse does."""
    return build_parser().parse_args(words, _build_defaults())


def parse_flags(words: list[str]) -> argparse.Namespace:
    """Parse kubectl's flags among the words of a command line that is still being written."""
    return _build_flags().parse_known_args(words, _build_defaults())[0]


def _build_defaults() -> argparse.Namespace:
    given = {"namespace": None, "context": None, "kubeconfig": None, "output": "text"}
    return argparse.Namespace(**given, request_timeout=_REQUEST_TIMEOUT)


def _build_flags() -> argparse.ArgumentParser:
    """Return kubectl's flags. They have no defaults of their own: those after the command would undo those before."""
    flags = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = flags.add_argument_group("flags of kubectl")
    group.add_argument("-n", "--namespace", metavar="NAMESPACE", help="namespace (default: that of the context)")
    group.add_argument("--context", metavar="NAME", help="context of the kubeconfig")
    group.add_argument("--kubeconfig", metavar="FILE", help="kubeconfig (default: $KUBECONFIG, or ~/.kube/config)")
    group.add_argument("-o", "--output", choices=("json", "wide"), help="form of the output")
    group.add_argument(
        "--request-timeout",
        metavar="SPAN",
        type=_parse_timeout,
        help="how long one request may take, such as 5s; 0 sets no limit (default: 30s)",
    )
    return flags


def _parse_timeout(text: str) -> float | None:
    try:
        return parse_span(text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None
