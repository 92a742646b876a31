"""Checks of what a TweetBot names in its namespace: Secrets, service account, queue, class, GPU."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tweetbot_contract.handover import RUN_LABEL
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.progress import PROGRESS_PORT
from tweetbot_contract.spec.sources import XSource
from tweetbot_kubectl.decisions.checks.check import Check, Found, Verdict, report_unreadable

Document = dict[str, Any]
#: Seconds after which a stage's progress is in the status, of a stage that prepares posts, too.
_PROGRESS_SECONDS = 120
_S3_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@dataclass(frozen=True, slots=True)
class NeededSecret:
    """A Secret that a TweetBot names, and the keys that must be in it."""

    name: str
    keys: tuple[str, ...]
    used_for: str
    required: bool = True
    """Whether Pods wait for it."""


def list_secrets(bot: TweetBot) -> tuple[NeededSecret, ...]:
    """Return the Secrets that a TweetBot names."""
    found = []
    if s3 := bot.spec.output.s3.credentials_secret:
        found.append(NeededSecret(s3.name, _S3_KEYS, "the bucket"))
    for source in bot.spec.sources:
        if isinstance(source.kind, XSource):
            key = source.kind.token_secret
            found.append(NeededSecret(key.name, (key.key,), "the X API"))
    if base := bot.spec.model.token_secret:
        found.append(NeededSecret(base.name, (base.key,), "the base"))
    if (hub := bot.spec.output.hugging_face) and (token := hub.token_secret):
        found.append(NeededSecret(token.name, (token.key,), "the copy on the Hugging Face Hub", required=False))
    if wandb := bot.spec.tracking.wandb.api_key_secret:
        found.append(NeededSecret(wandb.name, (wandb.key,), "W&B", required=False))
    return tuple(found)


def check_secret(needed: NeededSecret, found: Found) -> Check:
    """Judge a Secret by the names of its keys; its values are never looked at."""
    what = f"Secret {needed.name}"
    verdict: Verdict = "failed" if needed.required else "warning"
    if found.problem == "missing":
        keys = " ".join(f"--from-file={key}=FILE" for key in needed.keys)
        advice = f"Create it: kubectl create secret generic {needed.name} {keys}"
        return Check(what, verdict, f"It is missing; {needed.used_for} needs it.", advice)
    if found.problem:
        return report_unreadable(what, found, f"Whether it has {', '.join(needed.keys)} is not known")
    there = set(found.document.get("data") or {})
    lacking = [key for key in needed.keys if key not in there]
    if lacking:
        rest = ", ".join(sorted(there)) or "no keys"
        message = f"It lacks {', '.join(lacking)}, which {needed.used_for} needs; it has {rest}."
        return Check(what, verdict, message, "Add the key to the Secret.")
    return Check(what, "ok", f"It has {', '.join(needed.keys)} for {needed.used_for}.")


def check_service_account(name: str, found: Found) -> Check:
    """Judge the service account of the Pods."""
    what = f"service account {name}"
    if found.problem == "missing":
        return Check(
            what, "failed", "It is missing, so that no Pod can be created.", f"kubectl create serviceaccount {name}"
        )
    if found.problem:
        return report_unreadable(what, found, "Whether it is there is not known")
    return Check(what, "ok", "It is there.")


def check_queue(name: str, found: Found) -> Check:
    """Judge the Kueue LocalQueue in which the training waits."""
    what = f"queue {name}"
    if found.problem == "missing":
        advice = "Correct spec.scheduling.queueName, or ask the platform team for a LocalQueue."
        return Check(
            what, "failed", "There is no such LocalQueue in the namespace, or no Kueue in the cluster.", advice
        )
    if found.problem:
        return report_unreadable(what, found, "Whether it is there is not known")
    conditions = (found.document.get("status") or {}).get("conditions") or ()
    active: Document = next((each for each in conditions if each["type"] == "Active"), {})
    if active.get("status") == "False":
        advice = "Ask the platform team about its ClusterQueue."
        return Check(what, "failed", f"It is not active: {active.get('message', active.get('reason', ''))}", advice)
    waiting = (found.document.get("status") or {}).get("pendingWorkloads", 0)
    return Check(what, "ok", f"It is there; {waiting} workload{'s' if waiting != 1 else ''} wait in it.")


def check_class(name: str, found: Found) -> Check:
    """Judge the TweetBotClass that a TweetBot names."""
    what = f"class {name}"
    if found.problem == "missing":
        advice = "Correct spec.className; kubectl get tweetbotclasses lists those that there are."
        return Check(what, "failed", "There is no such TweetBotClass.", advice)
    if found.problem:
        return report_unreadable(what, found, "Whether it is there is not known")
    return Check(what, "ok", "It is there.")


def check_gpu(resource: str, nodes: Found) -> Check:
    """Judge whether a node offers the accelerator that the training asks for."""
    what = f"accelerator {resource}"
    if nodes.problem:
        return report_unreadable(what, nodes, "Whether a node offers it is not known")
    offering = [node for node in nodes.items if _count(node, resource)]
    open_ = [node for node in offering if not (node.get("spec") or {}).get("unschedulable")]
    if open_:
        return Check(what, "ok", f"{len(open_)} of {len(nodes.items)} nodes offer it.")
    advice = (
        "Correct spec.resources.gpu.resource, or train on the CPU with gpu: {count: 0}. "
        "Where nodes are added on demand, this may be as it should."
    )
    kept = " that takes Pods" if offering else ""
    return Check(what, "warning", f"No node{kept} offers it.", advice)


def _count(node: Document, resource: str) -> int:
    amount = ((node.get("status") or {}).get("allocatable") or {}).get(resource, "0")
    return int(amount) if str(amount).isdecimal() else 0


def check_progress(bot: TweetBot, pods: Found, now: datetime) -> Check | None:
    """Judge whether the operator learns how far a training is; None while no trainer runs."""
    run = bot.status.current_run
    starts = [started for pod in pods.items if (started := _find_start(pod, run.id if run else ""))]
    if run is None or run.outcome or not starts:
        return None
    if run.progress:
        amount = f"{run.progress.percent} %" if run.progress.percent is not None else f"{run.progress.posts} posts"
        return Check("progress", "ok", f"The {run.stage} stage was at {amount} at {run.progress.updated_at}.")
    ran = int((now - max(starts)).total_seconds())
    if ran < _PROGRESS_SECONDS:
        return None
    return Check(
        "progress",
        "warning",
        f"The trainer has run for {ran} s, and the operator has no progress of it.",
        f"Let the operator's Pods reach TCP port {PROGRESS_PORT} of trainers: a NetworkPolicy or a mesh may forbid it.",
    )


def _find_start(pod: Document, run_id: str) -> datetime | None:
    """Return when the trainer of a run's Pod has begun, if it still runs."""
    if (pod["metadata"].get("labels") or {}).get(RUN_LABEL) != run_id:
        return None
    containers = (pod.get("status") or {}).get("containerStatuses") or ()
    state = next((each.get("state") or {} for each in containers if each["name"] == "trainer"), {})
    started = (state.get("running") or {}).get("startedAt")
    return datetime.fromisoformat(started) if started else None


def check_reason(bot: TweetBot) -> Check:
    """Judge the state that the operator reports, in its own words, which say what to do."""
    what, status = "state", bot.status
    stalled = status.find_condition("Stalled")
    if stalled and stalled.status == "True":
        return Check(what, "failed", f"{stalled.reason}: {stalled.message}")
    if status.observed_generation < bot.generation:
        advice = "If that lasts for a minute, the operator does not run, or does not watch this namespace."
        return Check(what, "warning", "The operator has not acted on the latest edit yet.", advice)
    ready, progressing = status.find_condition("Ready"), status.find_condition("Progressing")
    said = progressing if progressing and progressing.status == "True" else ready or progressing
    message = f"{said.reason}: {said.message}".removesuffix(": ") if said else str(status.phase)
    return Check(what, "warning" if status.phase == "Failed" else "ok", message)
