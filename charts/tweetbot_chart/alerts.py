"""Render the alerts over reasons from the contract's table, so that none is left out."""

from collections.abc import Iterable
from pathlib import Path

from tweetbot_contract.reasons import ALL, LASTING_SECONDS, Actor, Reason

#: What follows it in rules.yaml is rendered.
MARK = "  # Generated from crds/tweetbot_contract/reasons by `make generate`: edit nothing below.\n"
_WHERE = "{{ $labels.bot_namespace }}"
_WHY = "{{ $labels.reason }}"
#: The alert for a wait that lasts, by who must act: its name, its severity, and what is to be done.
_WAITS: dict[Actor, tuple[str, str, str]] = {
    "Platform": ("TweetBotWaitsForPlatform", "warning", "It needs the platform team."),
    "Author": ("TweetBotWaitsForAuthor", "warning", "It needs the authors of the manifests."),
    "Nobody": ("TweetBotWaits", "info", "It ends by itself, unless something holds it up."),
}


def get_wait_alert(reason: Reason) -> str | None:
    """Return the name of the alert for a wait with this reason that lasts; None if it is no wait."""
    return _WAITS[reason.lasting_actor][0] if reason.lasting_actor else None


def render_rules(file: Path) -> str:
    """Return the file's text, with its rendered part as the table of reasons wants it."""
    written, _, _ = file.read_text(encoding="utf-8").partition(MARK)
    waits = (_render_wait(actor, *alert) for actor, alert in _WAITS.items())
    return "".join([written, MARK, "  - name: tweetbot-reasons\n    rules:\n", _render_failures(), *waits])


def _render_wait(actor: Actor, name: str, severity: str, action: str) -> str:
    minutes = LASTING_SECONDS // 60
    reasons = _join(reason.name for reason in ALL if reason.lasting_actor == actor)
    if actor == "Platform":
        reasons += "|Other"  # one that the operator does not know, as of a newer trainer
    return f"""\
    - alert: {name}
      expr: >-
        time() - min by (cluster, namespace, job, bot_namespace, reason) (
        tweetbot_wait_start_timestamp_seconds{{job=~".+", reason=~"{reasons}"}}) > {LASTING_SECONDS}
      keep_firing_for: 5m
      labels: {{severity: {severity}}}
      annotations:
        summary: 'TweetBots of namespace {_WHERE} have waited for {minutes} minutes or longer: {_WHY}.'
        description: 'The longest wait with reason {_WHY} has lasted {{{{ $value | humanizeDuration }}}}. {action}'
        runbook: docs/runbooks/{name}.md
"""


def _render_failures() -> str:
    reasons = _join(reason.name for reason in ALL if reason.lasting_actor == "Platform")
    return f"""\
    - alert: TweetBotPlatformFault
      expr: >-
        sum by (cluster, namespace, job, bot_namespace, reason) (
        tweetbot:runs_finished:increase1h{{job=~".+", outcome="Failed", reason=~"{reasons}"}}) > 0
      labels: {{severity: warning}}
      annotations:
        summary: 'Runs of namespace {_WHERE} failed for a reason that only the platform team can remove: {_WHY}.'
        description: 'In the last hour {{{{ $value | printf "%.0f" }}}} runs failed with reason {_WHY}.'
        runbook: docs/runbooks/TweetBotPlatformFault.md
"""


def _join(names: Iterable[str]) -> str:
    return "|".join(sorted(names))
