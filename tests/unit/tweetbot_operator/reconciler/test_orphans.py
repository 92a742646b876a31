"""Jobs whose TweetBot is gone: whose they were is told, and they end by a rule, or for the TweetBot made again."""

import asyncio
from copy import deepcopy
from typing import Any

import pytest
from prometheus_client import REGISTRY

from builders.manifests import a_manifest
from builders.operator import a_prepare_result
from harness.stage_operator import NAMESPACE, Stage
from tweetbot_operator.client.errors import NotFound
from tweetbot_operator.reconciler.orphans import OrphanCollector


@pytest.fixture
async def training(stage: Stage) -> Stage:
    """A TweetBot whose training runs."""
    await stage.apply()
    await stage.end_stage(a_prepare_result())
    stage.cluster.run_pod(stage.job_name, NAMESPACE)
    await stage.settle()
    return stage


@pytest.fixture
def collector(training: Stage) -> OrphanCollector:
    return a_collector(training)


def a_collector(stage: Stage) -> OrphanCollector:
    leading = asyncio.Event()
    return OrphanCollector(stage.cluster, stage.cache, stage.reconciler.recorder, stage.now, leading=leading)


def orphan(stage: Stage) -> str:
    """Delete the TweetBot as `kubectl delete --cascade=orphan` does; returns the training's Job."""
    name = stage.job_name
    for job in stage.cluster.names("jobs"):
        found = deepcopy(stage.cluster.objects["jobs", NAMESPACE, job])
        found["metadata"].pop("ownerReferences")
        stage.cluster.put("jobs", found)
    stage.cluster.remove("tweetbots", NAMESPACE, "gull")
    return name


async def look(stage: Stage, collector: OrphanCollector, seconds: float) -> None:
    """Let time pass, and the operator look for orphans every quarter of a minute."""
    for _ in range(int(seconds // 15)):
        await stage.wait(15)
        await collector.collect()
        await stage.settle()


def is_ending(stage: Stage, job: str) -> bool:
    found = stage.cluster.objects.get(("jobs", NAMESPACE, job))
    return found is None or "deletionTimestamp" in found["metadata"]


def told(stage: Stage) -> list[dict[str, Any]]:
    return [event for event in stage.cluster.events if event["reason"] == "Orphaned"]


async def test_an_event_of_the_job_says_whose_it_was_and_what_happens(
    training: Stage, collector: OrphanCollector
) -> None:
    job = orphan(training)
    await look(training, collector, 300)
    (event,) = told(training)
    assert (event["involvedObject"]["kind"], event["involvedObject"]["name"], event["type"]) == ("Job", job, "Warning")
    assert "TweetBot team-a/gull (uid uid-gull)" in event["message"]
    assert "deleted at 12:10 UTC" in event["message"]
    assert REGISTRY.get_sample_value("tweetbot_orphaned_jobs") == 1
    assert not is_ending(training, job)


async def test_a_training_of_a_tweetbot_that_stays_gone_ends(training: Stage, collector: OrphanCollector) -> None:
    job = orphan(training)
    await look(training, collector, 600)
    assert not is_ending(training, job)
    await look(training, collector, 30)
    assert is_ending(training, job)
    await training.collect_garbage()
    await look(training, collector, 15)
    assert REGISTRY.get_sample_value("tweetbot_orphaned_jobs") == 0


async def test_a_tweetbot_made_again_gets_its_run_back(training: Stage, collector: OrphanCollector) -> None:
    """Its Jobs have the names of the orphans, as the spec is the same: these end, and its own take their place."""
    orphan(training)
    again = a_manifest()
    training.cluster.put("tweetbots", {**again, "metadata": {**again["metadata"], "uid": "uid-again"}})
    await training.settle()
    assert training.reason() == "WaitingForPreviousPod"
    await look(training, collector, 75)
    await training.collect_garbage()
    await training.wait(60)
    (job,) = (training.cluster.objects["jobs", NAMESPACE, name] for name in training.cluster.names("jobs"))
    assert job["metadata"]["labels"]["tweetbot.dev/bot-uid"] == "uid-again"
    assert training.reason() == "Preparing"


async def test_a_tweetbot_made_again_with_another_spec_does_not_train_beside_the_orphan(
    training: Stage, collector: OrphanCollector
) -> None:
    job = orphan(training)
    again = a_manifest(training={"epochs": 2})
    training.cluster.put("tweetbots", {**again, "metadata": {**again["metadata"], "uid": "uid-again"}})
    await look(training, collector, 90)
    assert is_ending(training, job)


async def test_what_the_garbage_collector_does_not_end_ends_too(training: Stage, collector: OrphanCollector) -> None:
    """Its owner reference points to a uid that no longer exists."""
    job = training.job_name
    training.cluster.remove("tweetbots", NAMESPACE, "gull")
    await look(training, collector, 45)
    assert told(training) == []  # the collector takes seconds, and that is nobody's trouble
    await look(training, collector, 645)
    assert is_ending(training, job)


async def test_a_tweetbot_that_only_the_cache_has_lost_keeps_its_job(
    training: Stage, collector: OrphanCollector
) -> None:
    job = training.job_name
    training.cache.bots.delete("uid-gull", 0)
    await look(training, collector, 900)
    assert not is_ending(training, job)


async def test_nothing_ends_while_the_crd_is_gone(training: Stage, collector: OrphanCollector) -> None:
    """Its TweetBots come back with it, from a backup or Git."""
    job = orphan(training)
    training.cluster.faults["traces"] = [NotFound("the server could not find the requested resource")] * 100
    await look(training, collector, 900)
    assert not is_ending(training, job)


async def test_a_finished_orphan_is_left_to_its_time(training: Stage, collector: OrphanCollector) -> None:
    job = orphan(training)
    training.cluster.end_job(job, NAMESPACE, "Complete")
    await look(training, collector, 900)
    assert not is_ending(training, job)
    assert told(training) == []


@pytest.mark.parametrize("change", ["a cleanup", "another controller", "without our label"])
async def test_other_jobs_are_never_touched(training: Stage, collector: OrphanCollector, change: str) -> None:
    job = orphan(training)
    found = deepcopy(training.cluster.objects["jobs", NAMESPACE, job])
    if change == "a cleanup":
        for part in (found, found["spec"]["template"]):
            part["metadata"]["labels"]["tweetbot.dev/stage"] = "cleanup"
    if change == "another controller":
        found["metadata"]["ownerReferences"] = [{"uid": "theirs", "controller": True}]
    if change == "without our label":
        del found["metadata"]["labels"]["app.kubernetes.io/managed-by"]
    training.cluster.put("jobs", found)
    await look(training, collector, 900)
    assert not is_ending(training, job)


async def test_a_restarted_operator_gives_the_whole_time_again(training: Stage, collector: OrphanCollector) -> None:
    job = orphan(training)
    await look(training, collector, 595)
    training.start_operator()
    await look(training, a_collector(training), 300)
    assert not is_ending(training, job)


async def test_the_look_out_survives_a_fault_and_waits_for_the_lease(training: Stage) -> None:
    leading, pauses = asyncio.Event(), list[float]()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise asyncio.CancelledError

    leading.set()
    collector = OrphanCollector(
        training.cluster, training.cache, training.reconciler.recorder, training.now, leading=leading, sleep=sleep
    )
    orphan(training)
    await collector.collect()
    training.time = training.time.replace(hour=13)
    training.cluster.faults["read_tweetbots"] = [NotFound("gull")]
    training.cluster.faults["traces"] = [RuntimeError("bug")]  # type: ignore[list-item]
    with pytest.raises(asyncio.CancelledError):
        await collector.run()
    assert pauses == [15.0] * 3
