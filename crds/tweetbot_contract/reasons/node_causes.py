"""Why no node takes a Pod or starts it, in the words of kubernetes/pkg/scheduler, pkg/kubelet and of runtimes."""

from tweetbot_contract.reasons import (
    CONTAINER_NOT_STARTED,
    SECRET_NOT_FOUND,
    UNSCHEDULABLE,
    Reason,
)
from tweetbot_contract.reasons.known_cause import FOREIGN, KnownCause

_BASE, _CA = ("spec.model.base",), ("spec.caBundle.name",)
_SELECTORS = ("spec.scheduling.nodeSelector", "spec.scheduling.affinity.required")


def _build(
    reason: Reason, *says: str, do: str, fields: tuple[str, ...] = (), otherwise: str = "", stage: str = ""
) -> KnownCause:
    return KnownCause((reason,), says, do, fields, otherwise, stage)


VOLUMES = (
    _build(
        UNSCHEDULABLE,
        'persistentvolumeclaim "{name}" not found',
        do="Create the PersistentVolumeClaim {name} in the namespace, or correct {fields}.",
        fields=_BASE,
        otherwise=FOREIGN,
    ),
    _build(
        UNSCHEDULABLE,
        'persistentvolumeclaim "{name}" is being deleted',
        do="Create the PersistentVolumeClaim {name} again once it is gone, or name another one in {fields}.",
        fields=_BASE,
        otherwise=FOREIGN,
    ),
    _build(
        UNSCHEDULABLE,
        'persistentvolumeclaim "{name}" bound to non-existent persistentvolume',
        do="Create the PersistentVolumeClaim {name} again, as its volume is gone, or name another one in {fields}.",
        fields=_BASE,
        otherwise=FOREIGN,
    ),
    _build(
        UNSCHEDULABLE,
        "pod has unbound immediate PersistentVolumeClaims",
        "didn't find available persistent volumes to bind",
        "did not have enough free storage",
        "one or more pvc(s) bound to non-existent pv(s)",
        do="Have a volume provided for the PersistentVolumeClaim of {fields}: kubectl describe pvc says what it lacks.",
        fields=_BASE,
    ),
    _build(
        UNSCHEDULABLE,
        "didn't match PersistentVolume's node affinity",
        "had volume node affinity conflict",
        "had no available volume zone",
        do="Correct {fields}, so that the Pod may run on the nodes, or in the zone, of its volume.",
        fields=(*_BASE, *_SELECTORS),
    ),
    _build(
        UNSCHEDULABLE,
        "ReadWriteOncePod access mode already in-use by another pod",
        "node(s) had no available disk",
        do="Wait until the other Pod ends, or name a PersistentVolumeClaim that many read (ReadOnlyMany) in {fields}.",
        fields=_BASE,
    ),
)

NODES = (
    _build(
        UNSCHEDULABLE,
        "Insufficient cpu",
        do="Lower {fields}, or have nodes with more free CPU added.",
        fields=("spec.resources.cpu",),
        stage="Train",
    ),
    _build(
        UNSCHEDULABLE,
        "Insufficient cpu",
        do="Have the operator's setting prepareCpu lowered, or nodes added.",
        stage="Prepare",
    ),
    _build(
        UNSCHEDULABLE,
        "Insufficient memory",
        do="Lower {fields}, or have nodes with more free memory added.",
        fields=("spec.resources.memory",),
        stage="Train",
    ),
    _build(
        UNSCHEDULABLE,
        "Insufficient memory",
        do="Have the operator's setting prepareMemory lowered, or nodes added.",
        stage="Prepare",
    ),
    _build(
        UNSCHEDULABLE,
        "Insufficient ephemeral-storage",
        do="Have the operator's setting workSize lowered, or nodes with more disk added.",
    ),
    _build(
        UNSCHEDULABLE,
        "Insufficient {resource}",
        do="Wait for a free {resource}, have nodes with it added, correct {fields} if no node has it "
        "(kubectl describe nodes), or set spec.resources.gpu.count to 0.",
        fields=("spec.resources.gpu.resource",),
        otherwise=FOREIGN,
    ),
    _build(UNSCHEDULABLE, "Too many pods", do="Have nodes added: those that there are run as many Pods as they may."),
    _build(
        UNSCHEDULABLE,
        "untolerated taint {{node.kubernetes.io/{condition}}}",
        "node(s) were unschedulable",
        "node(s) had unknown conditions",
        do="Have nodes uncordoned, or mended if kubectl get nodes shows them as NotReady.",
    ),
    _build(
        UNSCHEDULABLE,
        "untolerated taint {{{taint}}}",
        do="Tolerate {taint} in {fields}, if the TweetBot may run on these nodes.",
        fields=("spec.scheduling.tolerations",),
    ),
    _build(
        UNSCHEDULABLE,
        "untolerated taint(s)",
        do="Tolerate the taints that kubectl describe nodes shows in {fields}, if the TweetBot may run on these nodes.",
        fields=("spec.scheduling.tolerations",),
    ),
    _build(
        UNSCHEDULABLE,
        "didn't match Pod's node affinity",
        do="Correct {fields}, or have nodes labelled so: kubectl get nodes --show-labels.",
        fields=_SELECTORS,
        otherwise=FOREIGN,
    ),
    _build(
        UNSCHEDULABLE,
        "didn't match pod topology spread constraints",
        "didn't match pod affinity rules",
        "didn't match pod anti-affinity rules",
        "didn't have free ports for the requested pod ports",
        do=FOREIGN,
    ),
    _build(UNSCHEDULABLE, "no nodes available to schedule pods", do="Have nodes added: the cluster has none."),
)

_TOKENS = ("spec.sources[].x.tokenSecret", "spec.model.tokenSecret")
MOUNTS = (
    _build(
        SECRET_NOT_FOUND,
        'secret "{name}" not found',
        do="Create the Secret {name} in the namespace, or correct {fields}.",
        fields=("spec.output.s3.credentialsSecret.name", *(f"{field}.name" for field in _TOKENS)),
        otherwise=FOREIGN,
    ),
    _build(
        SECRET_NOT_FOUND,
        "non-existent secret key: AWS_{key}",
        do="Add the key AWS_{key} to the Secret that {fields} names.",
        fields=("spec.output.s3.credentialsSecret.name",),
        otherwise=FOREIGN,
    ),
    _build(
        SECRET_NOT_FOUND,
        "non-existent secret key: {name}",
        do="Add the key {name} to the Secret, or correct {fields}.",
        fields=tuple(f"{field}.key" for field in _TOKENS),
        otherwise=FOREIGN,
    ),
    _build(
        SECRET_NOT_FOUND,
        "find key {key} in Secret {secret}",
        "find key {key} in ConfigMap {secret}",
        do=FOREIGN,
    ),
    _build(
        SECRET_NOT_FOUND,
        'configmap "{name}" not found',
        do="Create the ConfigMap {name} in the namespace, or correct {fields}.",
        fields=_CA,
        otherwise="Create the ConfigMap {name} in the namespace: the TweetBotClass, or the operator's setting "
        "caConfigMap, asks for it.",
    ),
    _build(
        SECRET_NOT_FOUND,
        "non-existent config key: {name}",
        do="Add the key {name} to the ConfigMap that spec.caBundle.name names, or correct {fields}.",
        fields=("spec.caBundle.key",),
        otherwise="Add the key {name} to the ConfigMap that the TweetBotClass, or the operator's setting caConfigMap, "
        "names.",
    ),
)

CONTAINERS = (
    _build(
        CONTAINER_NOT_STARTED,
        'no runtime for "{handler}" is configured',
        "failed to find runtime handler {handler}",
        'runtime handler "{handler}" not supported',
        do="Have the runtime {handler} installed on the nodes, or choose others by spec.scheduling.nodeSelector, or "
        "correct {fields}.",
        fields=("spec.scheduling.runtimeClassName",),
        otherwise=FOREIGN,
    ),
    _build(
        CONTAINER_NOT_STARTED,
        'runtimeclass.node.k8s.io "{name}" not found',
        do="Have the RuntimeClass {name} created, or correct {fields}.",
        fields=("spec.scheduling.runtimeClassName",),
        otherwise=FOREIGN,
    ),
    _build(
        CONTAINER_NOT_STARTED,
        "Multi-Attach error for volume",
        do="Wait until the other Pod ends, or name a PersistentVolumeClaim that many read (ReadOnlyMany) in {fields}.",
        fields=_BASE,
    ),
    _build(
        CONTAINER_NOT_STARTED,
        "AttachVolume.Attach failed for volume",
        "MountVolume.MountDevice failed for volume",
        "MountVolume.WaitForAttach failed for volume",
        "error processing PVC ",
        do="Have the volume of {fields}, or its storage driver on the node, mended.",
        fields=_BASE,
        otherwise=FOREIGN,
    ),
    _build(
        CONTAINER_NOT_STARTED,
        "container has runAsNonRoot and image ",
        do="Have the operator's setting runAsUser set to another number than 0.",
    ),
    _build(
        CONTAINER_NOT_STARTED,
        "failed to setup network for sandbox",
        "failed to set up sandbox container",
        "networkPlugin cni failed",
        do="Have the node's network plugin mended: kubectl get pods -n kube-system shows its Pods.",
    ),
    _build(CONTAINER_NOT_STARTED, "no space left on device", do="Have room made on the node's disk."),
    _build(
        CONTAINER_NOT_STARTED,
        "nvidia-container-cli",
        "CDI device injection failed",
        "failed to inject CDI devices",
        do="Have the GPU's driver or container toolkit on the node mended, or set spec.resources.gpu.count to 0.",
    ),
)

NODE = (*VOLUMES, *NODES, *MOUNTS, *CONTAINERS)
