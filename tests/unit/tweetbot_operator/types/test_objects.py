"""Manifests as the API server gives them, and what decisions read of them."""

from typing import Any

import pytest

from builders.manifests import a_manifest
from tweetbot_contract.manifest import TweetBot
from tweetbot_operator.client.parse import parse_cached_bot, parse_job, parse_pod, parse_tweetbot
from tweetbot_operator.types.containers import ContainerView
from tweetbot_operator.types.objects import InvalidTweetBot, PodView
from tweetbot_operator.types.times import parse_time

METADATA: dict[str, Any] = {
    "namespace": "team-a",
    "name": "gull-1",
    "uid": "u",
    "resourceVersion": "7",
    "creationTimestamp": "2026-01-01T12:00:00Z",
}
OWNERS = [{"uid": "reader"}, {"uid": "boss", "controller": True}]


def a_stored_manifest(**metadata: Any) -> dict[str, Any]:
    manifest = a_manifest()
    manifest["metadata"] |= {"resourceVersion": "7", **metadata}
    return manifest


def test_a_bot_is_cached_without_managed_fields_and_foreign_annotations() -> None:
    annotations = {
        "tweetbot.dev/retrain-at": "now",
        "tweetbot.dev/force-at": "now",
        "kubectl.kubernetes.io/last-applied-configuration": "x" * 9999,
    }
    stored = parse_cached_bot(a_stored_manifest(annotations=annotations, managedFields=[{"manager": "kubectl"}]))
    assert len(stored.document) < 1000
    assert parse_tweetbot(stored.document).retrain_trigger == "force/now"


def test_a_bot_whose_spec_breaks_a_rule_keeps_its_metadata_and_status() -> None:
    manifest = a_stored_manifest()
    manifest["spec"]["sources"] = []
    bot = parse_tweetbot(parse_cached_bot(manifest).document)
    assert isinstance(bot, InvalidTweetBot)
    assert (bot.name, bot.generation, bot.status.phase) == ("gull", 1, "Pending")
    assert bot.error.startswith("spec.sources")


def test_a_bot_of_a_newer_schema_is_read_without_the_fields_that_this_version_does_not_know() -> None:
    older, newer = a_stored_manifest(), a_stored_manifest()
    newer["spec"]["autopilot"] = {"mode": "Off"}
    newer["spec"]["sources"][0]["archive"]["year"] = 2026
    newer["spec"]["output"]["s3"]["partMebibytes"] = 8
    first, second = (parse_tweetbot(parse_cached_bot(manifest).document) for manifest in (older, newer))
    assert isinstance(second, TweetBot)
    assert second == first


def test_an_unchanged_spec_is_parsed_once() -> None:
    pending, training = a_stored_manifest(), a_stored_manifest(resourceVersion="8")
    training["status"] = {"phase": "Training"}
    first, second = (parse_tweetbot(parse_cached_bot(manifest).document) for manifest in (pending, training))
    assert (first.status.phase, second.status.phase) == ("Pending", "Training")
    assert first.spec is second.spec  # type: ignore[union-attr]


def test_a_status_that_does_not_parse_counts_as_none() -> None:
    manifest = a_stored_manifest()
    manifest["spec"]["sources"] = []
    manifest["status"] = {"phase": "Dreaming"}
    assert parse_tweetbot(parse_cached_bot(manifest).document).status.phase == "Pending"


def test_a_jobs_owner_is_its_controller() -> None:
    assert parse_job({"metadata": {**METADATA, "ownerReferences": OWNERS}}).owner_uid == "boss"
    assert parse_job({"metadata": {**METADATA, "ownerReferences": OWNERS[:1]}}).owner_uid == ""


def test_a_job_has_ended_by_its_final_condition_only() -> None:
    met = {"type": "SuccessCriteriaMet", "status": "True"}
    done = {"type": "Complete", "status": "True", "lastTransitionTime": "2026-01-01T12:30:00Z"}
    assert not parse_job({"metadata": METADATA, "status": {"conditions": [met]}}).finished
    job = parse_job({"metadata": METADATA, "status": {"conditions": [met, done]}})
    assert (job.finished_condition, job.finished_at and job.finished_at.minute) == ("Complete", 30)


@pytest.mark.parametrize(("spec", "held"), [({}, False), ({"parallelism": 1}, False), ({"parallelism": 0}, True)])
def test_a_job_with_parallelism_0_counts_as_suspended(spec: dict[str, Any], held: bool) -> None:
    assert parse_job({"metadata": METADATA, "spec": spec}).suspended == held


def test_a_foreign_job_may_lack_every_field() -> None:
    job = parse_job({"metadata": METADATA})
    assert (job.run_id, job.creation_key, job.owner_uid, job.finished) == ("", "", "", False)


def test_an_unschedulable_pod_has_the_schedulers_message() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    pod = parse_pod({"metadata": METADATA, "status": {"phase": "Pending", "conditions": [condition]}})
    assert (pod.unschedulable, pod.scheduled_at) == ("0/3 nodes", None)


def test_a_pod_says_which_gates_and_what_of_its_sandbox_it_waits_for() -> None:
    gates = [{"name": "example.com/budget"}]
    blocked = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "non-empty gates"}
    ready = {"type": "PodReadyToStartContainers", "status": "True"}
    pod = parse_pod({"metadata": METADATA, "spec": {"schedulingGates": gates}, "status": {"conditions": [blocked]}})
    assert (pod.scheduling_gates, pod.scheduled_at, pod.sandbox_ready) == (("example.com/budget",), None, False)
    assert parse_pod({"metadata": METADATA, "status": {"conditions": [ready]}}).sandbox_ready


def test_a_deleted_job_says_since_when_and_what_keeps_it() -> None:
    metadata = {**METADATA, "deletionTimestamp": "2026-01-01T12:05:00Z", "finalizers": ["example.com/keep"]}
    job = parse_job({"metadata": metadata})
    assert (job.deleting, job.deleted_at and job.deleted_at.minute, job.finalizers) == (True, 5, ("example.com/keep",))


def test_a_pod_that_ended_has_its_exit_code_and_message() -> None:
    ended = {
        "exitCode": 137,
        "reason": "OOMKilled",
        "message": "words",
        "startedAt": "2026-01-01T12:00:01Z",
        "finishedAt": "2026-01-01T12:00:09Z",
    }
    status = {"phase": "Failed", "containerStatuses": [{"name": "trainer", "state": {"terminated": ended}}]}
    pod = parse_pod({"metadata": METADATA, "status": status})
    assert (pod.exit_code, pod.out_of_memory, pod.message, pod.ended) == (137, True, "words", True)
    assert pod.started_at is not None
    assert pod.finished_at is not None
    assert (pod.finished_at - pod.started_at).seconds == 8


def test_a_container_that_the_runtime_could_not_start_has_no_start_time() -> None:
    words = 'failed to create task: exec: "tweetbot-trainer": executable file not found in $PATH'
    times = {"startedAt": "1970-01-01T00:00:00Z", "finishedAt": "2026-01-01T12:00:09Z"}
    ended = {"exitCode": 128, "reason": "StartError", "message": words, **times}
    status = {"phase": "Failed", "containerStatuses": [{"name": "trainer", "state": {"terminated": ended}}]}
    pod = parse_pod({"metadata": METADATA, "status": status})
    assert (pod.started_at, pod.exit_code, pod.message, pod.start_error) == (None, 128, "", words)


def test_the_result_is_the_trainers_despite_injected_containers() -> None:
    proxy = {"name": "istio-proxy", "state": {"terminated": {"exitCode": 0, "message": "theirs"}}}
    trainer = {"name": "trainer", "state": {"terminated": {"exitCode": 10, "message": "ours"}}}
    pod = parse_pod({"metadata": METADATA, "status": {"phase": "Failed", "containerStatuses": [proxy, trainer]}})
    assert (pod.exit_code, pod.message) == (10, "ours")


def test_an_evicted_pod_is_disrupted() -> None:
    condition = {"type": "DisruptionTarget", "status": "True"}
    assert parse_pod({"metadata": METADATA, "status": {"conditions": [condition]}}).disrupted


def test_a_pod_evicted_before_it_ran_has_no_code() -> None:
    pod = parse_pod({"metadata": METADATA, "status": {"phase": "Failed", "reason": "Evicted"}})
    assert (pod.ended, pod.exit_code, pod.started_at) == (True, None, None)


# ---- containers that others add

WAITS = {"name": "trainer", "state": {"waiting": {"reason": "PodInitializing"}}}
STARTED, ENDED = "2026-01-01T12:00:02Z", "2026-01-01T12:05:00Z"
PROXY = {"name": "istio-proxy", "state": {"running": {"startedAt": STARTED}}}


def an_end(name: str, code: int, **terminated: Any) -> dict[str, Any]:
    ended = {"exitCode": code, "startedAt": STARTED, "finishedAt": ENDED, **terminated}
    return {"name": name, "state": {"terminated": ended}}


def a_pod_with(*containers: dict[str, Any], init: tuple[dict[str, Any], ...] = (), **status: Any) -> PodView:
    spec = {
        "initContainers": [{"name": each["name"], **each.get("spec", {})} for each in init],
        "containers": [{"name": each["name"], **each.get("spec", {})} for each in containers],
    }
    own = {"phase": "Running", "containerStatuses": list(containers), "initContainerStatuses": list(init), **status}
    return parse_pod({"metadata": METADATA, "spec": spec, "status": own})


@pytest.mark.parametrize(
    ("others", "held_by"),
    [
        ((), ()),
        ((PROXY,), ("istio-proxy",)),
        (({"name": "logger", "state": {"waiting": {"reason": "ImagePullBackOff"}}}, PROXY), ("logger", "istio-proxy")),
        ((an_end("istio-proxy", 137, reason="OOMKilled"),), ()),
    ],
)
def test_containers_that_run_on_after_the_trainer_keep_its_pod(others: Any, held_by: tuple[str, ...]) -> None:
    pod = a_pod_with(*others, an_end("trainer", 0))
    assert (pod.held_by, pod.done, pod.out_of_memory) == (held_by, bool(held_by), False)
    assert a_pod_with(*others, {"name": "trainer", "state": PROXY["state"]}).held_by == ()


def test_a_pod_that_failed_by_another_container_does_not_hide_that_its_trainer_is_done() -> None:
    assert a_pod_with(an_end("istio-proxy", 1), an_end("trainer", 0), phase="Failed").done
    assert not a_pod_with(an_end("istio-proxy", 1), an_end("trainer", 1), phase="Failed").done
    assert not a_pod_with(an_end("trainer", 0), phase="Succeeded").done


def test_the_first_end_of_a_trainer_that_is_started_again_counts() -> None:
    again = {**an_end("trainer", 12, message="ours"), "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    again["lastState"] = an_end("trainer", 12, message="ours")["state"]
    pod = a_pod_with(again)
    assert (pod.exit_code, pod.message, pod.held_by) == (12, "ours", ("trainer",))


@pytest.mark.parametrize("extra", [{"ephemeralContainerStatuses": [PROXY]}, {}])
def test_native_sidecars_and_debuggers_keep_no_pod(extra: dict[str, Any]) -> None:
    sidecar = {**PROXY, "started": True, "spec": {"restartPolicy": "Always"}}
    assert a_pod_with(an_end("trainer", 0), init=(sidecar,), **extra).held_by == ()


def test_the_first_init_container_that_is_not_done_is_the_one_waited_for() -> None:
    hangs = {"name": "vault", "image": "vault:9", "state": {"running": {"startedAt": STARTED}}}
    unready = a_pod_with(WAITS, init=(an_end("one", 0), hangs, {**WAITS, "name": "three"})).unready
    assert unready == ContainerView("vault", "vault:9", init=True, started_at=parse_time(STARTED))
    assert a_pod_with(WAITS, init=(an_end("one", 0),)).unready is None


def test_a_native_sidecar_is_waited_for_until_it_has_started() -> None:
    native = {**PROXY, "spec": {"restartPolicy": "Always"}}
    assert a_pod_with(WAITS, init=({**native, "started": True},)).unready is None
    waiting = a_pod_with(WAITS, init=({**native, "started": False, "lastState": an_end("", 2)["state"]},)).unready
    assert waiting is not None
    assert (waiting.sidecar, waiting.exit_code) == (True, 2)


def test_a_native_sidecar_that_fails_beside_a_running_trainer_holds_up_nothing() -> None:
    again = {"name": "proxy", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "started": False}
    sidecar = {**again, "spec": {"restartPolicy": "Always"}}
    assert a_pod_with({"name": "trainer", "state": PROXY["state"]}, init=(sidecar,)).unready is None
    assert a_pod_with(an_end("trainer", 0), init=(sidecar,)).held_by == ()


def test_another_container_that_cannot_start_is_seen_beside_a_trainer_that_runs() -> None:
    pulls = {"name": "logger", "image": "no:1", "state": {"waiting": {"reason": "ErrImagePull", "message": "no"}}}
    unready = a_pod_with(pulls, {"name": "trainer", "state": PROXY["state"]}).unready
    assert unready == ContainerView("logger", "no:1", waiting="ErrImagePull", waiting_message="no")


@pytest.mark.parametrize(
    ("text", "key", "first"), [("3-0", "3-0", 1), ("3-1-2", "3-1", 2), ("3-0-x", "3-0", 1), ("", "", 1)]
)
def test_a_job_names_its_round_and_first_attempt(text: str, key: str, first: int) -> None:
    job = parse_job({"metadata": {**METADATA, "annotations": {"tweetbot.dev/round": text}}})
    assert (job.creation_key, job.first_attempt) == (key, first)
