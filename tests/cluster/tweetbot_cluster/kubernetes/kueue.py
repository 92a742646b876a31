"""Kueue beside an embedded cluster: program, kinds and webhooks from its Go module, everything on the loopback.

The API server reaches Kueue's webhooks through a Service, as in any cluster: here one of type ExternalName that leads
to `localhost`. Kueue makes its own certificate for the Service's name and puts it into a Secret; what a kubelet would
mount of that Secret, `start` writes into the folder that Kueue reads.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import yaml

from tweetbot_cluster.binaries import KUEUE, MODULES, find_or_build, to_stderr
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.processes import reap
from tweetbot_cluster.servers import Server, answers, running, stop
from tweetbot_cluster.state import LOOPBACK, free_ports

Document = dict[str, Any]
NAMESPACE = "kueue-system"
SERVICE, SECRET = "kueue-webhook-service", "kueue-webhook-server-cert"
#: Kinds whose webhooks are registered; the others are of frameworks that this cluster does not have.
_GROUPS = ("batch", "kueue.x-k8s.io")


class Kueue:
    """One Kueue. `install` once, then `start`, `stop` and `kill`, as often as a test likes."""

    def __init__(self, cluster: EmbeddedCluster) -> None:
        self._cluster, self._state = cluster, cluster.state
        self._program = find_or_build(os.environ, to_stderr, (KUEUE,))["kueue"]
        self._module = module_folder() / "config" / "components"
        self._webhook_port, self._health_port = free_ports(2)
        self._folder = cluster.state.root / "kueue"
        self._certificates = self._folder / "certificates"
        self.log = cluster.logs / "kueue.log"

    def install(self) -> None:
        """Put in the kinds, the namespace, the Service, an empty Secret and the webhooks. Raises KubectlFailed."""
        self._certificates.mkdir(parents=True, exist_ok=True)
        kubectl = self._cluster.kubectl
        kubectl("apply", "--server-side", "-f", str(self._module / "crd" / "bases"))
        for kind in self._converted():
            kubectl("patch", "crd", kind, "--type=merge", "-p", json.dumps({"spec": self._conversion()}))
        hooks = yaml.safe_load_all((self._module / "webhook" / "manifests.yaml").read_text())
        items = [*self._foundation(), *(self._registered(each) for each in hooks)]
        kubectl(
            "apply", "--server-side", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        )

    def start(self) -> None:
        """Start Kueue and wait until it serves its webhooks. Raises StartFailed."""
        config = self._folder / "config.json"
        config.write_text(json.dumps(self._configuration()))
        url = f"http://{LOOPBACK}:{self._health_port}/readyz"
        command = (str(self._program), "--config", str(config), "--feature-gates", "VisibilityOnDemand=false")
        environment = {"PATH": os.environ["PATH"], "TWEETBOT_CLUSTER_OWNER": str(self._state.root)}
        server = Server(
            "kueue", command, lambda: answers(url), env={"KUBECONFIG": str(self._cluster.kubeconfig)}, patience=180
        )
        server.start(self._state, environment)
        self._mount()
        server.wait(self._state)

    def stop(self) -> None:
        """End it in good order."""
        stop(self._state, "kueue", grace=20)

    def kill(self) -> None:
        """End it by SIGKILL, as a crash would."""
        if record := running(self._state, "kueue"):
            record.signal_group(signal.SIGKILL)
            record.wait(10)
            reap(record.pid)
        stop(self._state, "kueue", grace=0)

    def _mount(self) -> None:
        """Write the certificate where a kubelet would mount it, once Kueue has made it."""
        for _ in range(600):
            secret = self._cluster.api.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/{SECRET}")
            if data := secret.get("data"):
                for name, content in data.items():
                    (self._certificates / name).write_bytes(base64.b64decode(content))
                return
            time.sleep(0.2)
        raise TimeoutError(f"Kueue made no certificate; see {self.log}")

    def _foundation(self) -> list[Document]:
        own = {"namespace": NAMESPACE}
        return [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, **own}},
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": SERVICE, **own},
                "spec": {"type": "ExternalName", "externalName": "localhost"},
            },
        ]

    def _registered(self, hooks: Document) -> Document:
        """Return the webhooks of our kinds, under the name and at the Service of Kueue's own installation."""
        kept = [hook for hook in hooks["webhooks"] if set(hook["rules"][0]["apiGroups"]) & set(_GROUPS)]
        for hook in kept:
            hook["clientConfig"]["service"] |= self._service()
        name = f"kueue-{hooks['metadata']['name']}"
        return {**hooks, "metadata": {"name": name}, "webhooks": kept}

    def _converted(self) -> list[str]:
        """Return the kinds that Kueue serves in two versions, and injects its certificate into."""
        folder = self._module / "crd"
        patches = yaml.safe_load((folder / "kustomization.yaml").read_text())["patches"]
        return [yaml.safe_load((folder / patch["path"]).read_text())["metadata"]["name"] for patch in patches]

    def _conversion(self) -> Document:
        client = {"service": {**self._service(), "path": "/convert"}}
        return {
            "conversion": {
                "strategy": "Webhook",
                "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]},
            }
        }

    def _service(self) -> Document:
        return {"namespace": NAMESPACE, "name": SERVICE, "port": self._webhook_port}

    def _configuration(self) -> Document:
        return {
            "apiVersion": "config.kueue.x-k8s.io/v1beta2",
            "kind": "Configuration",
            "namespace": NAMESPACE,
            "health": {"healthProbeBindAddress": f"{LOOPBACK}:{self._health_port}"},
            "metrics": {"bindAddress": "0"},
            "webhook": {"host": LOOPBACK, "port": self._webhook_port, "certDir": str(self._certificates)},
            "leaderElection": {"leaderElect": False},
            "internalCertManagement": {"enable": True, "webhookServiceName": SERVICE, "webhookSecretName": SECRET},
            "integrations": {"frameworks": ["batch/job"]},
        }


def module_folder() -> Path:
    """Return where Go keeps the source of the Kueue that we build. Raises CalledProcessError."""
    command = ["go", "mod", "download", "-json", "sigs.k8s.io/kueue"]
    done = subprocess.run(command, cwd=MODULES / "kueue", capture_output=True, text=True, check=True)
    return Path(json.loads(done.stdout)["Dir"])
