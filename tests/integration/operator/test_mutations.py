"""Policies of a real API server that change the operator's Jobs and Pods: each in a namespace of its own, at once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from builders.operator import SETTINGS, a_bot_in, a_run
from harness.operator_process import OperatorProcess, until, writes_of
from harness.tenant import Tenant
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_operator.jobs.job import build_job, find_mutations

POLICIES = "/apis/admissionregistration.k8s.io/v1beta1/mutatingadmissionpolicies"
BINDINGS = "/apis/admissionregistration.k8s.io/v1beta1/mutatingadmissionpolicybindings"
LABELS, TEMPLATE = "/metadata/labels", "/spec/template"
#: What a policy does to Jobs, as a JSON patch in CEL, and what the status must name.
JOBS = {
    'op: "remove", path: "/metadata/annotations"': "metadata.annotations[tweetbot.dev/execution]",
    'op: "remove", path: "/metadata/ownerReferences"': "metadata.ownerReferences",
    f'op: "remove", path: "{LABELS}/tweetbot.dev~1run"': "metadata.labels[tweetbot.dev/run]",
    f'op: "replace", path: "{LABELS}/app.kubernetes.io~1managed-by", value: "Helm"': (
        "metadata.labels[app.kubernetes.io/managed-by]"
    ),
    f'op: "remove", path: "{TEMPLATE}/metadata/labels/tweetbot.dev~1bot-uid"': (
        "spec.template.metadata.labels[tweetbot.dev/bot-uid]"
    ),
    'op: "replace", path: "/spec/ttlSecondsAfterFinished", value: 0': "spec.ttlSecondsAfterFinished",
    'op: "replace", path: "/spec/parallelism", value: 2': "spec.parallelism",
    'op: "add", path: "/spec/managedBy", value: "example.com/controller"': "spec.managedBy",
    f'op: "replace", path: "{TEMPLATE}/spec/containers/0/terminationMessagePath", value: "/tmp/message"': (
        "terminationMessagePath"
    ),
}
#: What a policy takes off Pods.
PODS = (
    f'op: "remove", path: "{LABELS}/tweetbot.dev~1bot-uid"',
    f'op: "remove", path: "{LABELS}/app.kubernetes.io~1managed-by"',
)
#: What a policy changes of Jobs without which the operator knows them, and how one sees that it does.
GATE = f'op: "add", path: "{TEMPLATE}/spec/schedulingGates", value: [{{"name": "example.com/gate"}}]'
RULES = 'op: "remove", path: "/spec/podFailurePolicy"}, JSONPatch{op: "replace", path: "/spec/backoffLimit", value: 50'
OTHER: dict[str, Callable[[dict[str, Any]], bool]] = {
    GATE: lambda spec: "schedulingGates" in spec["template"]["spec"],
    RULES: lambda spec: spec["backoffLimit"] == 50,
}


def a_policy(tenant: Tenant, resource: str, patch: str) -> dict[str, Any]:
    """Return a policy for what is created in the tenant's namespace."""
    group = "batch" if resource == "jobs" else ""
    rule = {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [resource]}
    here = {"matchLabels": {"kubernetes.io/metadata.name": tenant.namespace}}
    return {
        "matchConstraints": {"namespaceSelector": here, "resourceRules": [rule]},
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": f"[JSONPatch{{{patch}}}]"}}],
    }


class Place:
    """A tenant under one policy."""

    def __init__(self, home: EmbeddedCluster, resource: str, patch: str) -> None:
        self.tenant, self._api = Tenant(home), home.api
        self.name, self._resource, self._patch = self.tenant.namespace, resource, patch
        group = {"apiVersion": "admissionregistration.k8s.io/v1beta1", "metadata": {"name": self.name}}
        spec = a_policy(self.tenant, resource, patch)
        self._api.create(POLICIES, {**group, "kind": "MutatingAdmissionPolicy", "spec": spec})
        bound = {"policyName": self.name}
        self._api.create(BINDINGS, {**group, "kind": "MutatingAdmissionPolicyBinding", "spec": bound})

    def is_at_work(self) -> bool:
        """Whether the policy changes what is created, which it does a moment after it was written."""
        bot = replace(a_bot_in("Prepare"), namespace=self.name)
        job = build_job(bot, bot.status.current_run or a_run(bot), SETTINGS)
        if self._resource == "jobs":
            answer = self._api.create(f"/apis/batch/v1/namespaces/{self.name}/jobs?dryRun=All", job)
            return bool(find_mutations(job, answer) or (self._patch in OTHER and OTHER[self._patch](answer["spec"])))
        template = job["spec"]["template"]
        metadata = {**template["metadata"], "name": "probe"}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        answer = self._api.create(f"/api/v1/namespaces/{self.name}/pods?dryRun=All", pod)
        return bool(answer["metadata"]["labels"] != metadata["labels"])

    def end_policy(self) -> None:
        for collection in (BINDINGS, POLICIES):
            self._api.delete(f"{collection}/{self.name}")


@pytest.fixture(scope="module")
def places(home: EmbeddedCluster) -> Iterator[dict[str, Place]]:
    """A namespace for each policy, in which it acts already."""
    kinds = dict.fromkeys((*JOBS, *OTHER), "jobs") | dict.fromkeys(PODS, "pods")
    places = {patch: Place(home, kind, patch) for patch, kind in kinds.items()}
    until(lambda: all(place.is_at_work() for place in places.values()), 60)
    yield places
    for place in places.values():
        place.tenant.delete()


def get_message(tenant: Tenant) -> str:
    conditions = tenant.status("gull")["conditions"]
    return next(str(each["message"]) for each in conditions if each["type"] == "Progressing")


def test_each_policy_is_told_by_its_field_and_no_job_is_made_until_it_is_gone(
    home: EmbeddedCluster, operator: OperatorProcess, places: dict[str, Place]
) -> None:
    for patch in JOBS:
        places[patch].tenant.apply("gull")
    for patch, field in JOBS.items():
        tenant = places[patch].tenant
        tenant.wait("gull", "reason=JobMutated")
        assert (tenant.reasons("gull")["Stalled"], field in get_message(tenant)) == ("JobMutated", True), patch
        assert [write for write in writes_of(home.audit_log, tenant.namespace) if write.endswith(" jobs")] == []
    for patch in JOBS:
        places[patch].end_policy()
        places[patch].tenant("annotate", "tweetbot/gull", "tweetbot.dev/retrain-at=now")
    for patch in JOBS:
        places[patch].tenant.wait("gull", "ModelReady")


def test_pods_count_whatever_a_policy_takes_off_them(
    home: EmbeddedCluster, operator: OperatorProcess, places: dict[str, Place]
) -> None:
    for patch in PODS:
        places[patch].tenant.apply("gull")
    for patch in PODS:
        tenant = places[patch].tenant
        tenant.wait("gull", "ModelReady")
        jobs = [write for write in writes_of(home.audit_log, tenant.namespace) if write.endswith(" jobs")]
        assert jobs == ["create jobs", "create jobs"], patch


def test_a_gate_is_named_and_other_rules_of_a_job_make_no_more_attempts(
    home: EmbeddedCluster, operator: OperatorProcess, places: dict[str, Place]
) -> None:
    gated, retried = (places[patch].tenant for patch in (GATE, RULES))
    gated.apply("gull")
    retried.apply("gull", "refused")
    gated.wait("gull", "reason=SchedulingGated")
    assert "example.com/gate" in get_message(gated)
    retried.wait("gull", "reason=BucketNotFound")
    assert writes_of(home.audit_log, retried.namespace).count("create jobs") == 1
