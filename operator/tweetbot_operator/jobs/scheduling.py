"""Scheduling → the fields of a Pod's spec that place it; only what the user set."""

from typing import Any

from tweetbot_contract.handover import PRIORITY_LABEL, QUEUE_LABEL
from tweetbot_contract.spec.scheduling import Affinity, NodeTerm, Scheduling
from tweetbot_contract.status import Stage

Manifest = dict[str, Any]


def build_scheduling_fields(scheduling: Scheduling) -> Manifest:
    """Return the Pod spec's fields."""
    fields = {
        "priorityClassName": scheduling.priority_class_name,
        "runtimeClassName": scheduling.runtime_class_name,
        "nodeSelector": dict(scheduling.node_selector),
        "tolerations": [toleration.to_dict() for toleration in scheduling.tolerations],
        "affinity": _build_affinity(scheduling.affinity) if scheduling.affinity else None,
    }
    return {name: value for name, value in fields.items() if value}


def _build_affinity(affinity: Affinity) -> Manifest:
    node: Manifest = {}
    if affinity.required:
        terms = [_build_node_term(term) for term in affinity.required]
        node["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": terms}
    if affinity.preferred:
        node["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {"weight": term.weight, "preference": _build_node_term(term.preference)} for term in affinity.preferred
        ]
    return {"nodeAffinity": node} if node else {}


def _build_node_term(term: NodeTerm) -> Manifest:
    return term.to_dict()


def get_queue_name(scheduling: Scheduling, stage: Stage) -> str | None:
    """Return the LocalQueue that a stage waits in; None for one that begins at once."""
    return scheduling.queue_name if stage == "Train" or scheduling.queue_prepare else None


def build_queue_labels(scheduling: Scheduling, stage: Stage) -> dict[str, str]:
    """Return Kueue's labels of a stage's Job. A priority counts in the namespace's default queue, too."""
    labels = {QUEUE_LABEL: get_queue_name(scheduling, stage), PRIORITY_LABEL: scheduling.workload_priority_class_name}
    return {name: value for name, value in labels.items() if value}


def build_suspend_fields(scheduling: Scheduling, stage: Stage) -> Manifest:
    """Return the fields of a Job's spec that hold it back until its queue admits it."""
    return {"suspend": True} if get_queue_name(scheduling, stage) else {}
