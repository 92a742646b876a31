"""The operator as a local process, with the cluster's kubeconfig and a serving certificate of the cluster's."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from tweetbot_cluster.kubernetes.certificates import Authority
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
        **progress_env(state, settings.progress_port),
    }
    url = f"http://{LOOPBACK}:{settings.operator_port}/readyz"
    return Server("operator", (sys.executable, *program), lambda: answers(url), env={**own, **env})


def progress_env(state: StateFolder, port: int) -> dict[str, str]:
    """Return what lets an operator take the trainers' reports at a port of the loopback."""
    authority = Authority(state.certificates)
    certificate, key = authority.server("operator", (LOOPBACK,))
    return {
        "TWEETBOT_PROGRESS_URL": f"https://{LOOPBACK}:{port}",
        "TWEETBOT_PROGRESS_PORT": str(port),
        "TWEETBOT_PROGRESS_CERTIFICATE": str(certificate),
        "TWEETBOT_PROGRESS_KEY": str(key),
        "TWEETBOT_PROGRESS_CA": str(authority.certificate_file),
    }
