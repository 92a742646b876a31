"""Why Kueue admits no Job, in the words of its workload controller and its scheduler (0.10 to 0.19)."""

from tweetbot_contract.reasons import QUEUED
from tweetbot_contract.reasons.known_cause import KnownCause

_QUEUE = ("spec.scheduling.queueName",)
_RAISED = "or have the quota raised: the ClusterQueue never has as much"


def _build(*says: str, do: str, fields: tuple[str, ...] = (), otherwise: str = "", stage: str = "") -> KnownCause:
    return KnownCause((QUEUED,), says, do, fields, otherwise, stage)


def _build_size(resource: str, field: str, setting: str) -> tuple[KnownCause, ...]:
    """Build what a ClusterQueue says of a resource, which in the prepare stage is a setting's."""
    asked = f"insufficient quota for {resource} in flavor "
    return (
        _build(asked, do=f"Lower {{fields}}, {_RAISED}.", fields=(field,), stage="Train"),
        _build(asked, do=f"Have the operator's setting {setting} lowered, {_RAISED}.", stage="Prepare"),
        _build(f"resource {resource} unavailable in ClusterQueue", do=f"Have the ClusterQueue cover {resource}."),
    )


QUEUES = (
    _build(
        "LocalQueue {name} doesn't exist",
        do="Create the LocalQueue {name} in the namespace, or correct {fields}.",
        fields=_QUEUE,
        otherwise="Create the LocalQueue {name} in the namespace: Kueue or a policy has put the Job into it.",
    ),
    _build(
        "LocalQueue {name} is inactive",
        do="Have the LocalQueue {name} resumed (its stopPolicy), or choose another one in {fields}.",
        fields=_QUEUE,
        otherwise="Have the LocalQueue {name} resumed (its stopPolicy).",
    ),
    _build(
        "ClusterQueue {queue} doesn't exist",
        "ClusterQueue {queue} is inactive",
        do="Have the ClusterQueue {queue} created, or resumed (its stopPolicy), or choose another queue in {fields}.",
        fields=_QUEUE,
    ),
    _build(
        "namespace doesn't match ClusterQueue selector",
        do="Have the ClusterQueue's namespaceSelector take this namespace, or choose another queue in {fields}.",
        fields=_QUEUE,
    ),
    *_build_size("cpu", "spec.resources.cpu", "prepareCpu"),
    *_build_size("memory", "spec.resources.memory", "prepareMemory"),
    _build(
        "resource {resource} unavailable in ClusterQueue",
        "insufficient quota for {resource} in flavor ",
        do="Have the ClusterQueue's quota cover {resource}, correct {fields}, or set spec.resources.gpu.count to 0.",
        fields=("spec.resources.gpu.resource",),
        otherwise="Have the ClusterQueue's quota cover {resource}.",
    ),
)
