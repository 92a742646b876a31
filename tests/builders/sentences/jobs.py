"""What the API server says of a Job that it does not take."""

from builders.sentences.sentence import (
    ACCOUNT,
    GPU,
    NO_POLICY,
    PRIORITY,
    REQUIRED,
    RUNTIME,
    SELECTOR,
    TOLERATIONS,
    Sentence,
)


def _job(words: str, *fields: str, says: str = "", spec: str = "full") -> Sentence:
    return Sentence("JobRefused", words, fields, says, "Train", spec)


JOBS = {
    "the quota of Jobs": _job(
        'jobs.batch "gull-1-train" is forbidden: exceeded quota: q, requested: count/jobs.batch=1, used: '
        "count/jobs.batch=5, limited: count/jobs.batch=5",
        says="Delete Jobs that have finished",
    ),
    "rights": _job(
        'jobs.batch is forbidden: User "system:serviceaccount:ops:tweetbot-operator" cannot create resource "jobs" in '
        'API group "batch" in the namespace "team-a"',
        says="watch.namespaces",
    ),
    "rights on finalizers": _job(
        'jobs.batch "gull-1-train" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a '
        "resource you can't set finalizers on: , <nil>",
        says="tweetbots/finalizers",
    ),
    "a policy for Jobs": _job(
        "jobs.batch \"gull-1-train\" is forbidden: ValidatingAdmissionPolicy 'no-jobs' denied request: no Jobs here",
        says="the policy no-jobs asks",
    ),
    "an account that is no name": _job(
        'Job.batch "gull-1-train" is invalid: spec.template.spec.serviceAccountName: Invalid value: "A b": a lowercase '
        "RFC 1123 subdomain must consist of",
        ACCOUNT,
    ),
    "a PriorityClass that is no name": _job(
        'Job.batch "g" is invalid: spec.template.spec.priorityClassName: Invalid value: "A b": a lowercase', PRIORITY
    ),
    "a RuntimeClass that is no name": _job(
        'Job.batch "g" is invalid: spec.template.spec.runtimeClassName: Invalid value: "A b": a lowercase', RUNTIME
    ),
    "a node selector with a space": _job(
        'Job.batch "g" is invalid: spec.template.spec.nodeSelector: Invalid value: "a b": a valid label must be',
        SELECTOR,
    ),
    "a toleration without an effect": _job(
        'Job.batch "g" is invalid: spec.template.spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must '
        "be 'NoExecute' when `tolerationSeconds` is set",
        TOLERATIONS,
    ),
    "a node term without values": _job(
        'Job.batch "g" is invalid: spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuring'
        "Execution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` "
        "is 'In' or 'NotIn'",
        REQUIRED,
    ),
    "a preference without values": _job(
        'Job.batch "g" is invalid: spec.template.spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuring'
        "Execution[0].preference.matchExpressions[0].values: Required value: must be specified",
        says=NO_POLICY,
    ),
    "a GPU of no known resource": _job(
        'Job.batch "g" is invalid: spec.template.spec.containers[0].resources.limits[nvidia.com/gpu]: Invalid value: '
        '"1": must be a standard resource for containers',
        GPU,
    ),
}
