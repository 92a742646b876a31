"""The downward API: a Pod's own fields as text."""

from __future__ import annotations

import json
import re
from typing import Any

from tweetbot_cluster.node.pod.address import NODE_IP, get_pod_ip

LABELLED = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


class UnknownField(Exception):
    """The Pod asks for a field that the downward API does not have, or that this node does not know."""


def field_of(pod: dict[str, Any], path: str) -> str:
    """Return a field such as `metadata.name` or `metadata.labels['app']`. Raises UnknownField."""
    metadata, spec = pod["metadata"], pod["spec"]
    if match := LABELLED.fullmatch(path):
        return str(metadata.get(match[1], {}).get(match[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        entries = metadata.get(path.removeprefix("metadata."), {})
        return "\n".join(f"{key}={json.dumps(value)}" for key, value in sorted(entries.items()))
    known = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.hostIP": NODE_IP,
        "status.podIP": get_pod_ip(pod),
    }
    if path not in known:
        raise UnknownField(f"the process node does not know the field {path}")
    return str(known[path])
