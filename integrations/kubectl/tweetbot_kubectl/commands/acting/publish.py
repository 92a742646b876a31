"""`kubectl tweetbot publish NAME`: send a published version to the Hugging Face Hub again, by a Pod that then goes."""

import argparse
import re
from dataclasses import dataclass

from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.spec.lifecycle import MODEL_VERSION
from tweetbot_kubectl.commands.acting.doctor_looks import Looks
from tweetbot_kubectl.commands.acting.whole_bot import get_whole_bot
from tweetbot_kubectl.commands.command import PROGRAM, Command, Session, add_name
from tweetbot_kubectl.failures import CommandFailed, ExitCode, UsageError, require_model
from tweetbot_kubectl.output.blocks import Text

#: Seconds that the Pod has: for its image, the model from the bucket, and its way to the Hub.
_LIMIT_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class SentVersion:
    """What was sent, and what the trainer said of it."""

    namespace: str
    name: str
    version: str
    repo: str
    said: tuple[str, ...]


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Send a version, and print where it is. Raises CommandFailed with what the trainer said."""
    from tweetbot_kubectl.commands.acting.pods import find_settings, interrupt_on_signals, name_pod, run_to_end
    from tweetbot_kubectl.manifests.own_pods import build_publish_pod  # both load what builds Pods

    _, bot = get_whole_bot(session, arguments.name)
    version, hub = _choose_version(bot, arguments.version), bot.spec.output.hugging_face
    if hub is None:
        raise CommandFailed(f"{bot.name} has no repository: write output.huggingFace into its spec (docs/sharing.md).")
    settings = find_settings(bot, Looks(session.cluster.requests, bot.namespace), arguments.image)
    pod = build_publish_pod(bot, name_pod(bot, "publish"), version, settings, limit_seconds=_LIMIT_SECONDS)
    with interrupt_on_signals():
        session.output.note(f"A Pod, {pod['metadata']['name']}, sends {version} to {hub.repo}.")
        state, said = run_to_end(session, pod, _LIMIT_SECONDS, running="it sends the version")
    if state.exit_code != 0:
        raise CommandFailed(f"{' '.join(said[-1:])} {version} was not sent: {state.sentence}.".strip())
    result = SentVersion(bot.namespace, bot.name, version, hub.repo, tuple(said))
    follows = "The status says so, and HubDegraded goes, with the next run."
    session.output.show(result, (*(Text(line, "good") for line in said), Text(follows, "faint")))
    return ExitCode.DONE


def _choose_version(bot: TweetBot, asked: str | None) -> str:
    served = require_model(bot.name, bot.status.model)
    if asked is None:
        return served.version
    if not re.fullmatch(MODEL_VERSION, asked):
        raise UsageError(f"{asked} is no version: `{PROGRAM} versions {bot.name}` lists them.")
    return asked


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_name(parser)
    parser.add_argument(
        "--version", metavar="VERSION", help="as `kubectl tweetbot versions` lists them (default: the served one)"
    )
    parser.add_argument("--image", help="trainer image (default: the operator's)")


PUBLISH = Command(
    "publish",
    "send a version to the Hugging Face Hub again",
    run,
    _add_arguments,
    "Where the condition HubDegraded says that it is not there. Starts a Pod with the TweetBot's Secret and service "
    "account, and deletes it.",
)
