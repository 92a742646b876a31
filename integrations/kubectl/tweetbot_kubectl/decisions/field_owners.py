"""Who else writes a field: a GitOps tool that manages it puts it back."""

import re
from dataclasses import dataclass
from typing import Any

from tweetbot_kubectl.decisions.changes import Change, FieldPath

Document = dict[str, Any]
#: Field managers of GitOps tools, and the tools' names.
_TOOLS = (
    (re.compile(r"argocd"), "Argo CD"),
    (re.compile(r"kustomize-controller|helm-controller|flux"), "Flux"),
    (re.compile(r"helm", re.IGNORECASE), "Helm"),
    (re.compile(r"fleet"), "Fleet"),
)


@dataclass(frozen=True, slots=True)
class FieldOwner:
    """A GitOps tool that manages a field."""

    tool: str
    manager: str
    """Its name in metadata.managedFields."""


def find_gitops_owner(manifest: Document, field: FieldPath) -> FieldOwner | None:
    """Return the GitOps tool that manages a field of this object, or None."""
    for entry in manifest["metadata"].get("managedFields") or ():
        manager = str(entry.get("manager"))
        tool = next((name for pattern, name in _TOOLS if pattern.search(manager)), None)
        if tool and not entry.get("subresource") and _has(entry.get("fieldsV1") or {}, field):
            return FieldOwner(tool, manager)
    return None


def _has(fields: Document, path: FieldPath) -> bool:
    for step in path:
        if step not in fields:
            return False
        fields = fields[step]
    return True


def warn_of_owner(owner: FieldOwner, change: Change) -> str:
    """Return what a GitOps tool will do with a change, and what to commit instead."""
    name = change.field[-1].removeprefix("f:")
    when = "at its next upgrade" if owner.tool == "Helm" else "at its next sync"
    return (
        f"{owner.tool} manages {name} (field manager {owner.manager}) and puts back what Git says {when}. "
        f"To keep the change, commit: {change.commit}"
    )
