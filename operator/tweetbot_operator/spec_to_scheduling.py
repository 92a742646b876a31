"""Scheduling → the fields of a Pod's spec that place it; only what the user set."""

from typing import Any

from tweetbot_contract.scheduling import Affinity, NodeTerm, Scheduling

Manifest = dict[str, Any]


def scheduling_for(scheduling: Scheduling) -> Manifest:
    """Return the Pod spec's fields."""
    fields = {
        "priorityClassName": scheduling.priority_class_name,
        "runtimeClassName": scheduling.runtime_class_name,
        "nodeSelector": dict(scheduling.node_selector),
        "tolerations": [toleration.as_json() for toleration in scheduling.tolerations],
        "affinity": _affinity(scheduling.affinity) if scheduling.affinity else None,
    }
    return {name: value for name, value in fields.items() if value}


def _affinity(affinity: Affinity) -> Manifest:
    node: Manifest = {}
    if affinity.required:
        terms = [_term(term) for term in affinity.required]
        node["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": terms}
    if affinity.preferred:
        node["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {"weight": term.weight, "preference": _term(term.preference)} for term in affinity.preferred
        ]
    return {"nodeAffinity": node} if node else {}


def _term(term: NodeTerm) -> Manifest:
    return term.as_json()
