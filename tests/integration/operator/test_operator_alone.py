"""Operators that a test starts itself, with nobody else's at work: rights, ends, and two side by side."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.helm import CHART, RELEASE, Helm
from harness.operator_process import HASTY_PROGRAM, PROGRAM, OperatorProcess, jobs_made, until
from harness.tenant import Tenant
from tweetbot_cluster.cluster import EmbeddedCluster

ENFORCE = "pod-security.kubernetes.io/enforce"
A_LIMIT_RANGE = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "small"},
    "spec": {"limits": [{"type": "Container", "max": {"cpu": "1m"}}]},
}


@pytest.fixture
def platform(home: EmbeddedCluster, tmp_path: Path) -> Iterator[Helm]:
    """What a platform installs once, so that admins of namespaces can install an operator themselves."""
    helm, tenant = Helm(tmp_path / "helm", home.kubeconfig), Tenant(home)
    options = ("--namespace", tenant.namespace, "--set", "clusterScopedOnly=true,crds.enabled=false")
    helm("install", "platform", str(CHART), *options, "--set", f"serviceAccount.name={RELEASE}")
    yield helm
    helm("uninstall", "platform", "--namespace", tenant.namespace)


def test_an_admin_of_a_namespace_installs_an_operator_that_needs_no_more(
    home: EmbeddedCluster, platform: Helm, tmp_path: Path
) -> None:
    """helm has the cluster's own role `admin` in one namespace, and the operator the token of its service account."""
    tenant = Tenant(home)
    values = {
        "watch": {"namespaces": [tenant.namespace]},
        "crds": {"enabled": False},
        "replicas": 0,  # the process below is the operator
        "networkPolicy": {"enabled": True},
        "tenants": [{"namespace": tenant.namespace, "subjects": [{"kind": "User", "name": "tess"}]}],
    }
    nadia = ("--namespace", tenant.namespace, "--kube-as-user", "nadia")
    tenant("create", "rolebinding", "nadia", "--clusterrole=admin", "--user=nadia")
    may = ("auth", "can-i", "patch", "tweetbots", "--subresource=status", "--as=nadia", "-n", tenant.namespace)
    until(lambda: home.kubectl(*may, check=False).stdout.strip() == "yes", 120)
    platform("install", RELEASE, str(CHART), *nadia, "-f", "-", input=json.dumps(values))
    kubeconfig = json.loads(home.kubeconfig.read_text())
    kubeconfig["users"][0]["user"] = {"token": tenant("create", "token", "tweetbot-operator").strip()}
    (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig))
    env = {"TWEETBOT_NAMESPACES": tenant.namespace, "TWEETBOT_LEASE_NAMESPACE": tenant.namespace}
    with OperatorProcess(tmp_path / "kubeconfig", tmp_path / "log", env, program=HASTY_PROGRAM):
        tenant.apply("gull", output={"s3": {"uri": "s3://team-a/models", "credentialsSecret": {"name": "late"}}})
        tenant.wait("gull", "reason=SecretNotFound")
        tenant.create_secret("late")
        tenant.wait("gull", "ModelReady", 120)
        tenant.apply("tern", deletionPolicy="Delete")
        tenant.wait("tern", "ModelReady", 120)
        tenant("delete", "tweetbot", "tern", "--timeout=120s")
        tenant.wait_for_event("Succeeded")
        tenant.wait_for_event("became leader", "involvedObject.kind=Lease")
    assert "forbidden" not in (tmp_path / "log").read_text()
    thief = ("create", "job", "stolen", "--image=miner", f"--as=system:serviceaccount:{tenant.namespace}:{RELEASE}")
    refused = home.kubectl("-n", tenant.namespace, *thief, check=False).stderr
    assert "ValidatingAdmissionPolicy 'platform-tweetbot-operator-own-jobs'" in refused


def test_two_side_by_side_make_one_job_a_stage(home: EmbeddedCluster, tmp_path: Path) -> None:
    tenant = Tenant(home)
    env = {"TWEETBOT_NAMESPACES": tenant.namespace}
    first = OperatorProcess(home.operator_kubeconfig, tmp_path / "first", env)
    second = OperatorProcess(home.operator_kubeconfig, tmp_path / "second", env)
    with first, second:
        for name in ("gull", "tern", "skua"):
            tenant.apply(name)
        for name in ("gull", "tern", "skua"):
            tenant.wait(name, "ModelReady")
    made = jobs_made(home.audit_log, tenant.namespace)
    assert made == {name: ["prepare", "train"] for name in ("gull", "tern", "skua")}


def test_sigterm_ends_it_in_good_order(home: EmbeddedCluster, tmp_path: Path) -> None:
    env = {"TWEETBOT_NAMESPACES": "default"}
    process = OperatorProcess(home.operator_kubeconfig, tmp_path / "log", env, program=PROGRAM).start()
    assert process.stop() == 0
    assert json.loads((tmp_path / "log").read_text().splitlines()[-1])["message"] == "stopped"


def test_a_standby_is_ready_and_goes_on_when_the_leader_is_ended(home: EmbeddedCluster, tmp_path: Path) -> None:
    tenant = Tenant(home)
    env = {"TWEETBOT_NAMESPACES": tenant.namespace, "TWEETBOT_LEASE_NAMESPACE": tenant.namespace}
    first = OperatorProcess(home.operator_kubeconfig, tmp_path / "first", env)
    second = OperatorProcess(home.operator_kubeconfig, tmp_path / "second", env)
    with first:
        until(lambda: first.leads, 120)
        with second:
            assert (second.answer("/readyz"), second.answer("/healthz"), second.leads) == (200, 200, False)
            tenant.apply("gull")
            tenant.wait("gull", "ModelReady")
            tenant("delete", "jobs", "--all")
            assert first.stop() == 0
            assert "released the lease" in (tmp_path / "first").read_text()
            tenant.apply("tern")
            tenant.wait("tern", "ModelReady")
            assert second.leads
    assert jobs_made(home.audit_log, tenant.namespace) == {name: ["prepare", "train"] for name in ("gull", "tern")}
    lease = json.loads(tenant("get", "lease", "tweetbot-operator", "-o", "json"))["spec"]
    assert (lease["holderIdentity"], lease["leaseTransitions"]) == ("", 1)


def test_an_erasure_that_cannot_be_is_given_up_and_told(home: EmbeddedCluster, tmp_path: Path) -> None:
    tenant = Tenant(home)
    env, soon = {"TWEETBOT_NAMESPACES": tenant.namespace}, {"CLEANUP_DEADLINE_SECONDS": 3, "LATE_START_SECONDS": 3}
    with OperatorProcess(home.operator_kubeconfig, tmp_path / "log", env, constants=soon):
        tenant.apply("gull", "stuck", deletionPolicy="Delete")
        tenant.wait("gull", "ModelReady")
        tenant("delete", "tweetbot", "gull", "--timeout=300s")
        left = f"s3://team-a/models/{tenant.namespace}/gull was not erased"
        tenant.wait_for_event(left, "reason=ErasureGivenUp")
    assert left in (tmp_path / "log").read_text()


def test_whatever_refuses_the_pod_is_told_and_heals_when_it_is_allowed(home: EmbeddedCluster, tmp_path: Path) -> None:
    """Our Pods obey Pod Security to the letter, so it takes a careless operator to be refused."""
    tenants = {words: Tenant(home) for words in ("exceeded quota: none", "maximum cpu usage", "violates PodSecurity")}
    quota, limits, security = tenants.values()
    for tenant in (quota, limits):
        home.kubectl("label", "namespace", tenant.namespace, "--overwrite", f"{ENFORCE}=baseline")
    quota("create", "quota", "none", "--hard=pods=0")
    limits("apply", "-f", "-", input=json.dumps(A_LIMIT_RANGE))
    namespaces = ",".join(tenant.namespace for tenant in tenants.values())
    env, careless = {"TWEETBOT_NAMESPACES": namespaces}, ("-m", "harness.careless_operator")
    with OperatorProcess(home.operator_kubeconfig, tmp_path / "log", env, program=careless):
        for tenant in tenants.values():
            tenant.apply("gull")
        for words, tenant in tenants.items():
            tenant.wait("gull", "Stalled", 240)
            (stalled,) = [each for each in tenant.status("gull")["conditions"] if each["type"] == "Stalled"]
            assert (stalled["reason"], words in stalled["message"]) == ("PodRefused", True)
        quota("delete", "quota", "none")
        limits("delete", "limitrange", "small")
        home.kubectl("label", "namespace", security.namespace, "--overwrite", f"{ENFORCE}=baseline")
        for tenant in tenants.values():
            tenant.wait("gull", "ModelReady", 240)
