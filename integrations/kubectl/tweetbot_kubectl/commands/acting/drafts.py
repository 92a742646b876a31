"""`kubectl tweetbot drafts NAME`: posts that the published model writes, as lines of JSON."""

import argparse

from tweetbot_kubectl.commands.acting.try_bot import add_pod_options
from tweetbot_kubectl.commands.command import Command, Session, add_name
from tweetbot_kubectl.failures import UsageError
from tweetbot_trainer.runtime.arguments import parse_count, parse_seed

_DEFAULT_COUNT = 5


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Print the drafts of a Pod that goes when it has written them. Raises UsageError for a number after -n."""
    from tweetbot_kubectl.commands.acting.drafts_pod import print_drafts  # loads what builds Pods

    if arguments.count is None and (session.chosen_namespace or "").isdecimal():
        raise UsageError(f"-n is kubectl's namespace: write --count {session.chosen_namespace}.")
    return print_drafts(arguments, session, arguments.count or _DEFAULT_COUNT)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_name(parser)
    add = parser.add_argument
    add("--count", type=parse_count, metavar="N", help=f"number of drafts (default: {_DEFAULT_COUNT})")
    add("--prompt", default="My dream is", help="how the drafts begin (default: %(default)s)")
    add("--seed", type=parse_seed, default=42, help="the same seed gives the same drafts (default: %(default)s)")
    add_pod_options(parser)


DRAFTS = Command(
    "drafts",
    "print posts that the published model writes, as JSON Lines",
    run,
    _add_arguments,
    "A person reads them and posts them. Starts a Pod with the TweetBot's Secret and service account, and deletes it.",
)
