"""Every state that a live cluster can be brought to, as kstatus, Flux and Argo CD read it; testdata agrees."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.kstatus import flux_health, kstatus
from harness.lua_checks import FOLDER, health_of
from harness.operator_process import OperatorProcess, until
from harness.tenant import Tenant
from tweetbot_cluster.cluster import EmbeddedCluster

MODEL_WANTED = yaml.safe_load((FOLDER.parents[3] / "flux" / "kustomization.yaml").read_text())["spec"][
    "healthCheckExprs"
][0]
#: Conditions that any of the checks reads.
READ = {"ModelReady", "Progressing", "Ready", "Reconciling", "Stalled", "Suspended"}
#: State: mood of its trainer, fields of its spec, what to wait for.
STATES: dict[str, tuple[str, dict[str, Any], str]] = {
    "preparing": ("slow", {}, "reason=Preparing"),
    "training": ("training", {}, "reason=Training"),
    "retry-backoff": ("busy", {"run": {"attempts": 1}}, "reason=RetryBackoff"),
    "secret-not-found": (
        "well",
        {"output": {"s3": {"uri": "s3://team-a/models", "credentialsSecret": {"name": "late"}}}},
        "Stalled",
    ),
    "unschedulable": ("well", {"scheduling": {"prepare": {"nodeSelector": {"no-such": "node"}}}}, "Stalled"),
    "failed": ("refused", {}, "Stalled"),
    "suspended": ("well", {"suspend": True}, "Suspended"),
    "published": ("well", {}, "ModelReady"),
    "adopted": ("adopting", {}, "ModelReady"),
    "pinned": ("versions", {"pin": "1" * 16}, "ModelReady"),
    "pin-refused": ("versions", {"pin": "0" * 16}, "Stalled"),
    "edited": ("well", {}, "ModelReady"),
}
#: States that begin when the run is over, too.
ENDED = ("pinned", "pin-refused", "edited")
#: State: kstatus, Flux where the model is waited for, Argo CD.
VERDICTS = {
    "fresh": ("InProgress", "InProgress", "Progressing"),
    "preparing": ("Current", "InProgress", "Progressing"),
    "training": ("Current", "InProgress", "Progressing"),
    "retry-backoff": ("Current", "InProgress", "Progressing"),
    "secret-not-found": ("Failed", "Failed", "Degraded"),
    "unschedulable": ("Failed", "Failed", "Degraded"),
    "failed": ("Failed", "Failed", "Degraded"),
    "suspended": ("Current", "Current", "Suspended"),
    "published": ("Current", "Current", "Healthy"),
    "adopted": ("Current", "Current", "Healthy"),
    "pinned": ("Current", "Current", "Healthy"),
    "pin-refused": ("Failed", "Failed", "Degraded"),
    "edited": ("InProgress", "InProgress", "Progressing"),
}


@pytest.fixture(scope="module")
def resources(home: EmbeddedCluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One TweetBot in each state, as `kubectl get -o json` prints it."""
    tenant = Tenant(home)
    tenant.apply("fresh")
    found = {"fresh": shown(tenant, "fresh")}
    env, once = {"TWEETBOT_NAMESPACES": tenant.namespace}, {"RETRY_SECONDS": 3600}
    with OperatorProcess(home.operator_kubeconfig, tmp_path_factory.mktemp("gitops") / "log", env, constants=once):
        for state, (mood, spec, _) in STATES.items():
            tenant.apply(state, mood, **spec)
        for state, (_, _, wanted) in STATES.items():
            tenant.wait(state, wanted, 240)
            if state in ENDED:
                until(partial(has_succeeded, tenant, state), 240)
            found[state] = shown(tenant, state)
    tenant.apply("edited", filter={"minWords": 7})
    found["edited"] = shown(tenant, "edited")
    tenant.delete()
    return found


def has_succeeded(tenant: Tenant, name: str) -> bool:
    return bool(tenant.status(name)["phase"] == "Succeeded")


def shown(tenant: Tenant, name: str) -> dict[str, Any]:
    resource: dict[str, Any] = json.loads(tenant("get", "tweetbot", name, "-o", "json"))
    return resource


def gist(resource: dict[str, Any]) -> dict[str, Any]:
    """Return what a health check reads of a resource, without times and hashes."""
    status = resource.get("status", {})
    return {
        "generation": resource["metadata"]["generation"],
        "observedGeneration": status.get("observedGeneration"),
        "phase": status.get("phase"),
        "conditions": sorted(
            (each["type"], each["status"], each["reason"], each["observedGeneration"])
            for each in status.get("conditions", ())
            if each["type"] in READ
        ),
    }


@pytest.mark.parametrize("state", VERDICTS)
def test_every_state_reads_as_the_table_says(resources: dict[str, Any], state: str) -> None:
    resource = resources[state]
    seen = kstatus(resource), flux_health(resource, MODEL_WANTED), health_of(resource)[0]
    assert seen == VERDICTS[state]


@pytest.mark.parametrize("state", VERDICTS)
def test_the_files_that_the_lua_is_tested_with_are_what_a_cluster_shows(resources: dict[str, Any], state: str) -> None:
    """To accept a change: `kubectl get tweetbot STATE -o yaml` into testdata/STATE.yaml."""
    file = FOLDER / "testdata" / f"{state}.yaml"
    assert gist(yaml.safe_load(file.read_text())) == gist(resources[state])


def test_every_file_is_one_of_these_states() -> None:
    assert {file.stem for file in Path(FOLDER / "testdata").glob("*.yaml")} == set(VERDICTS)
