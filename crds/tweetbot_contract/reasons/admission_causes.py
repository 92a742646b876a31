"""Why the API server admits no Job or Pod, in the words of kubernetes/plugin/pkg/admission and k8s.io/apiserver."""

from tweetbot_contract.reasons import JOB_REFUSED, POD_REFUSED
from tweetbot_contract.reasons.known_cause import FOREIGN, KnownCause

_POD, _BOTH = (POD_REFUSED,), (JOB_REFUSED, POD_REFUSED)
_EXEMPT = "have it leave alone what has the label app.kubernetes.io/managed-by=tweetbot-operator"
_QUOTA = "exceeded quota: {quota}, requested: …"
_WAIT = "wait until others have given back their share of the quota {quota}, or have it raised"


def _build_range(resource: str, field: str, setting: str) -> tuple[KnownCause, ...]:
    """Build what a LimitRange and a quota say of a resource, which in the prepare stage is a setting's."""
    most, least = (
        f"maximum {resource} usage per {{kind}} is {{limit}}",
        f"minimum {resource} usage per {{kind}} is {{limit}}",
    )
    asked = (f"{_QUOTA}{resource}=",)
    raised, ask = "or have the LimitRange changed", f"Have the operator's setting {setting}"
    return (
        KnownCause(_POD, asked, f"Lower {{fields}}, {_WAIT}.", (field,), stage="Train"),
        KnownCause(_POD, asked, f"{ask} lowered, {_WAIT}.", stage="Prepare"),
        KnownCause(_POD, (most,), f"Lower {{fields}} to at most {{limit}}, {raised}.", (field,), stage="Train"),
        KnownCause(_POD, (most,), f"{ask} lowered to at most {{limit}}, {raised}.", stage="Prepare"),
        KnownCause(_POD, (least,), f"Raise {{fields}} to at least {{limit}}, {raised}.", (field,), stage="Train"),
        KnownCause(_POD, (least,), f"{ask} raised to at least {{limit}}, {raised}.", stage="Prepare"),
    )


MISSING = (
    KnownCause(
        _POD,
        ('serviceaccount "{name}" not found',),
        "Create the ServiceAccount {name} in the namespace, or correct {fields}.",
        ("spec.serviceAccountName",),
        "Create the ServiceAccount {name} in the namespace, or name another one in spec.serviceAccountName.",
    ),
    KnownCause(
        _POD,
        ("no PriorityClass with name {name} was found",),
        "Have the PriorityClass {name} created, or correct {fields}.",
        ("spec.scheduling.priorityClassName",),
        FOREIGN,
    ),
    KnownCause(
        _POD,
        ('RuntimeClass "{name}" not found',),
        "Have the RuntimeClass {name} created, or correct {fields}.",
        ("spec.scheduling.runtimeClassName",),
        FOREIGN,
    ),
)

QUOTAS = (
    *_build_range("cpu", "spec.resources.cpu", "prepareCpu"),
    *_build_range("memory", "spec.resources.memory", "prepareMemory"),
    KnownCause(
        _POD,
        (f"{_QUOTA}ephemeral-storage=", "maximum ephemeral-storage usage per {kind} is {limit}"),
        "Have the quota or the LimitRange raised, or the operator's setting workSize lowered.",
    ),
    KnownCause(
        _POD,
        (f"{_QUOTA}requests.{{resource}}=",),
        f"To train without a GPU, set spec.resources.gpu.count to 0; else {_WAIT}.",
        ("spec.resources.gpu.resource",),
        FOREIGN,
    ),
    KnownCause(_POD, (f"{_QUOTA}pods=",), f"Delete Pods that have ended; else {_WAIT}."),
    KnownCause(
        (JOB_REFUSED,),
        (f"{_QUOTA}count/jobs.batch=", f"{_QUOTA}jobs.batch="),
        f"Delete Jobs that have finished; else {_WAIT}.",
    ),
    KnownCause(
        _POD,
        ("failed quota: {quota}: must specify ",),
        "The quota {quota} wants each container to set what the message lists, and one of them does not: have a "
        "LimitRange give it a default.",
    ),
    KnownCause(
        _POD,
        ("insufficient quota to match these scopes: [{{PriorityClass ",),
        "Have a ResourceQuota made that allows this PriorityClass in the namespace, or correct {fields}.",
        ("spec.scheduling.priorityClassName",),
        FOREIGN,
    ),
    KnownCause(
        _POD,
        ("insufficient quota to consume: requests.{resource}",),
        "Have a ResourceQuota made that allows {resource} in the namespace, or set spec.resources.gpu.count to 0.",
        ("spec.resources.gpu.resource",),
        FOREIGN,
    ),
    KnownCause(_BOTH, ("status unknown for quota: {quota}",), "The quota {quota} is new and is counted first."),
    KnownCause(
        _POD,
        ("max limit to request ratio per ",),
        "Have the LimitRange changed: the trainer asks for a quarter of the disk that it may use.",
    ),
)

NAMESPACE = (
    KnownCause(
        _POD,
        ("pod node label selector conflicts with its namespace", "pod node label selector labels conflict with its"),
        "Take out of {fields} what the namespace's annotation scheduler.alpha.kubernetes.io/node-selector forbids.",
        ("spec.scheduling.nodeSelector",),
        FOREIGN,
    ),
    KnownCause(
        _POD,
        ("conflict: runtimeClass.scheduling.nodeSelector[{key}]",),
        "Take {key} out of {fields}: the RuntimeClass sets it.",
        ("spec.scheduling.nodeSelector",),
        FOREIGN,
    ),
    KnownCause(
        _POD,
        ("namespace default tolerations) conflict with its ",),
        "Take out of {fields} what the namespace's annotation scheduler.alpha.kubernetes.io/tolerationsWhitelist does "
        "not list.",
        ("spec.scheduling.tolerations",),
        FOREIGN,
    ),
    KnownCause(
        _POD,
        ('violates PodSecurity "',),
        'The trainer itself meets "restricted": have what the message names corrected by who added it.',
    ),
    KnownCause(
        _POD,
        ("image policy webhook backend denied one or more images",),
        "Have the image of the operator's setting trainerImage allowed, or choose another one there.",
    ),
    KnownCause(
        (JOB_REFUSED,),
        ('cannot create resource "jobs"',),
        "Have the operator's role bound in this namespace: the chart's watch.namespaces must list it.",
    ),
    KnownCause(
        (JOB_REFUSED,),
        ("cannot set blockOwnerDeletion if an ownerReference",),
        "Have the operator's role of this version of the chart applied: it may update tweetbots/finalizers.",
    ),
    KnownCause(_BOTH, ("ValidatingAdmissionPolicy '{policy}'",), f"Do what the policy {{policy}} asks, or {_EXEMPT}."),
    KnownCause(
        _BOTH, ('admission webhook "{webhook}" denied the request',), f"Do what {{webhook}} asks, or {_EXEMPT}."
    ),
    KnownCause(
        _POD,
        ('failed calling webhook "{webhook}"',),
        "Have the Pods of the webhook {webhook} looked at: they do not answer, so no Pod is created.",
    ),
)


def _build_invalid(path: str, *fields: str) -> KnownCause:
    """Build what the API server says of a Pod's field, and which field of the TweetBot it is made from."""
    return KnownCause(_BOTH, (f"spec.{path}",), "Correct {fields}.", fields, FOREIGN)


INVALID = (
    _build_invalid("serviceAccountName: ", "spec.serviceAccountName"),
    _build_invalid("priorityClassName: ", "spec.scheduling.priorityClassName"),
    _build_invalid("runtimeClassName: ", "spec.scheduling.runtimeClassName"),
    _build_invalid("nodeSelector", "spec.scheduling.nodeSelector"),
    _build_invalid("tolerations[", "spec.scheduling.tolerations"),
    _build_invalid("affinity.nodeAffinity.required", "spec.scheduling.affinity.required"),
    _build_invalid("affinity.nodeAffinity.preferred", "spec.scheduling.affinity.preferred"),
    _build_invalid("containers[0].resources.limits[{resource}]", "spec.resources.gpu.resource"),
)
ADMISSION = (*MISSING, *QUOTAS, *NAMESPACE, *INVALID)
