"""Containers that the API server adds to trainers' Pods, as meshes and injectors of secrets do."""

from typing import Any

from harness.operator_process import until
from tweetbot_cluster.kubernetes.api_server import ApiServer

#: A proxy as meshes have it: it ends well when it is told to, and not before.
PROXY = 'trap "exit 0" TERM; sleep 600 & wait'
#: A JSON pointer to the end of the list of init containers.
INIT = "/spec/initContainers/-"
_POLICIES = "/apis/admissionregistration.k8s.io/v1beta1"
_CONFINED = (
    "allowPrivilegeEscalation: false, capabilities: Object.spec.{place}.securityContext.capabilities{{drop: ['ALL']}}"
)


def add_container(
    api: ApiServer, bot: str, script: str, *, name: str = "proxy", at: str = "/spec/containers/-", **fields: str
) -> None:
    """Add a container that runs a shell script to the Pods of all TweetBots of a name, wherever they are.

    `at` is a JSON pointer into the Pod; `fields` are further fields of the container, as CEL.
    """
    place = at.split("/")[2]
    declared = {
        "name": f"'{name}'",
        "image": "'busybox:1'",
        "command": f"['sh', '-c', '{script}']",
        "securityContext": f"Object.spec.{place}.securityContext{{{_CONFINED.format(place=place)}}}",
        **fields,
    }
    container = f"Object.spec.{place}{{{', '.join(f'{key}: {value}' for key, value in declared.items())}}}"
    patches = [("/spec/initContainers", "[]")] if place == "initContainers" else []  # trainers have none of their own
    patches.append((at, container))
    expression = ", ".join(f"JSONPatch{{op: 'add', path: '{path}', value: {value}}}" for path, value in patches)
    _create_policy(api, f"{bot}-{name}", _select_pods(bot), f"[{expression}]")


def add_to_status(api: ApiServer, bot: str, path: str, value: str) -> None:
    """Add a value, as CEL, to each status that is written for TweetBots of a name."""
    rule = {
        "apiGroups": ["tweetbot.dev"],
        "apiVersions": ["v1alpha1"],
        "operations": ["UPDATE"],
        "resources": ["tweetbots/status"],
    }
    named = {"matchConditions": [{"name": "bot", "expression": f"object.metadata.name == '{bot}'"}]}
    expression = f"[JSONPatch{{op: 'add', path: '{path}', value: {value}}}]"
    _create_policy(api, f"{bot}-status", {"resourceRules": [rule]}, expression, **named)


def _select_pods(bot: str) -> dict[str, Any]:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    return {"resourceRules": [rule], "objectSelector": {"matchLabels": {"tweetbot.dev/bot": bot}}}


def _create_policy(api: ApiServer, name: str, matching: dict[str, Any], expression: str, **fields: Any) -> None:
    kind = {"apiVersion": "admissionregistration.k8s.io/v1beta1", "kind": "MutatingAdmissionPolicy"}
    policy = {
        **fields,
        "matchConstraints": matching,
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}],
    }
    api.create(f"{_POLICIES}/mutatingadmissionpolicies", {**kind, "metadata": {"name": name}, "spec": policy})
    binding = {**kind, "kind": f"{kind['kind']}Binding", "metadata": {"name": name}, "spec": {"policyName": name}}
    api.create(f"{_POLICIES}/mutatingadmissionpolicybindings", binding)


def wait_for_container(api: ApiServer, bot: str, name: str = "proxy", *, namespace: str = "default") -> None:
    """Wait until Pods of such TweetBots get the container: a policy holds a moment after it is stored."""
    confined = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "trial", "labels": {"tweetbot.dev/bot": bot}},
        "spec": {
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "trainer", "image": "busybox:1", "securityContext": confined}],
        },
    }

    def holds() -> bool:
        spec = api.create(f"/api/v1/namespaces/{namespace}/pods?dryRun=All", pod)["spec"]
        return name in [each["name"] for each in (*spec["containers"], *spec.get("initContainers", []))]

    until(holds, 60)
