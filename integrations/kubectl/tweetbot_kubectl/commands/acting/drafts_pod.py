"""The Pod that writes drafts into its log, and what is printed of that."""

import argparse
import json
from collections.abc import Iterable

from tweetbot_contract.manifest import TweetBot
from tweetbot_kubectl.commands.acting.doctor_looks import Looks
from tweetbot_kubectl.commands.acting.pods import find_settings, interrupt_on_signals, name_pod, run_to_end
from tweetbot_kubectl.commands.acting.whole_bot import get_whole_bot
from tweetbot_kubectl.commands.command import Session
from tweetbot_kubectl.failures import CommandFailed, ExitCode, require_model
from tweetbot_kubectl.manifests.own_pods import DraftRequest, build_drafts_pod

#: Seconds that the Pod has: for its image, the model, and at most 100 drafts on one CPU.
_LIMIT_SECONDS = 1200


def print_drafts(arguments: argparse.Namespace, session: Session, count: int) -> int:
    """Print the drafts as the trainer writes them, and beside them what else it said."""
    _, bot = get_whole_bot(session, arguments.name)
    model = require_model(bot.name, bot.status.model)
    settings = find_settings(bot, Looks(session.cluster.requests, bot.namespace), arguments.image)
    pod = build_drafts_pod(bot, _build_request(bot, arguments, count), settings)
    with interrupt_on_signals():
        session.output.note(f"A Pod, {pod['metadata']['name']}, writes with {model.version}.")
        state, log = run_to_end(session, pod, _LIMIT_SECONDS, running="the model writes")
    drafts, said = split_log(log)
    for line in said:
        session.output.note(line)
    if state.exit_code != 0 or not drafts:
        raise CommandFailed(f"No drafts were written: {state.sentence}.")
    for draft in drafts:
        session.output.print_line(draft)
    return ExitCode.DONE


def _build_request(bot: TweetBot, arguments: argparse.Namespace, count: int) -> DraftRequest:
    return DraftRequest(
        name=name_pod(bot, "drafts"),
        count=count,
        prompt=arguments.prompt,
        seed=arguments.seed,
        limit_seconds=_LIMIT_SECONDS,
        cpu=arguments.cpu,
        memory=arguments.memory or "",
    )


def split_log(lines: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the drafts of a Pod's log, in which stdout and stderr are one, and all other lines."""
    drafts, others = list[str](), list[str]()
    for line in filter(str.strip, lines):
        (drafts if _is_draft(line) else others).append(line)
    return drafts, others


def _is_draft(line: str) -> bool:
    try:
        content = json.loads(line)
    except ValueError:
        return False
    return isinstance(content, dict) and content.get("ai_generated") is True
