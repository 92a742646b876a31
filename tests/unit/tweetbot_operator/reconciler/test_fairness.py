"""Whole passes under limits: who waits says so once, begins in its turn, and nothing is written meanwhile."""

from builders.manifests import a_manifest
from builders.operator import a_prepare_result, a_train_result
from harness.stage_operator import NAMESPACE, Stage
from tweetbot_contract.result import encode
from tweetbot_operator.client.errors import Rejected, Unavailable
from tweetbot_operator.settings import OperatorSettings

ONE = OperatorSettings(max_active_runs=1)


async def put(stage: Stage, *names: str, namespace: str = NAMESPACE) -> None:
    for name in names:
        manifest = a_manifest()
        manifest["metadata"] = {**manifest["metadata"], "name": name, "namespace": namespace, "uid": f"uid-{name}"}
        stage.cluster.put("tweetbots", manifest)
    await stage.settle()


def phases(stage: Stage, *names: str, namespace: str = NAMESPACE) -> list[str]:
    return [stage.cluster.status_of(namespace, name).phase for name in names]


async def test_a_run_that_must_wait_is_queued_in_its_first_status() -> None:
    stage = Stage(ONE)
    await put(stage, "gull", "tern")
    assert phases(stage, "gull", "tern") == ["Preparing", "Queued"]
    assert [write for write in stage.cluster.writes if "tern" in write] == ["status tern Queued"]
    ready = stage.cluster.status_of(NAMESPACE, "tern").find_condition("Ready")
    assert ready
    assert (ready.status, ready.reason) == ("True", "Queued")
    assert "The limit of active runs is 1" in ready.message


async def test_nothing_is_written_while_it_waits() -> None:
    stage = Stage(ONE)
    await put(stage, "gull", "tern", "skua")
    before = list(stage.cluster.writes)
    stage.start_operator()
    await stage.wait(5)
    assert stage.cluster.writes == before


async def test_a_run_begins_when_the_one_before_it_has_ended() -> None:
    stage = Stage(ONE)
    await put(stage, "gull", "tern")
    await stage.whole_run()
    assert phases(stage, "gull", "tern") == ["Succeeded", "Preparing"]
    assert [write for write in stage.cluster.writes if "tern" in write][-1] == "status tern Preparing"


async def test_a_run_that_cannot_start_lets_the_others_go_first() -> None:
    stage = Stage(ONE)
    await put(stage, "gull", "skua", "tern")
    await stage.end_stage(a_prepare_result())
    stage.cluster.faults["create_job"] = [Unavailable("503")]
    await stage.end_stage(a_train_result())
    assert phases(stage, "gull", "skua", "tern") == ["Succeeded", "Queued", "Preparing"]


async def test_a_restart_does_not_change_the_order() -> None:
    stage = Stage(ONE)
    await put(stage, "gull", "tern")
    stage.time = stage.time.replace(minute=1)
    await put(stage, "auk")
    stage.start_operator()
    await stage.settle()
    await stage.whole_run()
    assert phases(stage, "gull", "tern", "auk") == ["Succeeded", "Preparing", "Queued"]


async def test_a_run_whose_job_is_refused_lets_the_next_begin() -> None:
    stage = Stage(ONE)
    await put(stage, "gull")
    stage.time = stage.time.replace(minute=1)
    await put(stage, "tern")
    stage.time = stage.time.replace(minute=2)
    await put(stage, "skua")
    await stage.end_stage(a_prepare_result())
    stage.cluster.end_pod(stage.job_name, NAMESPACE, 0, encode(a_train_result()).decode())
    stage.cluster.faults["create_job"] = [Rejected("exceeded quota")]
    stage.cluster.end_job(stage.job_name, NAMESPACE, "Complete")
    await stage.settle()
    assert phases(stage, "gull", "skua") == ["Succeeded", "Preparing"]
    refused = stage.cluster.status_of(NAMESPACE, "tern").find_condition("Stalled")
    assert refused
    assert refused.reason == "JobRefused"


def stage_job(stage: Stage, name: str) -> str:
    return next(job for job in stage.cluster.names("jobs") if job.startswith(f"{name}-"))


async def test_a_suspended_run_gives_up_its_place() -> None:
    stage = Stage(ONE)
    await put(stage, "gull", "skua")
    stage.time = stage.time.replace(minute=1)
    await put(stage, "tern")
    stage.cluster.edit(NAMESPACE, "skua", suspend=True)
    await stage.settle()
    await stage.whole_run()
    assert phases(stage, "skua", "tern") == ["Suspended", "Preparing"]


async def test_one_tenant_leaves_room_for_the_next() -> None:
    stage = Stage(OperatorSettings(max_active_runs_per_namespace=1))
    await put(stage, "gull", "tern")
    await put(stage, "auk", namespace="team-b")
    assert phases(stage, "gull", "tern") == ["Preparing", "Queued"]
    assert phases(stage, "auk", namespace="team-b") == ["Preparing"]


async def test_jobs_are_created_at_the_rate_limit_and_no_status_mentions_it() -> None:
    stage = Stage(OperatorSettings(job_creations_per_second=0.5))
    await put(stage, "gull", "tern", "skua")
    assert len(stage.cluster.names("jobs")) == 1
    writes = len(stage.cluster.writes)
    await stage.wait(2)
    await stage.wait(2)
    assert len(stage.cluster.names("jobs")) == 3
    assert stage.cluster.writes[writes:] == [f"create job {stage_job(stage, name)}" for name in ("tern", "skua")]
