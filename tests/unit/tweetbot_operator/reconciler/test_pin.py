"""spec.pin on a cluster in memory: a Job of its own moves latest.json, and no training starts or stops for it."""

from copy import deepcopy
from typing import Any

import pytest

from builders.manifests import a_manifest
from builders.operator import a_pin_result, a_prepare_result, a_published_version, a_refusal_of_the_trainer
from builders.progress import a_report
from harness.kstatus import kstatus
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.handover import RUN_ENV, RunDocument
from tweetbot_contract.result import PinSucceeded, StageFailed, encode
from tweetbot_contract.status.tasks import PinStatus
from tweetbot_operator.client.errors import Rejected
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.objects import JobView

FIRST, SECOND, THIRD = ("1" * 16, "2" * 16, "3" * 16)


def pin_result(version: str, *, newest: str = SECOND) -> PinSucceeded:
    return a_pin_result(version, newest=newest)


class PinStage(Stage):
    """A stage whose trainers publish versions."""

    @property
    def pin(self) -> PinStatus | None:
        return self.status.pin

    @property
    def served(self) -> str:
        model = self.status.model
        return model.version if model else ""

    @property
    def kstatus(self) -> str:
        return kstatus(self.cluster.objects["tweetbots", NAMESPACE, NAME])

    def pin_jobs(self) -> list[str]:
        return [name for name in self.cluster.names("jobs") if name.endswith("-pin")]

    def document(self, job: str) -> RunDocument:
        """Return what a Job was given."""
        pod = self.cluster.objects["jobs", NAMESPACE, job]["spec"]["template"]["spec"]
        env = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
        return RunDocument.model_validate_json(env[RUN_ENV] or "")

    async def publish(self, version: str, **changes: Any) -> None:
        """Let the present run end with this version."""
        if self.run.stage == "Prepare":
            await self.end_stage(a_prepare_result())
        await self.end_stage(a_published_version(version, **changes))

    async def retrain(self, at: str) -> None:
        self.cluster.annotate(NAMESPACE, NAME, {"tweetbot.dev/retrain-at": at})
        await self.settle()

    async def set_pin(self, version: str | None) -> None:
        self.cluster.edit(NAMESPACE, NAME, pin=version)
        await self.settle()

    async def end_pin(self, result: PinSucceeded) -> None:
        """Let the last Pin Job end well."""
        job = self.pin_jobs()[-1]
        self.cluster.end_pod(job, NAMESPACE, 0, encode(result).decode())
        self.cluster.end_job(job, NAMESPACE, "Complete")
        await self.settle()

    async def fail_pin(self, exit_code: int, said: StageFailed) -> None:
        job = self.pin_jobs()[-1]
        self.cluster.end_pod(job, NAMESPACE, exit_code, encode(said).decode())
        self.cluster.end_job(job, NAMESPACE, "Failed", failed=1)
        await self.settle()


@pytest.fixture
async def stage() -> PinStage:
    """A TweetBot that has published twice: a scheduled retrain, say, made the second, which is worse."""
    stage = PinStage()
    await stage.apply()
    await stage.publish(FIRST)
    await stage.retrain("again")
    await stage.publish(SECOND)
    return stage


async def test_a_pin_takes_one_job_and_two_statuses_and_no_run(stage: PinStage) -> None:
    before, run = len(stage.cluster.writes), stage.run
    await stage.set_pin(FIRST)
    assert (stage.reason(), stage.reason("ModelReady"), stage.kstatus) == ("Pinning", "Pinning", "Current")
    await stage.end_pin(pin_result(FIRST))
    (job,) = stage.pin_jobs()
    assert stage.cluster.writes[before:] == ["status gull Succeeded", f"create job {job}", "status gull Succeeded"]
    assert stage.run == run
    assert (stage.served, stage.reason("ModelReady"), stage.reason()) == (FIRST, "Pinned", "Succeeded")
    assert stage.status.metrics
    assert stage.status.metrics.eval_loss == 1
    message = stage.status.find_condition("ModelReady")
    assert message
    assert f"Without spec.pin {SECOND} would be served" in message.message


@pytest.mark.parametrize(("phase", "deleted"), [("Succeeded", False), ("Running", True)])
async def test_a_job_whose_result_is_known_is_ended_only_if_another_container_keeps_its_pod(
    stage: PinStage, phase: str, deleted: bool
) -> None:
    await stage.set_pin(FIRST)
    (job,) = stage.pin_jobs()
    ended = {"exitCode": 0, "message": encode(pin_result(FIRST)).decode(), "finishedAt": "2026-07-01T12:00:00Z"}
    trainer = {"name": "trainer", "state": {"terminated": ended}}
    stage.cluster.run_pod(job, NAMESPACE, phase=phase, containerStatuses=[trainer])
    await stage.settle()
    assert stage.reason("ModelReady") == "Pinned"
    assert (f"delete job {job}" in stage.cluster.writes) is deleted


async def test_a_pin_says_what_its_job_waits_for_beside_a_training_that_waits_for_nothing(stage: PinStage) -> None:
    await stage.set_pin(FIRST)
    (job,) = stage.pin_jobs()
    running = {"name": "trainer", "state": {"running": {"startedAt": stage.now().isoformat()}}}
    stage.cluster.run_pod(job, NAMESPACE, containerStatuses=[running])
    await stage.settle()
    (pod,) = (pod for pod in stage.cache.pods.list_all() if pod.job == job and not pod.ended)
    waiting = {"reason": "StorageUnavailable", "message": "S3 does not answer", "since": "2026-01-01T12:00:30Z"}
    for _ in range(3):
        report = a_report(None, run_id="", stage="Pin", pod_uid=pod.uid, waiting=waiting)
        stage.progress_store.put((NAMESPACE, NAME), report)
    await stage.settle()
    assert (stage.reason(), stage.reason("ModelReady"), stage.kstatus) == (*["StorageUnavailable"] * 2, "Current")
    await stage.end_pin(pin_result(FIRST))
    assert (stage.reason(), stage.reason("ModelReady")) == ("Succeeded", "Pinned")


async def test_a_pin_in_force_has_an_event_also_while_a_run_goes_on(stage: PinStage) -> None:
    await stage.retrain("third")
    await stage.set_pin(FIRST)
    await stage.end_pin(pin_result(FIRST))
    notes = [event["message"] for event in stage.cluster.events if event["reason"] == "Pinned"]
    assert [note.split(" at ")[0] for note in notes] == [f"team-a-gull-{FIRST} is pinned and served"]


async def test_the_end_of_a_pin_brings_the_newest_back_with_its_run(stage: PinStage) -> None:
    model = stage.status.model
    await stage.set_pin(FIRST)
    await stage.end_pin(pin_result(FIRST))
    await stage.set_pin(None)
    assert stage.reason("ModelReady") == "Pinning"
    assert stage.document(stage.pin_jobs()[-1]).pin == PinStatus.model_validate(stage.pin).request
    await stage.end_pin(pin_result(SECOND))
    assert (stage.status.model, stage.pin, stage.reason("ModelReady")) == (model, None, "Succeeded")


async def test_the_model_ready_generation_follows_when_the_pin_is_in_force(stage: PinStage) -> None:
    await stage.set_pin(FIRST)
    seen = stage.status.find_condition("ModelReady")
    assert seen
    assert (seen.observed_generation, stage.status.observed_generation) == (1, 2)
    await stage.end_pin(pin_result(FIRST))
    seen = stage.status.find_condition("ModelReady")
    assert seen
    assert seen.observed_generation == 2


async def test_a_pin_to_what_is_served_needs_no_job_and_tells_the_next_run(stage: PinStage) -> None:
    await stage.set_pin(SECOND)
    assert (stage.pin_jobs(), stage.reason("ModelReady"), stage.kstatus) == ([], "Pinned", "Current")
    await stage.retrain("third")
    document = stage.document(stage.job_name)
    assert document.pin
    assert document.pin.version == SECOND
    await stage.publish(THIRD, pinned=SECOND)
    assert (stage.served, stage.pin_jobs()) == (SECOND, [])
    assert stage.status.runs[0].model_uri == a_published_version(THIRD).model.uri
    assert stage.pin
    assert stage.pin.newest
    assert stage.pin.newest.version == THIRD


async def test_a_pin_to_what_is_served_takes_a_job_while_a_run_may_move_the_pointer(stage: PinStage) -> None:
    await stage.retrain("third")
    await stage.set_pin(SECOND)
    assert len(stage.pin_jobs()) == 1


async def test_a_pin_goes_beside_a_run_and_neither_waits_for_the_other(stage: PinStage) -> None:
    await stage.retrain("third")
    run = stage.run.id
    await stage.set_pin(FIRST)
    assert (stage.run.id, stage.reason(), stage.reason("ModelReady")) == (run, "Preparing", "Pinning")
    await stage.end_stage(a_prepare_result())
    assert stage.reason() == "Training"
    await stage.end_pin(pin_result(FIRST))
    await stage.end_stage(a_published_version(THIRD, pinned=FIRST))
    assert (stage.served, stage.run.id, stage.run.outcome) == (FIRST, run, "Succeeded")


async def test_a_pin_takes_no_slot_of_the_runs() -> None:
    stage = PinStage(OperatorSettings(max_active_runs=1))
    await stage.apply(pin=FIRST)
    assert len(stage.pin_jobs()) == 1
    assert stage.reason() == "Preparing"


async def test_what_a_trainer_published_that_did_not_know_of_the_pin_is_moved_back(stage: PinStage) -> None:
    """An older trainer, or one whose write came between: the pointer may be anywhere, so the pin is asked for again."""
    await stage.retrain("third")
    await stage.set_pin(FIRST)
    await stage.end_pin(pin_result(FIRST))
    await stage.publish(THIRD)
    assert stage.served == FIRST
    assert len(stage.pin_jobs()) == 2
    await stage.end_pin(pin_result(FIRST, newest=THIRD))
    assert (stage.served, stage.reason("ModelReady")) == (FIRST, "Pinned")


async def test_a_pin_that_only_the_bucket_remembers_is_ended(stage: PinStage) -> None:
    """As after a restore of etcd, which forgets the pin."""
    await stage.retrain("third")
    await stage.publish(THIRD, pinned=FIRST)
    assert stage.pin
    assert stage.pin.version == ""
    await stage.end_pin(pin_result(THIRD, newest=THIRD))
    assert stage.served == THIRD
    assert stage.status.pin is None
    assert stage.status.model
    assert stage.status.model.identity == stage.run.identity


async def test_a_run_that_publishes_while_a_pin_ends(stage: PinStage) -> None:
    """The pin's Job found the second version; then the run, which finds no pin, moved the pointer to the third."""
    await stage.set_pin(FIRST)
    await stage.end_pin(pin_result(FIRST))
    await stage.retrain("third")
    await stage.end_stage(a_prepare_result())
    await stage.set_pin(None)
    job = stage.pin_jobs()[-1]
    stage.cluster.end_pod(job, NAMESPACE, 0, encode(pin_result(SECOND)).decode())
    stage.cluster.end_job(job, NAMESPACE, "Complete")
    await stage.end_stage(a_published_version(THIRD))
    assert (stage.served, stage.pin) == (THIRD, None)


async def test_another_pin_takes_the_place_of_one_that_is_under_way(stage: PinStage) -> None:
    await stage.set_pin(FIRST)
    (first,) = stage.pin_jobs()
    stage.cluster.run_pod(first, NAMESPACE)
    stage.time = stage.time.replace(minute=1)
    await stage.set_pin(THIRD)
    assert f"delete job {first}" in stage.cluster.writes
    await stage.collect_garbage()
    (second,) = stage.pin_jobs()
    assert second != first
    await stage.end_pin(pin_result(THIRD))
    assert stage.served == THIRD


# ---- what goes wrong


async def test_a_version_that_does_not_exist_stalls_and_the_served_one_stays(stage: PinStage) -> None:
    await stage.set_pin(THIRD)
    await stage.fail_pin(10, StageFailed(reason="PinnedVersionNotFound", message="spec.pin: there is no version 3"))
    assert (stage.served, stage.kstatus, stage.status.phase) == (SECOND, "Failed", "Succeeded")
    assert stage.reason("Stalled") == stage.reason("ModelReady") == "PinnedVersionNotFound"
    ready = stage.status.find_condition("ModelReady")
    assert ready
    assert ready.message == (
        "spec.pin: there is no version 3. It is tried again at 2026-01-01T12:05:00Z. "
        f"team-a-gull-{SECOND} is served until then."
    )
    await stage.set_pin(FIRST)
    assert (stage.kstatus, stage.reason()) == ("Current", "Pinning")


async def test_a_pin_that_stalls_takes_no_run_out_of_its_queue() -> None:
    """The queue reads from Progressing which runs wait."""
    stage = PinStage(OperatorSettings(max_active_runs=1))
    other = a_manifest()
    other["metadata"] |= {"name": "tern", "uid": "uid-tern"}
    stage.cluster.put("tweetbots", other)
    await stage.settle()
    await stage.apply(pin=THIRD)
    await stage.fail_pin(10, StageFailed(reason="PinnedVersionNotFound", message="spec.pin: there is no version 3"))
    assert (stage.reason(), stage.reason("Stalled"), stage.kstatus) == ("Queued", "PinnedVersionNotFound", "Failed")
    stored = stage.cache.get_bot((NAMESPACE, NAME))
    assert stored
    assert stored.queued_since
    notes = [event["reason"] for event in stage.cluster.events if event["type"] == "Warning"]
    assert notes == ["PinnedVersionNotFound"]


async def test_a_failed_pin_is_tried_again_by_another_job_and_stays_stalled_meanwhile(stage: PinStage) -> None:
    await stage.set_pin(THIRD)
    await stage.fail_pin(11, StageFailed(reason="NotAuthorized", message="S3 rejects the credentials"))
    await stage.wait(301)
    assert len(stage.pin_jobs()) == 2
    assert stage.kstatus == "Failed"
    await stage.end_pin(pin_result(THIRD))
    assert (stage.served, stage.kstatus, stage.pin and stage.pin.retries) == (THIRD, "Current", 0)


async def test_a_temporary_fault_is_told_and_does_not_stall(stage: PinStage) -> None:
    await stage.set_pin(FIRST)
    await stage.fail_pin(75, StageFailed(reason="StorageUnavailable", message="S3 does not answer"))
    assert (stage.kstatus, stage.reason()) == ("Current", "StorageUnavailable")
    await stage.wait(301)
    await stage.end_pin(pin_result(FIRST))
    assert (stage.served, stage.reason("ModelReady")) == (FIRST, "Pinned")


async def test_a_job_without_a_result_is_told_and_tried_again(stage: PinStage) -> None:
    await stage.set_pin(FIRST)
    stage.cluster.end_job(stage.pin_jobs()[-1], NAMESPACE, "Failed", reason="DeadlineExceeded")
    await stage.settle()
    assert stage.reason() == "ResultLost"
    await stage.wait(301)
    assert len(stage.pin_jobs()) == 2


async def test_a_refused_job_is_told_and_neither_holds_up_the_run_nor_is_created_without_end(stage: PinStage) -> None:
    stage.cluster.faults["create_job"] = [Rejected("exceeded quota") for _ in range(9)]
    stage.cluster.edit(NAMESPACE, NAME, pin=FIRST, filter={"minWords": 7})
    await stage.settle()
    tried = len(stage.cluster.faults["create_job"])
    assert tried == 7  # each Job once
    assert stage.reason("ModelReady") == stage.reason() == "JobRefused"
    stage.cluster.faults["create_job"] = []
    await stage.wait(10)
    assert len(stage.pin_jobs()) == 1


async def test_a_pod_that_cannot_start_is_told(stage: PinStage) -> None:
    await stage.set_pin(FIRST)
    waiting = {"name": "trainer", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    stage.cluster.run_pod(stage.pin_jobs()[-1], NAMESPACE, phase="Pending", containerStatuses=[waiting])
    await stage.wait(31)
    assert stage.reason("ModelReady") == "ImagePullFailed"
    await stage.wait(120)
    assert (stage.reason("Stalled"), stage.kstatus) == ("ImagePullFailed", "Failed")


async def test_a_job_without_a_pod_is_told_with_the_quotas_words(stage: PinStage) -> None:
    await stage.set_pin(FIRST)
    stage.cluster.creation_failures = {stage.pin_jobs()[-1]: ('Error creating: pods "x" is forbidden: exceeded quota',)}
    await stage.wait(31)
    assert stage.reason("ModelReady") == "PodRefused"
    await stage.wait(120)
    assert stage.reason("Stalled") == "PodRefused"


async def test_a_job_that_a_queue_holds_back_is_told(stage: PinStage) -> None:
    await stage.set_pin(FIRST)
    job = deepcopy(stage.cluster.objects["jobs", NAMESPACE, stage.pin_jobs()[-1]])
    job["spec"]["suspend"] = True
    stage.cluster.put("jobs", job)
    await stage.settle()
    assert (stage.reason("ModelReady"), stage.kstatus) == ("Pinning", "Current")
    message = stage.status.find_condition("ModelReady")
    assert message
    assert "is suspended until its queue admits it" in message.message


async def test_a_job_that_lost_its_owner_is_still_the_pins(stage: PinStage) -> None:
    await stage.set_pin(FIRST)
    job = deepcopy(stage.cluster.objects["jobs", NAMESPACE, stage.pin_jobs()[-1]])
    del job["metadata"]["ownerReferences"]
    stage.cluster.put("jobs", job)
    await stage.settle()
    await stage.end_pin(pin_result(FIRST))
    assert (stage.served, len(stage.pin_jobs())) == (FIRST, 1)


async def test_a_job_that_is_deleted_again_and_again_is_not_created_without_end(stage: PinStage) -> None:
    await stage.set_pin(FIRST)
    for _ in range(9):
        for job in stage.pin_jobs():
            stage.cluster.remove("jobs", NAMESPACE, job)
        await stage.settle()
    assert sum(write.endswith("-pin") for write in stage.cluster.writes) == 5


async def test_the_pins_pod_has_the_stores_keys_and_no_others() -> None:
    stage = PinStage()
    key = {"name": "wandb", "key": "key"}
    token = {"handle": "gull", "tokenSecret": {"name": "x", "key": "key"}, "acceptTerms": True}
    await stage.apply(pin=FIRST, tracking={"wandb": {"apiKeySecret": key}}, sources=[{"x": token}])
    (job,) = stage.pin_jobs()
    manifest = stage.cluster.objects["jobs", NAMESPACE, job]
    pod = manifest["spec"]["template"]["spec"]
    sources = pod["volumes"]
    secrets = {each["secret"]["name"] for volume in sources for each in volume.get("projected", {}).get("sources", ())}
    assert secrets == {"s3"}
    assert set(pod["containers"][0]["resources"]["limits"]) == {"cpu", "memory", "ephemeral-storage"}
    assert manifest["metadata"]["ownerReferences"][0]["uid"] == "uid-gull"


async def test_a_pin_before_any_model(stage: PinStage) -> None:
    fresh = PinStage()
    await fresh.apply(pin=THIRD)
    await fresh.fail_pin(10, StageFailed(reason="PinnedVersionNotFound", message="spec.pin: there is no version 3"))
    assert (fresh.reason("ModelReady"), fresh.kstatus, fresh.served) == ("PinnedVersionNotFound", "Failed", "")
    await fresh.publish(FIRST, pinned=THIRD)
    assert (fresh.served, fresh.kstatus) == ("", "Failed")
    await fresh.set_pin(None)
    await fresh.end_pin(pin_result(FIRST, newest=FIRST))
    assert (fresh.served, fresh.kstatus) == (FIRST, "Current")
    assert fresh.status.model
    assert fresh.status.model.run_id == fresh.run.id


# ---- suspension, deletion, restarts


async def test_a_pin_acts_while_the_tweetbot_is_suspended(stage: PinStage) -> None:
    stage.cluster.edit(NAMESPACE, NAME, suspend=True, pin=FIRST)
    await stage.settle()
    await stage.end_pin(pin_result(FIRST))
    assert (stage.served, stage.reason("ModelReady"), stage.status.phase) == (FIRST, "Pinned", "Suspended")


async def test_a_deletion_ends_the_pins_job_before_it_erases(stage: PinStage) -> None:
    stage.cluster.edit(NAMESPACE, NAME, deletionPolicy="Delete", pin=FIRST)
    await stage.settle()
    (job,) = stage.pin_jobs()
    stage.cluster.run_pod(job, NAMESPACE)
    stage.cluster.delete_bot(NAMESPACE, NAME)
    await stage.settle()
    assert stage.cluster.writes[-1] == f"delete job {job}" or f"delete job {job}" in stage.cluster.writes
    assert not any(name.endswith("-cleanup") for name in stage.cluster.names("jobs"))
    await stage.collect_garbage()
    assert any(name.endswith("-cleanup") for name in stage.cluster.names("jobs"))


@pytest.mark.parametrize("last", [True, False])
async def test_an_operator_that_dies_at_any_write_leaves_a_pin_that_the_next_brings_to_its_end(
    stage: PinStage, last: bool
) -> None:
    class Died(BaseException):
        pass

    async def end() -> None:
        jobs = [job for job in stage.cluster.objects_of("jobs") if isinstance(job, JobView)]
        if any(not job.finished for job in jobs if job.stage == "pin"):
            await stage.end_pin(pin_result(FIRST))

    for at in range(1, 5):
        count, wanted = 0, FIRST if last else None

        def die(write: str, at: int = at) -> None:
            nonlocal count
            count += 1
            if count == at:
                raise Died(write)

        await stage.set_pin(THIRD if last else FIRST)
        await stage.end_pin(pin_result(THIRD if last else FIRST))
        stage.time = stage.time.replace(minute=at)
        stage.cluster.after_write = die
        try:
            await stage.set_pin(wanted)
            await stage.end_pin(pin_result(FIRST))
        except Died:
            pass
        stage.cluster.after_write = lambda write: None
        stage.start_operator()
        stage.queue.add((NAMESPACE, NAME))
        await stage.settle()
        await end()
        assert (stage.served, stage.pin and stage.pin.outcome) == (FIRST, "Succeeded" if last else None)


# ---- a schedule


async def test_a_pinned_bots_schedule_compares_with_what_was_published_beside_the_pin(stage: PinStage) -> None:
    stage.cluster.edit(NAMESPACE, NAME, schedule={"cron": "0 13 * * *", "minNewPosts": 10}, pin=FIRST)
    await stage.settle()
    await stage.end_pin(pin_result(FIRST))
    await stage.wait(4200)
    assert stage.run.trigger.startswith("schedule/")
    assert stage.document(stage.job_name).min_new_posts == 10


async def test_a_trainer_that_refuses_leaves_the_run_failed_and_the_pin_in_force(stage: PinStage) -> None:
    await stage.set_pin(FIRST)
    await stage.end_pin(pin_result(FIRST))
    await stage.retrain("third")
    await stage.fail_stage(10, encode(a_refusal_of_the_trainer()).decode())
    assert (stage.served, stage.reason("ModelReady"), stage.reason("Stalled")) == (FIRST, "Pinned", "BucketNotFound")
