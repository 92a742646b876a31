"""What the scheduler says of a Pod for which it finds no node."""

from builders.sentences.sentence import (
    BASE,
    CPU,
    GPU,
    MEMORY,
    NO_GPU,
    NO_POLICY,
    PREPARE,
    REQUIRED,
    SELECTOR,
    TOLERATIONS,
    Sentence,
)


def _waits(words: str, *fields: str, says: str = "", stage: str = "Train", spec: str = "full") -> Sentence:
    return Sentence("Unschedulable", words, fields, says, stage, spec)


SCHEDULER = {
    "no PersistentVolumeClaim": _waits(
        '0/3 nodes are available: persistentvolumeclaim "models" not found. not found',
        BASE,
        says="Create the PersistentVolumeClaim models",
    ),
    "a policy's PersistentVolumeClaim": _waits(
        '0/3 nodes are available: persistentvolumeclaim "cache" not found.', says=NO_POLICY
    ),
    "a PersistentVolumeClaim that goes": _waits(
        '0/3 nodes are available: persistentvolumeclaim "models" is being deleted.', BASE, says="once it is gone"
    ),
    "a PersistentVolumeClaim without its volume": _waits(
        '0/3 nodes are available: persistentvolumeclaim "models" bound to non-existent persistentvolume "pv-1".', BASE
    ),
    "an unbound PersistentVolumeClaim": _waits(
        "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found",
        BASE,
        says="describe pvc",
    ),
    "no volume to bind": _waits(
        "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind.", BASE
    ),
    "no room for a volume": _waits(
        "0/3 nodes are available: 3 node(s) did not have enough free storage.", BASE, says="volume provided"
    ),
    "a volume elsewhere": _waits(
        "0/3 nodes are available: 3 node(s) didn't match PersistentVolume's node affinity.", BASE, SELECTOR, REQUIRED
    ),
    "a volume in another zone": _waits(
        "0/3 nodes are available: 3 node(s) had no available volume zone.", BASE, SELECTOR, REQUIRED
    ),
    "a volume for one Pod": _waits(
        "0/3 nodes are available: 3 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode "
        "already in-use by another pod.",
        BASE,
        says="ReadOnlyMany",
    ),
    "too little CPU": _waits("0/3 nodes are available: 3 Insufficient cpu.", CPU),
    "too little memory": _waits(
        "0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available: 3 No preemption victims "
        "found for incoming pod.",
        MEMORY,
    ),
    "too little CPU, in the prepare stage": _waits(
        "0/3 nodes are available: 3 Insufficient cpu.", says="prepareCpu", stage="Prepare"
    ),
    "too little memory, in the prepare stage": _waits(
        "0/3 nodes are available: 3 Insufficient memory.", says="prepareMemory", stage="Prepare"
    ),
    "too little disk": _waits("0/3 nodes are available: 3 Insufficient ephemeral-storage.", says="workSize"),
    "no GPU": _waits("0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", GPU, NO_GPU),
    "a GPU that a policy asks for": _waits("0/3 nodes are available: 3 Insufficient amd.com/gpu.", says=NO_POLICY),
    "many Pods": _waits("0/3 nodes are available: 3 Too many pods.", says="nodes added"),
    "nodes that are away": _waits(
        "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.", says="NotReady"
    ),
    "cordoned nodes": _waits("0/1 nodes are available: 1 node(s) were unschedulable.", says="uncordoned"),
    "a taint": _waits(
        "0/2 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 1 node(s) "
        "had untolerated taint {nvidia.com/gpu: present}.",
        TOLERATIONS,
        says="Tolerate nvidia.com/gpu: present in",
    ),
    "taints without their names": _waits(
        "0/2 nodes are available: 2 node(s) had untolerated taint(s).", TOLERATIONS, says="describe nodes"
    ),
    "a taint, in the prepare stage": _waits(
        "0/2 nodes are available: 2 node(s) had untolerated taint {batch: only}.",
        f"{PREPARE}.tolerations",
        says="Tolerate batch: only in",
        stage="Prepare",
    ),
    "labels, in the prepare stage": _waits(
        "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
        f"{PREPARE}.nodeSelector",
        stage="Prepare",
    ),
    "labels": _waits(
        "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
        SELECTOR,
        REQUIRED,
        says="--show-labels",
    ),
    "labels that a policy asks for": _waits(
        "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.", says=NO_POLICY, spec="bare"
    ),
    "a spread that a policy asks for": _waits(
        "0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints.", says=NO_POLICY
    ),
    "no nodes": _waits("no nodes available to schedule pods", says="the cluster has none"),
    "everything at once": _waits(
        "0/9 nodes are available: 1 node(s) had untolerated taint {gpu: }, 2 Insufficient memory, 3 Insufficient "
        "nvidia.com/gpu, 3 node(s) didn't match Pod's node affinity/selector.",
        MEMORY,
        GPU,
        NO_GPU,
        TOLERATIONS,
        SELECTOR,
        REQUIRED,
    ),
}
