"""The API server's own account of what the operator asked of it, by verb and resource."""

import json
from collections import Counter
from pathlib import Path

from tweetbot_operator_bench.api import Manifest

USER = "tweetbot-operator"
_READS = ("get", "list", "watch")
#: Of the operator's requests the metadata alone, and of all others nothing: the log must not slow what it counts.
POLICY: Manifest = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [{"level": "Metadata", "users": [USER]}, {"level": "None"}],
}


class Audit:
    """Reads the log on from where it stopped."""

    def __init__(self, log: Path) -> None:
        self._log, self._offset = log, 0

    def since(self) -> Counter[str]:
        """Return the requests since the last call, as `verb resource[/subresource]`, each with its count."""
        with self._log.open("rb") as lines:
            lines.seek(self._offset)
            news = lines.read()
        whole = news[: news.rfind(b"\n") + 1]
        self._offset += len(whole)
        return Counter(kind_of(json.loads(line)) for line in whole.splitlines())


def kind_of(event: Manifest) -> str:
    """Return the verb and the resource of an audit event; requests without a resource are discovery."""
    about = event.get("objectRef") or {}
    resource = "/".join(filter(None, (about.get("resource"), about.get("subresource")))) or "discovery"
    return f"{event['verb']} {resource}"


def writes(counts: Counter[str], *, besides: tuple[str, ...] = ("events", "leases")) -> Counter[str]:
    """Return the requests that change something, but for these resources."""
    return Counter(
        {
            kind: count
            for kind, count in counts.items()
            if kind.split()[0] not in _READS and kind.split()[1] not in besides
        }
    )
