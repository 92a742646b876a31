"""The operator's requests by verb and resource, from the API server's audit log."""

import json
from collections import Counter
from pathlib import Path

from tweetbot_operator_bench.api import Manifest

USER = "tweetbot-operator"
_READS = ("get", "list", "watch")
#: Log only the metadata of the operator's requests, and no others: the log must not slow down what it counts.
POLICY: Manifest = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [{"level": "Metadata", "users": [USER]}, {"level": "None"}],
}


class AuditLog:
    """Reads the log incrementally."""

    def __init__(self, log: Path) -> None:
        self._log, self._offset = log, 0

    def count_new_requests(self) -> Counter[str]:
        """Count the requests since the last call, by `verb resource[/subresource]`."""
        with self._log.open("rb") as lines:
            lines.seek(self._offset)
            news = lines.read()
        whole = news[: news.rfind(b"\n") + 1]
        self._offset += len(whole)
        return Counter(describe_request(json.loads(line)) for line in whole.splitlines())


def describe_request(event: Manifest) -> str:
    """Return an audit event's verb and resource; requests without a resource are discovery."""
    about = event.get("objectRef") or {}
    resource = "/".join(filter(None, (about.get("resource"), about.get("subresource")))) or "discovery"
    return f"{event['verb']} {resource}"


def select_writes(counts: Counter[str], *, besides: tuple[str, ...] = ("events", "leases")) -> Counter[str]:
    """Select the requests that write, except to these resources."""
    return Counter(
        {
            kind: count
            for kind, count in counts.items()
            if kind.split()[0] not in _READS and kind.split()[1] not in besides
        }
    )
