"""What a mesh or an injector adds to Pods, added by the API server's own policies: the trainer's container counts."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders.injector import INIT, PROXY, add_container, wait_for_container
from harness.operator_process import jobs_made, until
from harness.tenant import Tenant
from tweetbot_cluster.cluster import EmbeddedCluster

TOLD = {"terminationMessagePolicy": "'FallbackToLogsOnError'"}
PAGE = Path(__file__).parents[3] / "docs" / "meshes.md"
#: Names of TweetBots, and what is added to their Pods.
CASES: dict[str, dict[str, str]] = {
    "proxied": {"script": PROXY},
    "fronted": {"script": PROXY, "at": "/spec/containers/0"},
    "refused": {"script": PROXY},
    "retried": {"script": PROXY},
    "broken": {"script": "exit 3"},
    "imageless": {"script": "true", "image": "'no-such-proxy:9'"},
    "native": {"script": PROXY, "at": INIT, "restartPolicy": "'Always'"},
    "crashing": {"script": "exit 3", "at": INIT, "restartPolicy": "'Always'"},
    "failing": {"script": "echo permission denied; exit 2", "at": INIT, "name": "vault-agent-init", **TOLD},
    "hanging": {"script": "sleep 600", "at": INIT, "name": "vault-agent-init"},
    "pulling": {"script": "true", "at": INIT, "name": "vault-agent-init", "image": "'no-such-vault:9'"},
}


@pytest.fixture(scope="module")
def injected(home: EmbeddedCluster) -> Iterator[EmbeddedCluster]:
    """A cluster that adds what CASES say, until the end of this file."""
    for bot, case in CASES.items():
        add_container(home.api, bot, **case)
    for bot, case in CASES.items():
        wait_for_container(home.api, bot, case.get("name", "proxy"))
    yield home
    home.kubectl("delete", "mutatingadmissionpolicies,mutatingadmissionpolicybindings", "--all")


@pytest.fixture
def meshed(injected: EmbeddedCluster, tenant: Tenant) -> Tenant:
    return tenant


def test_the_policy_of_the_docs_annotates_trainers(injected: EmbeddedCluster) -> None:
    (policy,) = re.findall(
        r"^```yaml\n(.*MutatingAdmissionPolicy.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    injected.kubectl("apply", "-f", "-", input=policy.rpartition("```yaml\n")[2])
    labels = "app.kubernetes.io/managed-by=tweetbot-operator"
    trial = ("run", "trial", "--image=busybox:1", f"--labels={labels}", "--dry-run=server", "-o", "json")

    def is_annotated() -> bool:
        pod = json.loads(injected.kubectl(*trial).stdout)
        return "sidecar.istio.io/nativeSidecar" in pod["metadata"].get("annotations", {})

    until(is_annotated, 60)


def message(tenant: Tenant, name: str, kind: str = "Progressing") -> str:
    return str({each["type"]: each["message"] for each in tenant.status(name)["conditions"]}[kind])


@pytest.mark.parametrize("name", ["proxied", "fronted", "broken", "imageless"])
def test_a_run_ends_well_whatever_its_sidecar_does(meshed: Tenant, injected: EmbeddedCluster, name: str) -> None:
    meshed.apply(name)
    meshed.wait(name, "ModelReady")
    run = meshed.status(name)["currentRun"]
    assert (run["outcome"], run["attempt"], run["retries"], run["pods"]) == ("Succeeded", 1, 0, 2)
    until(lambda: meshed.pod_phases(name) == [], 60)
    assert jobs_made(injected.audit_log, meshed.namespace) == {name: ["prepare", "train"]}


def test_a_refusal_beside_a_sidecar_ends_the_run_at_once(meshed: Tenant, injected: EmbeddedCluster) -> None:
    meshed.apply("refused", "refused")
    meshed.wait("refused", "Stalled")
    assert meshed.reasons("refused")["Stalled"] == "BucketNotFound"
    until(lambda: meshed.pod_phases("refused") == [], 60)
    assert jobs_made(injected.audit_log, meshed.namespace) == {"refused": ["prepare"]}


def test_each_failed_attempt_beside_a_sidecar_has_a_job_and_the_last_one_pauses_the_run(meshed: Tenant) -> None:
    meshed.apply("retried", "busy", run={"attempts": 2})
    meshed.wait("retried", "reason=RetryBackoff")
    assert "StorageUnavailable: Attempt 1 failed: S3 does not answer. Attempt 2" in message(meshed, "retried")
    until(lambda: meshed.status("retried")["currentRun"]["retries"] == 1, 120)
    run = meshed.status("retried")["currentRun"]
    assert (run["reason"], run["pods"], run["attempt"]) == ("StorageUnavailable", 2, 1)


def test_a_native_sidecar_leaves_the_job_complete(meshed: Tenant) -> None:
    meshed.apply("native")
    meshed.wait("native", "ModelReady")
    conditions = [each["type"] for job in meshed.jobs() for each in job["status"]["conditions"]]
    assert conditions.count("Complete") == 2
    assert set(meshed.pod_phases("native")) == {"Succeeded"}


def test_an_init_container_that_fails_is_named_and_ends_the_run(meshed: Tenant) -> None:
    meshed.apply("failing", run={"attempts": 1})
    meshed.wait("failing", "Stalled")
    assert meshed.reasons("failing")["Stalled"] == "InitContainerFailed"
    words = "Init:Error of container vault-agent-init: exit code 2: permission denied. "
    assert message(meshed, "failing").startswith(words)


#: What is waited for: the TweetBot's name, the reason, and words of the message.
WAITS = (
    ("crashing", "InitContainerFailed", "Init:CrashLoopBackOff of container proxy: exit code 3. "),
    ("hanging", "WaitingForInitContainer", "Init container vault-agent-init has run since "),
    ("pulling", "ImagePullFailed", "Init:ImagePullBackOff of container vault-agent-init, image no-such-vault:9: "),
)


def test_an_init_container_that_keeps_the_trainer_waiting_is_named_before_the_deadline_and_by_it(
    meshed: Tenant,
) -> None:
    for name, _, _ in WAITS:
        meshed.apply(name, run={"startDeadlineSeconds": 10})
    for name, reason, words in WAITS:
        meshed.wait(name, "Stalled")
        assert (meshed.reasons(name)["Stalled"], words in message(meshed, name)) == (reason, True)
    for name, _, words in WAITS:
        meshed.wait(name, "reason=StartDeadlineExceeded")
        assert words in message(meshed, name)
    until(lambda: meshed.jobs() == [], 60)


def test_what_is_erased_beside_a_sidecar_is_erased(meshed: Tenant) -> None:
    meshed.apply("proxied", deletionPolicy="Delete")
    meshed.wait("proxied", "ModelReady")
    meshed("delete", "tweetbot", "proxied", "--timeout=120s")
    assert json.loads(meshed("get", "tweetbots", "-o", "json"))["items"] == []
