from typing import Any

import pytest

from builders.manifests import a_manifest
from tweetbot_contract.manifest import parse
from tweetbot_kubectl.decisions.changes import plan_retrain, plan_suspend
from tweetbot_kubectl.decisions.field_owners import FieldOwner, find_gitops_owner, warn_of_owner

SUSPEND = ("f:spec", "f:suspend")


def managed_by(manager: str, fields: dict[str, Any], **entry: Any) -> dict[str, Any]:
    return {"metadata": {"managedFields": [{"manager": manager, "fieldsV1": fields, **entry}]}}


@pytest.mark.parametrize(
    ("manager", "tool"),
    [
        ("argocd-controller", "Argo CD"),
        ("argocd-application-controller", "Argo CD"),
        ("kustomize-controller", "Flux"),
        ("helm-controller", "Flux"),
        ("helm", "Helm"),
        ("Helm", "Helm"),
    ],
)
def test_a_gitops_tool_that_manages_the_field_is_found(manager: str, tool: str) -> None:
    found = find_gitops_owner(managed_by(manager, {"f:spec": {"f:suspend": {}}}), SUSPEND)
    assert found == FieldOwner(tool, manager)


def test_a_tool_that_manages_other_fields_puts_nothing_back() -> None:
    assert find_gitops_owner(managed_by("argocd-controller", {"f:spec": {"f:sources": {}}}), SUSPEND) is None
    assert find_gitops_owner(managed_by("kubectl-client-side-apply", {"f:spec": {"f:suspend": {}}}), SUSPEND) is None
    assert find_gitops_owner({"metadata": {}}, SUSPEND) is None


def test_the_warning_says_what_to_commit() -> None:
    owner, bot = FieldOwner("Argo CD", "argocd-controller"), parse(a_manifest(), stored=True)
    assert warn_of_owner(owner, plan_suspend(bot)) == (
        "Argo CD manages suspend (field manager argocd-controller) and puts back what Git says at its next sync. "
        "To keep the change, commit: spec.suspend: true"
    )
    assert 'tweetbot.dev/retrain-at: "now"' in warn_of_owner(owner, plan_retrain(bot, "now", force=False))
