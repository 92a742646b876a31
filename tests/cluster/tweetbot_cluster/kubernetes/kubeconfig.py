"""Kubeconfig files of the cluster's own clients."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
from pathlib import Path

CONTEXT = "tweetbot-test"  # tests refuse every context of another name


def write_kubeconfig(file: Path, *, server: str, authority: Path, client: tuple[Path, Path]) -> None:
    """Write a self-contained kubeconfig (JSON, which is YAML) with one context, for the owner's eyes only."""
    user = {"client-certificate-data": _encoded(client[0]), "client-key-data": _encoded(client[1])}
    cluster = {"server": server, "certificate-authority-data": _encoded(authority)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": CONTEXT, "user": user}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": "default"}}],
        "current-context": CONTEXT,
    }
    file.touch(mode=0o600)
    file.write_text(json.dumps(document, indent=2) + "\n")


def connection(kubeconfig: Path) -> tuple[str, ssl.SSLContext]:
    """Return the server's URL and the TLS settings of a kubeconfig that `write_kubeconfig` wrote."""
    document = json.loads(kubeconfig.read_text())
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with tempfile.NamedTemporaryFile() as pair:  # the ssl module loads client keys from files only
        pair.write(base64.b64decode(user["client-certificate-data"]))
        pair.write(base64.b64decode(user["client-key-data"]))
        pair.flush()
        context.load_cert_chain(pair.name)
    return str(cluster["server"]), context


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
