"""The operator's rights on the test cluster: exactly the roles that the chart renders, bound to its name here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
RENDERED = Path(__file__).resolve().parents[4] / "kustomize" / "base" / "operator.yaml"
#: The name in the operator's certificate, by which the audit log knows it.
OPERATOR = "tweetbot-operator"
#: Its name where the chart has installed it.
ACCOUNT = "system:serviceaccount:tweetbot-system:tweetbot-operator"
_GROUP = "rbac.authorization.k8s.io"


def operator_rights() -> list[Manifest]:
    """Return cluster roles with the rules of the chart's role and of its Role for the Lease, and their bindings.

    The Lease may be in any namespace here, as tests have operators side by side that do not share one.
    """
    with RENDERED.open(encoding="utf-8") as file:
        roles = {each["metadata"]["name"]: each for each in yaml.safe_load_all(file) if each["kind"].endswith("Role")}
    mine = [roles[name] for name in (OPERATOR, f"{OPERATOR}-lease")]
    return [manifest for role in mine for manifest in _bound(role["metadata"]["name"], role["rules"])]


def granted() -> set[tuple[str, str]]:
    """Return every verb on every resource that these roles grant."""
    rules = [rule for role in operator_rights() for rule in role.get("rules", ())]
    return {(verb, resource) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}


def resource_of(reference: Mapping[str, str]) -> str:
    """Return a resource as roles write it, `tweetbots/status`, from an audit entry's `objectRef`."""
    return "/".join(filter(None, (reference["resource"], reference.get("subresource"))))


def _bound(name: str, rules: list[Manifest]) -> list[Manifest]:
    head = {"apiVersion": f"{_GROUP}/v1", "metadata": {"name": name}}
    reference = {"apiGroup": _GROUP, "kind": "ClusterRole", "name": name}
    subject = {"apiGroup": _GROUP, "kind": "User", "name": OPERATOR}
    return [
        {**head, "kind": "ClusterRole", "rules": rules},
        {**head, "kind": "ClusterRoleBinding", "roleRef": reference, "subjects": [subject]},
    ]
