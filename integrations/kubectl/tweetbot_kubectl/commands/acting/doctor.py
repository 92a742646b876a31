"""`kubectl tweetbot doctor [NAME]`: what a TweetBot needs, looked at one by one with the caller's own rights."""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tweetbot_contract.manifest import TweetBot
from tweetbot_kubectl.commands.acting.doctor_looks import Looks
from tweetbot_kubectl.commands.acting.whole_bot import get_whole_bot
from tweetbot_kubectl.commands.command import Command, Session
from tweetbot_kubectl.decisions.checks.check import Check, Verdict
from tweetbot_kubectl.decisions.checks.platform import check_api, check_lease, check_operator, check_right
from tweetbot_kubectl.decisions.checks.room import check_limit_ranges, check_quota, has_running_pod
from tweetbot_kubectl.decisions.checks.tenant import (
    check_class,
    check_gpu,
    check_progress,
    check_queue,
    check_reason,
    check_secret,
    check_service_account,
    list_secrets,
)
from tweetbot_kubectl.failures import CommandFailed, ExitCode
from tweetbot_kubectl.output.blocks import Block, Column, Table, Text, Tone

_TONES: dict[Verdict, Tone] = {"ok": "good", "warning": "busy", "failed": "bad", "unknown": "faint"}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All checks, in the order in which things are needed."""

    checks: tuple[Check, ...]

    @property
    def well(self) -> bool:
        """Whether nothing has failed; what is unknown may be well."""
        return all(check.verdict != "failed" for check in self.checks)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Look at everything; the exit code is 1 if something has failed."""
    looks = Looks(session.cluster.requests, session.namespace)
    checks = [*check_platform(looks, session)]
    if arguments.name:
        checks += check_bot(arguments, looks, session)
    found = Diagnosis(tuple(checks))
    session.output.show(found, render_diagnosis(found, everything=arguments.all))
    return ExitCode.DONE if found.well else ExitCode.NOT_WELL


def check_platform(looks: Looks, session: Session) -> Iterator[Check]:
    """Yield the checks of the cluster, and of the caller's rights."""
    yield check_api(looks.find_api())
    deployments = looks.find_operator()
    yield check_operator(deployments, acting=_is_somebody_acting(session))
    if deployments.items:
        yield check_lease(looks.find_lease(deployments.items[0]), session.now())
    for right, allowed in looks.review_rights():
        yield check_right(right, allowed, session.namespace)


def _is_somebody_acting(session: Session) -> bool:
    """Tell whether the latest edit of a TweetBot of the namespace was acted on."""
    try:
        bots = session.cluster.list_bots(session.namespace)
    except CommandFailed:
        return False
    return any(bot.status.observed_generation == bot.generation for bot in bots)


def check_bot(arguments: argparse.Namespace, looks: Looks, session: Session) -> Iterator[Check]:
    """Yield the checks of one TweetBot, and of what it names."""
    try:
        _, bot = get_whole_bot(session, arguments.name)
    except CommandFailed as failure:
        yield Check(f"TweetBot {arguments.name}", "failed", str(failure))
        return
    yield from check_needs(bot, looks, session.now())
    yield check_reason(bot)
    if arguments.probe:
        from tweetbot_kubectl.commands.acting.probe import probe_bucket  # loads what builds Pods

        yield probe_bucket(bot, looks, session, arguments.image)


def check_needs(bot: TweetBot, looks: Looks, now: datetime) -> Iterator[Check]:
    """Yield the checks of what a TweetBot names, and of the room that its training needs."""
    for needed in list_secrets(bot):
        yield check_secret(needed, looks.find("/api/v1", "secrets", needed.name))
    if account := bot.spec.service_account_name:
        yield check_service_account(account, looks.find("/api/v1", "serviceaccounts", account))
    if bot.class_name:
        yield check_class(bot.class_name, looks.find_class(bot.class_name))
    pods = looks.find_pods(bot.name)
    yield check_quota(bot, looks.find("/api/v1", "resourcequotas"), running=has_running_pod(pods))
    yield check_limit_ranges(bot, looks.find("/api/v1", "limitranges"))
    if queue := bot.spec.scheduling.queue_name:
        yield check_queue(queue, looks.find_queue(queue))
    if bot.spec.resources.gpu.count:
        yield check_gpu(bot.spec.resources.gpu.resource, looks.find_nodes())
    if progress := check_progress(bot, pods, now):
        yield progress


def render_diagnosis(found: Diagnosis, *, everything: bool) -> tuple[Block, ...]:
    """Return what is shown: rights that the caller has only if asked for."""
    shown = [check for check in found.checks if everything or not _is_granted(check)]
    lines = tuple(_render_check(check) for check in shown)
    counts = Counter(check.verdict for check in found.checks)
    summary = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _TONES if counts[verdict])
    return (
        Table(tuple(map(Column, ("check", "", "what was found"))), lines),
        Text(""),
        Text(summary, "good" if found.well else "bad"),
    )


def _is_granted(check: Check) -> bool:
    return check.verdict == "ok" and check.what.startswith("right to ")


def _render_check(check: Check) -> tuple[Text, ...]:
    said = f"{check.message} {check.advice}".strip()
    return (Text(check.what), Text(check.verdict, _TONES[check.verdict]), Text(said))


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="look at this TweetBot, too, and at what it names")
    parser.add_argument(
        "--probe", action="store_true", help="list the TweetBot's versions in its bucket, in a Pod of its own"
    )
    parser.add_argument("--image", help="trainer image of the probe (default: the operator's)")
    parser.add_argument("--all", action="store_true", help="show the rights that you have, too")


DOCTOR = Command(
    "doctor",
    "look for what is missing: resource definition, operator, rights, Secrets, quota, queue, GPU",
    run,
    _add_arguments,
    "The exit code is 1 if a check has failed. Of Secrets it looks at the names of keys, never at values.",
)
