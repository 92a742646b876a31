"""The operator as a local process, with the cluster's kubeconfig."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from tweetbot_cluster.servers import Server, answers
from tweetbot_cluster.state import LOOPBACK, Settings, StateFolder

PROGRAM = ("-m", "tweetbot_operator")


def operator_server(
    state: StateFolder, settings: Settings, env: Mapping[str, str], program: Sequence[str] = PROGRAM
) -> Server:
    """Return the operator with further variables; it is ready when its own health endpoint says so."""
    own = {
        "KUBECONFIG": str(state.root / "operator.kubeconfig"),
        "TWEETBOT_HTTP_HOST": LOOPBACK,
        "TWEETBOT_HTTP_PORT": str(settings.operator_port),
        "PYTHONUNBUFFERED": "1",
        "TWEETBOT_ALLOWED_NETWORKS": "127.0.0.0/8",  # S3 and the fakes are there
    }
    url = f"http://{LOOPBACK}:{settings.operator_port}/readyz"
    return Server("operator", (sys.executable, *program), lambda: answers(url), env={**own, **env})
