"""`kubectl tweetbot try NAME`: the playground of a published model, in a Pod that goes at the end."""

import argparse

from tweetbot_contract.spec.quantities import is_cpu, is_memory
from tweetbot_kubectl.commands.command import Command, Session, add_name
from tweetbot_kubectl.output.times import parse_span


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Serve the model until Ctrl-C, until nobody has used it for a while, or until its time is over."""
    from tweetbot_kubectl.commands.acting.playground_pod import run_playground  # loads what builds Pods

    return run_playground(arguments, session)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_name(parser)
    add = parser.add_argument
    add("--port", type=int, default=0, help="local port (default: a free one)")
    add(
        "--idle",
        type=_parse_span,
        default="15m",
        metavar="SPAN",
        help="end after this time without a visit (default: 15m)",
    )
    add("--limit", type=_parse_span, default="2h", metavar="SPAN", help="end after this time in any case (default: 2h)")
    add(
        "--start-timeout",
        type=_parse_span,
        default="10m",
        metavar="SPAN",
        help="how long to wait for the page (default: 10m)",
    )
    add("--no-browser", action="store_true", help="only print the address")
    add_pod_options(parser)


def add_pod_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a Pod that holds the model."""
    add = parser.add_argument
    add("--image", help="trainer image (default: the operator's)")
    add("--cpu", type=_parse_cpu, default="1", help="CPU of the Pod (default: %(default)s)")
    add("--memory", type=_parse_memory, help="memory of the Pod (default: by the size of the model)")


def _parse_span(text: str) -> float:
    try:
        seconds = parse_span(text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None
    if seconds is None or seconds < 1:
        raise argparse.ArgumentTypeError("write a span of at least 1s")
    return seconds


def _parse_cpu(text: str) -> str:
    if not is_cpu(text):
        raise argparse.ArgumentTypeError("write cores such as 1 or 500m")
    return text


def _parse_memory(text: str) -> str:
    if not is_memory(text):
        raise argparse.ArgumentTypeError("write memory with its unit, such as 4Gi")
    return text


TRY = Command(
    "try",
    "open a page in the browser that writes posts with the published model",
    run,
    _add_arguments,
    "Starts a Pod with the TweetBot's Secret and service account, forwards its port, and deletes it at the end.",
)
