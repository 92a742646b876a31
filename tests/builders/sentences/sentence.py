"""What the cluster says that keeps a run from starting, to the letter, and what the advice then names.

From Kubernetes 1.35: plugin/pkg/admission, pkg/scheduler/framework/plugins, pkg/kubelet, pkg/volume, apiserver's
admission plugins; from containerd 2 and CRI-O 1.35 what they say of images and runtimes.
"""

from dataclasses import dataclass
from typing import Any

#: A spec that sets every field from which a cause may come.
FULL: dict[str, Any] = {
    "sources": [
        {"posts": {"uri": "s3://team-a/posts.jsonl"}},
        {"x": {"handle": "gull", "tokenSecret": {"name": "x-api", "key": "bearer"}, "acceptTerms": True}},
    ],
    "model": {"base": "pvc://models/gpt2"},
    "serviceAccountName": "trainer",
    "caBundle": {"name": "company-ca", "key": "root.crt"},
    "resources": {"cpu": "4", "memory": "16Gi"},
    "scheduling": {
        "queueName": "gpus",
        "queuePrepare": True,
        "priorityClassName": "gpu-high",
        "runtimeClassName": "gvisor",
        "nodeSelector": {"gpu": "a100"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "affinity": {"required": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]},
        "prepare": {"runtimeClassName": "kata", "nodeSelector": {"pool": "cpu"}},
    },
}


GATED: dict[str, Any] = {"model": {"base": "hf://harbour/gpt2", "tokenSecret": {"name": "reader", "key": "token"}}}


@dataclass(frozen=True)
class Sentence:
    """A sentence of the cluster, under which reason it is told, and what the advice names."""

    reason: str
    words: str
    fields: tuple[str, ...] = ()
    says: str = ""
    """Words of the advice."""
    stage: str = "Train"
    spec: str = "full"
    """Whose advice: of a TweetBot that sets every field, of one that sets none, or of one with a gated base."""


CPU, MEMORY, GPU, NO_GPU = (
    "spec.resources.cpu",
    "spec.resources.memory",
    "spec.resources.gpu.resource",
    "spec.resources.gpu.count",
)
SELECTOR, REQUIRED = "spec.scheduling.nodeSelector", "spec.scheduling.affinity.required"
TOLERATIONS, BASE, ACCOUNT = "spec.scheduling.tolerations", "spec.model.base", "spec.serviceAccountName"
QUEUE = "spec.scheduling.queueName"
PRIORITY, RUNTIME = "spec.scheduling.priorityClassName", "spec.scheduling.runtimeClassName"
PREPARE = "spec.scheduling.prepare"
S3_SECRET = "spec.output.s3.credentialsSecret.name"
NO_POLICY = "have the TweetBotClass, policy or webhook"
