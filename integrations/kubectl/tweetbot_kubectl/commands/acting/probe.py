"""The probe of a TweetBot's bucket: a Pod under its service account that lists its versions."""

from tweetbot_contract import reasons
from tweetbot_contract.handover import ExitCode as TrainerCode
from tweetbot_contract.manifest import TweetBot
from tweetbot_kubectl.commands.acting.doctor_looks import Looks
from tweetbot_kubectl.commands.acting.pods import find_settings, name_pod, run_pod, wait_for_end
from tweetbot_kubectl.commands.command import Session
from tweetbot_kubectl.decisions.checks.check import Check
from tweetbot_kubectl.failures import CommandFailed
from tweetbot_kubectl.manifests.own_pods import build_probe_pod

#: Seconds after which the kubelet ends the probe: a trainer's command tries a server for half a minute.
LIMIT_SECONDS = 180
_WHAT = "bucket"


def probe_bucket(bot: TweetBot, looks: Looks, session: Session, image: str | None) -> Check:
    """List the TweetBot's versions in its bucket from a Pod, as its Jobs would reach it."""
    try:
        settings = find_settings(bot, looks, image)
        pod = build_probe_pod(bot, name_pod(bot, "probe"), settings, limit_seconds=LIMIT_SECONDS)
        with run_pod(looks.requests, pod):
            state = wait_for_end(session, pod, LIMIT_SECONDS, running="the probe lists its versions")
            ended = state.exit_code is not None
            log = [*session.cluster.stream_log(bot.namespace, pod["metadata"]["name"])] if ended else []
            return judge_probe(bot, state.exit_code, log, state.sentence)
    except CommandFailed as failure:
        return Check(_WHAT, "unknown", f"It was not probed: {failure}")


def judge_probe(bot: TweetBot, exit_code: int | None, log: list[str], sentence: str) -> Check:
    """Judge how the probe ended. A bucket that has no version of this TweetBot is reached, too."""
    uri = bot.spec.output.s3.uri
    last = next((line for line in reversed(log) if line.strip()), sentence)
    if exit_code == TrainerCode.DONE:
        return Check(_WHAT, "ok", f"A Pod of {bot.namespace} reads {uri}.")
    if exit_code == TrainerCode.REFUSED and reasons.SOURCE_NOT_FOUND.name in last:
        return Check(_WHAT, "ok", f"A Pod of {bot.namespace} reads {uri}, which has no version of this TweetBot yet.")
    return Check(_WHAT, "failed", f"A Pod of {bot.namespace} cannot read {uri}: {last}")
