"""The operator on a real API server, scheduler and controllers, with trainers that answer at once."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from builders.injector import add_to_status
from harness.operator_process import OperatorProcess, audited, jobs_made, until, writes_of
from harness.tenant import Tenant
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.state import free_ports
from tweetbot_fakes.kubernetes.kueue import FakeKueue


def test_a_restricted_namespace_takes_both_jobs_to_the_end(tenant: Tenant, home: EmbeddedCluster) -> None:
    tenant.apply("gull")
    tenant.wait("gull", "ModelReady")
    assert sorted(job["metadata"]["name"].rpartition("-")[2] for job in tenant.jobs()) == ["prepare", "train"]
    assert tenant.status("gull")["phase"] == "Succeeded"
    assert writes_of(home.audit_log, tenant.namespace).count("patch tweetbots/status") <= 4


def test_a_restricted_namespace_refuses_what_is_not(tenant: Tenant) -> None:
    with pytest.raises(Exception, match="violates PodSecurity"):
        tenant("run", "careless", "--image=busybox", "--restart=Never", "--", "true")


def test_an_adopted_model_needs_no_train_job(tenant: Tenant) -> None:
    tenant.apply("gull", "adopting")
    tenant.wait("gull", "ModelReady")
    assert tenant.reasons("gull")["ModelReady"] == "Adopted"
    assert len(tenant.jobs()) == 1


def test_a_refusal_ends_the_run_once_in_its_own_reason(tenant: Tenant) -> None:
    tenant.apply("gull", "refused")
    tenant.wait("gull", "Stalled")
    status = tenant.status("gull")
    assert (tenant.reasons("gull")["Stalled"], status["phase"]) == ("BucketNotFound", "Failed")
    assert "tweetbot.dev/retrain-at" in status["currentRun"]["message"]
    assert len(tenant.jobs()) == 1
    tenant.wait_for_event("BucketNotFound")


def test_a_stage_that_says_nothing_is_a_bug_that_is_told(tenant: Tenant) -> None:
    tenant.apply("gull", "mute")
    tenant.wait("gull", "Stalled")
    assert tenant.reasons("gull")["Stalled"] == "TrainerBug"


def test_a_temporary_fault_creates_the_job_again_round_after_round(tenant: Tenant) -> None:
    tenant.apply("gull", "busy", run={"attempts": 1})
    tenant.wait("gull", "reason=RetryBackoff")
    first = tenant.uids()
    until(lambda: tenant.status("gull")["currentRun"]["retries"] >= 2 and not set(first) & set(tenant.uids()), 120)
    assert tenant.status("gull")["currentRun"]["number"] == 1


def test_a_missing_secret_is_told_and_heals_when_it_comes(tenant: Tenant) -> None:
    output = {"s3": {"uri": "s3://team-a/models", "credentialsSecret": {"name": "late"}}}
    tenant.apply("gull", output=output)
    tenant.wait("gull", "Stalled", 120)
    assert tenant.reasons("gull")["Stalled"] == "SecretNotFound"
    before = tenant.uids()
    tenant.create_secret("late")
    tenant.wait("gull", "ModelReady", 120)
    assert set(before) < set(tenant.uids())


def test_a_bot_that_no_node_can_take_is_told_and_fails_at_its_deadline(tenant: Tenant) -> None:
    tenant.apply(
        "gull", scheduling={"prepare": {"nodeSelector": {"no-such": "node"}}}, run={"startDeadlineSeconds": 10}
    )
    tenant.wait("gull", "reason=Unschedulable")
    tenant.wait("gull", "reason=StartDeadlineExceeded")
    until(lambda: tenant.jobs() == [], 120)


def test_a_tweetbot_waits_for_its_class_and_a_run_keeps_it_as_it_was(tenant: Tenant) -> None:
    tenant.apply("gull", className=tenant.namespace, output=None)
    tenant.wait("gull", "reason=ClassNotFound")
    output = {"s3": {"uri": "s3://{namespace}", "credentialsSecret": {"name": "s3"}}}
    tenant.apply_class(defaults={"output": output}, pods={"labels": {"example.com/team": "a"}})
    tenant.wait("gull", "ModelReady")
    run = tenant.status("gull")["currentRun"]
    assert {job["metadata"]["labels"]["example.com/team"] for job in tenant.jobs()} == {"a"}
    tenant.apply_class(defaults={"output": output}, pods={"labels": {"example.com/team": "b"}})
    tenant("annotate", "tweetbot", "gull", "tweetbot.dev/retrain-at=again")
    until(lambda: tenant.status("gull")["currentRun"]["number"] == 2, 60)
    kept = tenant.status("gull")["currentRun"]["class"]
    assert (run["class"]["generation"], kept["generation"]) == (1, 2)


def test_an_edit_in_the_middle_gives_one_job_at_a_time_and_the_new_result(tenant: Tenant) -> None:
    tenant.apply("gull", "slow")
    until(lambda: tenant.pod_phases("gull") == ["Running"], 120)
    before = tenant.uids()
    tenant.apply("gull", "well", filter={"minWords": 7})
    tenant.wait("gull", "ModelReady")
    assert tenant.status("gull")["currentRun"]["number"] == 2
    assert not set(before) & set(tenant.uids())
    tenant.wait_for_event("Superseded")


def test_suspending_ends_the_pod_and_resuming_goes_on(tenant: Tenant) -> None:
    tenant.apply("gull", "slow")
    until(lambda: tenant.pod_phases("gull") == ["Running"], 120)
    tenant.apply("gull", "well", suspend=True)
    tenant.wait("gull", "Suspended")
    until(lambda: tenant.pod_phases("gull") == [], 120)
    tenant.apply("gull", "well", suspend=False)
    tenant.wait("gull", "ModelReady")
    assert tenant.status("gull")["currentRun"]["number"] == 1


def test_a_strangers_job_is_left_alone_and_its_end_heals_the_run(tenant: Tenant) -> None:
    tenant.apply("gull", suspend=True)
    tenant.wait("gull", "Suspended")
    name = tenant.status("gull")["currentRun"]["jobName"]
    tenant("create", "-f", "-", input=json.dumps(a_strangers_job(name)))
    tenant.apply("gull", suspend=False)
    tenant.wait("gull", "Stalled")
    (stranger,) = tenant.jobs()
    assert tenant.reasons("gull")["Stalled"] == "NameConflict"
    assert ("deletionTimestamp" in stranger["metadata"], stranger["spec"]["suspend"]) == (False, True)
    tenant("delete", "job", name)
    tenant.wait("gull", "ModelReady")


def test_a_job_that_its_user_suspends_or_deletes_goes_on(tenant: Tenant) -> None:
    tenant.apply("gull", "slow")
    until(lambda: tenant.pod_phases("gull") == ["Running"], 120)
    job = tenant.status("gull")["currentRun"]["jobName"]
    for change, back in (('"suspend":true', '"suspend":false'), ('"parallelism":0', '"parallelism":1')):
        tenant("patch", "job", job, "-p", f'{{"spec":{{{change}}}}}')
        until(lambda: "not by the operator" in json.dumps(tenant.status("gull")["conditions"]), 120)
        tenant("patch", "job", job, "-p", f'{{"spec":{{{back}}}}}')
        tenant.wait("gull", "reason=Preparing")
    before = tenant.uids()
    tenant("delete", "job", job, "--wait=false")
    until(lambda: len(tenant.uids()) == 1 and tenant.uids() != before, 120)
    tenant.wait("gull", "reason=Preparing")
    assert tenant.status("gull")["currentRun"]["number"] == 1


def test_a_quota_is_told_and_its_end_heals_the_run(tenant: Tenant) -> None:
    tenant("create", "quota", "none", "--hard=count/jobs.batch=0")
    tenant.apply("gull")
    tenant.wait("gull", "Stalled")
    assert tenant.reasons("gull")["Stalled"] == "JobRefused"
    tenant("delete", "quota", "none")
    tenant.wait("gull", "ModelReady", 120)


def test_retrain_at_starts_one_run_and_its_removal_none(tenant: Tenant) -> None:
    tenant.apply("gull")
    tenant.wait("gull", "ModelReady")
    tenant("annotate", "tweetbot", "gull", "tweetbot.dev/retrain-at=now", "tweetbot.dev/force-at=now")
    until(lambda: tenant.status("gull")["currentRun"]["number"] == 2, 120)
    tenant.wait("gull", "reason=Succeeded")
    tenant("annotate", "tweetbot", "gull", "tweetbot.dev/retrain-at-")
    assert tenant.status("gull")["currentRun"]["trigger"] == "force/now"
    tenant.apply("gull", run={"attempts": 2})
    until(lambda: tenant.status("gull")["observedGeneration"] == 2, 120)
    assert tenant.status("gull")["currentRun"]["number"] == 2
    assert tenant.status("gull")["lastHandledRetrainAt"] == "now"


def test_what_was_exported_with_its_status_runs_once_as_a_new_bot(tenant: Tenant, home: EmbeddedCluster) -> None:
    """As `kubectl get -o yaml | kubectl apply -n`, and a backup tool that puts the status back as well, have it."""
    tenant.apply("gull")
    tenant.wait("gull", "ModelReady")
    exported = json.loads(tenant("get", "tweetbot", "gull", "-o", "json"))
    other, former = Tenant(home), exported["metadata"].pop("uid")
    annotations = {"tweetbot.dev/retrain-at": "2026-01-01", "kopf.zalando.org/last-handled-configuration": "{"}
    exported["metadata"] |= {"namespace": other.namespace, "annotations": annotations}
    del exported["metadata"]["resourceVersion"]
    other("apply", "-f", "-", input=json.dumps(exported))
    status = json.dumps({"status": exported["status"]})
    other("patch", "tweetbot", "gull", "--subresource=status", "--type=merge", "-p", status)
    until(lambda: other.status("gull").get("uid", former) != former, 120)
    other.wait("gull", "ModelReady")
    after = other.status("gull")
    assert (after["currentRun"]["number"], after["currentRun"]["trigger"], len(after["runs"])) == (1, "2026-01-01", 1)
    assert jobs_made(home.audit_log, other.namespace) == {"gull": ["prepare", "train"]}


@pytest.fixture
def kueue_api(home: EmbeddedCluster) -> Iterator[Callable[[], str]]:
    """Return what installs an API group of Kueue's name."""
    names = {"plural": "workloads", "singular": "workload", "kind": "Workload"}
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1beta2", "served": True, "storage": True, "schema": schema}
    spec = {"group": "kueue.x-k8s.io", "names": names, "scope": "Namespaced", "versions": [version]}
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec}
    name = "workloads.kueue.x-k8s.io"
    note = {"api-approved.kubernetes.io": "unapproved, a test"}
    manifest = json.dumps({**crd, "metadata": {"name": name, "annotations": note}})
    yield lambda: str(home.kubectl("create", "-f", "-", input=manifest))
    home.kubectl("delete", "crd", name, "--ignore-not-found", "--wait=false")


def test_a_queue_lets_one_train_and_a_higher_priority_takes_its_place(
    tenant: Tenant, kueue_api: Callable[[], str]
) -> None:
    queue = FakeKueue(tenant, tenant.jobs)
    tenant.apply("gull", "training", scheduling={"queueName": "gpus"})
    tenant.wait("gull", "reason=KueueNotFound")
    assert "Stalled" in tenant.reasons("gull")
    kueue_api()

    def wait_for(name: str, reason: str) -> None:
        def holds() -> bool:
            queue.tick()
            return tenant.reasons(name).get("Progressing") == reason

        until(holds, 120)

    wait_for("gull", "Training")
    tenant.apply("tern", scheduling={"queueName": "gpus"})
    wait_for("tern", "Queued")
    tenant.apply("auk", scheduling={"queueName": "gpus", "workloadPriorityClassName": "high"})
    wait_for("gull", "Evicted")
    wait_for("auk", "Succeeded")
    wait_for("gull", "Training")
    run = tenant.status("gull")["currentRun"]
    assert (run["attempt"], run["retries"], run["disruptions"], run["pods"]) == (1, 0, 0, 1)
    assert tenant.status("tern")["phase"] == "Queued"
    tenant.apply("gull", "training", suspend=True, scheduling={"queueName": "gpus"})
    wait_for("tern", "Succeeded")
    assert [job for job in tenant.jobs() if job["metadata"]["name"].startswith("gull") and not ended(job)] == []


def test_a_webhook_that_is_away_is_told_and_its_return_heals_the_run(tenant: Tenant, home: EmbeddedCluster) -> None:
    hook = a_webhook_that_is_away(tenant.namespace)
    home.kubectl("create", "-f", "-", input=json.dumps(hook))
    tenant.apply("gull")
    tenant.wait("gull", "reason=AdmissionUnavailable")
    assert "Stalled" not in tenant.reasons("gull")
    assert "jobs.example.com" in json.dumps(tenant.status("gull")["conditions"])
    home.kubectl("delete", "validatingwebhookconfiguration", hook["metadata"]["name"])
    tenant.wait("gull", "ModelReady", 120)


def test_a_deleted_bot_takes_its_jobs_with_it(tenant: Tenant) -> None:
    tenant.apply("gull", "slow")
    until(lambda: len(tenant.jobs()) == 1, 120)
    tenant("delete", "tweetbot", "gull", "--timeout=120s")
    until(lambda: tenant.jobs() == [], 120)


def test_a_job_whose_bot_was_deleted_without_it_says_whose_it_was_and_ends(tenant: Tenant) -> None:
    tenant.apply("gull", "slow")
    until(lambda: len(tenant.jobs()) == 1, 120)
    tenant("delete", "tweetbot", "gull", "--cascade=orphan", "--timeout=120s")
    assert [job["metadata"].get("ownerReferences") for job in tenant.jobs()] == [None]
    tenant.wait_for_event(f"TweetBot {tenant.namespace}/gull", "involvedObject.kind=Job")
    until(lambda: tenant.jobs() == [], 120)


def test_nothing_is_written_but_statuses_jobs_and_events(tenant: Tenant, home: EmbeddedCluster) -> None:
    tenant.apply("gull")
    tenant.wait("gull", "ModelReady")
    lines = audited(home.audit_log)
    mine = [line for line in lines if line["user"]["username"] == "tweetbot-operator" and concerns(line, tenant)]
    writes = {
        (line["verb"], line["objectRef"]["resource"], line["objectRef"].get("subresource", ""))
        for line in mine
        if line["verb"] not in ("get", "list", "watch")
    }
    assert writes <= {
        ("patch", "tweetbots", "status"),
        ("create", "jobs", ""),
        ("delete", "jobs", ""),
        ("create", "events", ""),
    }
    assert {line["objectRef"]["resource"] for line in mine if "objectRef" in line} <= {
        "tweetbots",
        "jobs",
        "pods",
        "events",
        "tweetbotclasses",
    }
    metadata = json.loads(tenant("get", "tweetbot", "gull", "-o", "json"))["metadata"]
    assert metadata.keys() & {"finalizers", "annotations", "labels"} == set()


def test_a_condition_of_another_controller_stays_and_causes_no_write(tenant: Tenant, home: EmbeddedCluster) -> None:
    tenant.apply("gull", "adopting")
    tenant.wait("gull", "ModelReady")
    path = f"/apis/tweetbot.dev/v1alpha1/namespaces/{tenant.namespace}/tweetbots/gull"
    condition = {"type": "example.com/Audited", "status": "True", "reason": "Seen", "observedGeneration": 1}
    kind = {"apiVersion": "tweetbot.dev/v1alpha1", "kind": "TweetBot", "metadata": {"name": "gull"}}
    theirs = {**kind, "status": {"conditions": [{**condition, "lastTransitionTime": "2026-01-01T12:00:00Z"}]}}
    home.api.apply(f"{path}/status", theirs)
    tenant("annotate", "tweetbot", "gull", "tweetbot.dev/retrain-at=now")
    until(lambda: tenant.status("gull")["currentRun"]["number"] == 2, 60)
    tenant.wait("gull", "Progressing=False")
    assert tenant.reasons("gull")["example.com/Audited"] == "Seen"
    made = status_versions(home, tenant)
    assert len(made) == len(set(made)) > 3  # no write without a change


def test_a_status_that_a_policy_changes_is_told_and_not_written_again(tenant: Tenant, home: EmbeddedCluster) -> None:
    add_to_status(home.api, "changed", "/status/tracking", "{'wandbURL': 'https://wandb.example.com'}")
    tenant.apply("changed", "adopting")
    tenant.wait("changed", "ModelReady")
    tenant("annotate", "tweetbot", "changed", "tweetbot.dev/retrain-at=now")
    until(lambda: tenant.status("changed")["currentRun"]["number"] == 2, 60)
    tenant.wait("changed", "Progressing=False")
    assert tenant.status("changed")["tracking"] == {"wandbURL": "https://wandb.example.com"}
    tenant.wait_for_event("StatusChanged")
    made = status_versions(home, tenant)
    assert len(made) == len(set(made))


def status_versions(home: EmbeddedCluster, tenant: Tenant) -> list[str]:
    """Return the versions that the operator's writes of statuses have made, in order."""
    lines = [line for line in audited(home.audit_log) if line["user"]["username"] == "tweetbot-operator"]
    mine = [
        line for line in lines if line.get("objectRef", {}).get("subresource") == "status" and concerns(line, tenant)
    ]
    return [line["responseObject"]["metadata"]["resourceVersion"] for line in mine]


def test_health_and_metrics_are_served(tenant: Tenant, operator: OperatorProcess) -> None:
    tenant.apply("gull", "adopting")
    tenant.wait("gull", "ModelReady")
    assert (operator.answer("/healthz"), operator.answer("/readyz")) == (200, 200)
    figures = operator.metrics()
    for name in ("tweetbot_reconcile_total", "tweetbot_status_writes_total", "tweetbot_runs_finished_total"):
        assert name in figures


def test_logs_are_json_with_the_bot_and_no_bugs(tenant: Tenant, operator: OperatorProcess) -> None:
    tenant.apply("gull", "adopting")
    tenant.wait("gull", "ModelReady")
    lines = [json.loads(line) for line in operator.log.read_text().splitlines()]
    mine = [line for line in lines if line.get("namespace") == tenant.namespace]
    assert {line["name"] for line in mine} == {"gull"}
    assert any(len(line.get("run", "")) == 16 for line in mine)
    ours = [line for line in lines if line["logger"].startswith("tweetbot_operator")]
    assert [line for line in ours if "traceback" in line] == []


def concerns(line: dict[str, Any], tenant: Tenant) -> bool:
    """Whether a line of the audit log is of this namespace, or of none: other files' operators did more in theirs."""
    return line.get("objectRef", {}).get("namespace") in (None, tenant.namespace)


def ended(job: dict[str, Any]) -> bool:
    return any(each["type"] == "Complete" for each in job["status"].get("conditions", []))


def a_webhook_that_is_away(namespace: str) -> dict[str, Any]:
    """Return a webhook that has a say in this namespace's Jobs, at a port where nobody listens."""
    webhook = {
        "name": "jobs.example.com",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "clientConfig": {"url": f"https://127.0.0.1:{free_ports(1)[0]}/jobs"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "rules": [{"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}],
    }
    kind = "ValidatingWebhookConfiguration"
    metadata = {"name": f"away-{namespace}"}
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": metadata, "webhooks": [webhook]}


def a_strangers_job(name: str) -> dict[str, Any]:
    container = {"name": "other", "image": "busybox", "command": ["true"]}
    pod = {"restartPolicy": "Never", "containers": [container]}
    spec = {"suspend": True, "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


def test_an_outage_of_the_api_server_is_sat_through(
    tenant: Tenant, home: EmbeddedCluster, operator: OperatorProcess
) -> None:
    tenant.apply("before", "slow")
    until(lambda: len(tenant.jobs()) == 1, 120)
    home.kill("kube-apiserver")
    until(lambda: 'code="0"' in operator.metrics() or "Request attempt" in operator.log.read_text(), 120)
    home.start("kube-apiserver")
    tenant.apply("after")
    tenant.wait("after", "ModelReady", 120)
    assert operator.alive
    assert operator.answer("/healthz") == 200
