"""What the API server says of a Pod that it does not admit."""

from builders.sentences.sentence import (
    ACCOUNT,
    CPU,
    MEMORY,
    NO_GPU,
    NO_POLICY,
    PREPARE,
    PRIORITY,
    RUNTIME,
    SELECTOR,
    TOLERATIONS,
    Sentence,
)


def _refused(words: str, *fields: str, says: str = "", stage: str = "Train", spec: str = "full") -> Sentence:
    return Sentence("PodRefused", words, fields, says, stage, spec)


ADMISSION = {
    "no ServiceAccount": _refused(
        'error looking up service account team-a/trainer: serviceaccount "trainer" not found',
        ACCOUNT,
        says="Create the ServiceAccount trainer",
    ),
    "no default ServiceAccount": _refused(
        'error looking up service account team-a/default: serviceaccount "default" not found',
        ACCOUNT,
        says="Create the ServiceAccount default",
        spec="bare",
    ),
    "no PriorityClass": _refused(
        "no PriorityClass with name gpu-high was found", PRIORITY, says="PriorityClass gpu-high"
    ),
    "no PriorityClass, in the prepare stage": _refused(
        "no PriorityClass with name gpu-high was found", PRIORITY, says="PriorityClass gpu-high", stage="Prepare"
    ),
    "no RuntimeClass, in the prepare stage": _refused(
        'pod rejected: RuntimeClass "kata" not found', f"{PREPARE}.runtimeClassName", stage="Prepare"
    ),
    "a policy's PriorityClass": _refused("no PriorityClass with name low was found", says=NO_POLICY),
    "no RuntimeClass": _refused('pod rejected: RuntimeClass "gvisor" not found', RUNTIME, says="RuntimeClass gvisor"),
    "the quota of CPU": _refused(
        "exceeded quota: team-a, requested: limits.cpu=4,requests.cpu=4, used: limits.cpu=2,requests.cpu=2, limited: "
        "limits.cpu=4,requests.cpu=4",
        CPU,
        says="the quota team-a",
    ),
    "the quota of CPU and memory": _refused(
        "exceeded quota: q, requested: requests.cpu=4,requests.memory=16Gi, used: requests.cpu=2,requests.memory=8Gi, "
        "limited: requests.cpu=4,requests.memory=16Gi",
        CPU,
        MEMORY,
    ),
    "the quota of CPU, in the prepare stage": _refused(
        "exceeded quota: q, requested: cpu=1, used: cpu=4, limited: cpu=4", says="prepareCpu", stage="Prepare"
    ),
    "the quota of memory, in the prepare stage": _refused(
        "exceeded quota: q, requested: memory=2Gi, used: memory=1Gi, limited: memory=2Gi",
        says="prepareMemory",
        stage="Prepare",
    ),
    "the quota of disk": _refused(
        "exceeded quota: q, requested: requests.ephemeral-storage=5632Mi, used: requests.ephemeral-storage=0, limited: "
        "requests.ephemeral-storage=1Gi",
        says="workSize",
    ),
    "the quota of GPUs": _refused(
        "exceeded quota: gpus, requested: requests.nvidia.com/gpu=1, used: requests.nvidia.com/gpu=4, limited: "
        "requests.nvidia.com/gpu=4",
        NO_GPU,
        says="the quota gpus",
    ),
    "the quota of Pods": _refused(
        "exceeded quota: q, requested: pods=1, used: pods=10, limited: pods=10", says="Delete Pods"
    ),
    "the quota of Pods by count": _refused(
        "exceeded quota: q, requested: count/pods=1, used: count/pods=10, limited: count/pods=10", says="Delete Pods"
    ),
    "a container without what a quota counts": _refused(
        "failed quota: team-a: must specify limits.ephemeral-storage for: istio-proxy", says="LimitRange"
    ),
    "a quota that has not been counted": _refused(
        "status unknown for quota: team-a, resources: requests.cpu", says="quota team-a is new"
    ),
    "no quota for the PriorityClass": _refused(
        "insufficient quota to match these scopes: [{PriorityClass In [gpu-high]}]", PRIORITY, says="ResourceQuota"
    ),
    "no quota for GPUs": _refused(
        "insufficient quota to consume: requests.nvidia.com/gpu", NO_GPU, says="a ResourceQuota made"
    ),
    "a LimitRange's most CPU": _refused(
        "maximum cpu usage per Container is 2, but limit is 4", CPU, says="to at most 2, or"
    ),
    "a LimitRange's most memory for the Pod": _refused(
        "[maximum cpu usage per Pod is 2, but limit is 4, maximum memory usage per Pod is 8Gi, but limit is 16Gi]",
        CPU,
        MEMORY,
        says="to at most 8Gi",
    ),
    "a LimitRange's least memory": _refused(
        "minimum memory usage per Container is 32Gi, but request is 16Gi", MEMORY, says="to at least 32Gi"
    ),
    "a LimitRange's least CPU": _refused(
        "minimum cpu usage per Container is 8, but request is 4", CPU, says="to at least 8"
    ),
    "a LimitRange's most memory, in the prepare stage": _refused(
        "maximum memory usage per Container is 1Gi, but limit is 2Gi", says="prepareMemory", stage="Prepare"
    ),
    "a LimitRange's most CPU, in the prepare stage": _refused(
        "maximum cpu usage per Container is 500m, but limit is 1", says="prepareCpu", stage="Prepare"
    ),
    "a LimitRange's least CPU, in the prepare stage": _refused(
        "minimum cpu usage per Container is 2, but request is 1", says="prepareCpu raised", stage="Prepare"
    ),
    "a LimitRange's least memory, in the prepare stage": _refused(
        "minimum memory usage per Pod is 4Gi, but request is 2Gi", says="prepareMemory raised", stage="Prepare"
    ),
    "a LimitRange's most disk": _refused(
        "maximum ephemeral-storage usage per Container is 10Gi, but limit is 22784Mi", says="workSize"
    ),
    "a LimitRange's ratio": _refused(
        "ephemeral-storage max limit to request ratio per Container is 2, but provided ratio is 4.000000",
        says="LimitRange changed",
    ),
    "the namespace's node selector": _refused(
        "pod node label selector conflicts with its namespace node label selector", SELECTOR
    ),
    "the namespace's list of selectors": _refused(
        "pod node label selector labels conflict with its namespace whitelist", SELECTOR
    ),
    "the RuntimeClass's node selector": _refused(
        "conflict: runtimeClass.scheduling.nodeSelector[gpu] = h100; pod.spec.nodeSelector[gpu] = a100",
        SELECTOR,
        says="Take gpu out of",
    ),
    "the namespace's list of tolerations": _refused(
        "pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist",
        TOLERATIONS,
    ),
    "Pod Security": _refused(
        'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "istio-proxy" must set '
        "securityContext.allowPrivilegeEscalation=false)",
        says="who added it",
    ),
    "an image that a policy forbids": _refused(
        "image policy webhook backend denied one or more images: no signature", says="trainerImage"
    ),
    "a policy": _refused(
        "ValidatingAdmissionPolicy 'limits' with binding 'all' denied request: ask for less memory",
        says="the policy limits asks",
    ),
    "a webhook": _refused(
        'admission webhook "validate.kyverno.svc-fail" denied the request: no', says="validate.kyverno.svc-fail"
    ),
    "a webhook that is away": _refused(
        'Internal error occurred: failed calling webhook "pods.example.com": failed to call webhook: Post '
        '"https://hook.ops.svc:443/?timeout=10s": dial tcp 10.0.0.1:443: connect: connection refused',
        says="pods.example.com",
    ),
}
