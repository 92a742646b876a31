"""Workers: a fault of one TweetBot's pass stops nothing and is tried again."""

import asyncio
import json
import logging

import pytest

from builders.manifests import a_manifest
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_operator.client.errors import NotLeader, Unavailable
from tweetbot_operator.reconciler.workers import Workers
from tweetbot_operator.telemetry.logs import JsonFormatter, open_log_context


def leading() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def until_idle(stage: Stage) -> None:
    for _ in range(200):
        await asyncio.sleep(0)
        if not len(stage.queue):
            return


async def test_a_bug_in_one_pass_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    workers = Workers(stage.queue, stage.reconciler, 2, leading=leading())
    stage.cluster.faults["apply_status"] = [KeyError("a bug of ours")]  # type: ignore[list-item]
    with caplog.at_level(logging.WARNING):
        workers.start()
        stage.cluster.put("tweetbots", a_manifest())
        await until_idle(stage)
        await workers.drain(1)
    assert "pass failed by a bug" in caplog.messages
    assert stage.cluster.writes == []
    await stage.wait(1)
    assert stage.status.phase == "Preparing"


async def test_an_unavailable_cluster_logs_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    workers = Workers(stage.queue, stage.reconciler, 1, leading=leading())
    stage.cluster.faults["apply_status"] = [Unavailable("503")]
    with caplog.at_level(logging.WARNING):
        workers.start()
        stage.cluster.put("tweetbots", a_manifest())
        await until_idle(stage)
        await workers.drain(1)
    assert [record.exc_info for record in caplog.records] == [None]


async def test_a_pass_in_flight_may_end_before_the_drain(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    gate = asyncio.Event()
    create = stage.cluster.create_job

    async def slow(manifest):  # type: ignore[no-untyped-def]
        await gate.wait()
        return await create(manifest)

    stage.cluster.create_job = slow  # type: ignore[method-assign]
    workers = Workers(stage.queue, stage.reconciler, 1, leading=leading())
    workers.start()
    stage.cluster.put("tweetbots", a_manifest())
    await until_idle(stage)
    draining = asyncio.create_task(workers.drain(86400))  # a day is not waited for: its end is
    await asyncio.sleep(0)
    late = {**a_manifest(), "metadata": {"name": "late", "namespace": NAMESPACE, "uid": "uid-late"}}
    stage.cluster.put("tweetbots", late)
    gate.set()
    await draining
    assert len(stage.cluster.names("jobs")) == 1


async def test_a_standby_makes_no_pass_and_forgets_nothing() -> None:
    stage, may = Stage(), asyncio.Event()
    workers = Workers(stage.queue, stage.reconciler, 2, leading=may)
    workers.start()
    stage.cluster.put("tweetbots", a_manifest())
    for _ in range(20):
        await asyncio.sleep(0)
    assert stage.cluster.writes == []
    may.set()
    await until_idle(stage)
    await workers.drain(1)
    assert stage.status.phase == "Preparing"


async def test_a_worker_that_waits_while_the_lease_is_lost_makes_no_pass() -> None:
    stage, may = Stage(), leading()
    workers = Workers(stage.queue, stage.reconciler, 1, leading=may)
    workers.start()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    may.clear()
    stage.cluster.put("tweetbots", a_manifest())
    for _ in range(20):
        await asyncio.sleep(0)
    assert stage.cluster.writes == []
    assert len(stage.queue) == 1
    await workers.drain(1)


async def test_a_pass_that_loses_the_lease_is_made_again_without_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage()
    workers = Workers(stage.queue, stage.reconciler, 1, leading=leading())
    stage.cluster.faults["apply_status"] = [NotLeader("the lease is not ours")]
    workers.start()
    stage.cluster.put("tweetbots", a_manifest())
    await until_idle(stage)
    await workers.drain(1)
    assert caplog.messages == []
    await stage.wait(1)
    assert stage.status.phase == "Preparing"


async def test_passes_that_never_wait_let_other_tasks_run() -> None:
    stage = Stage()
    await stage.apply()
    for number in range(50):
        stage.queue.add((NAMESPACE, f"gone-{number}"))
    workers = Workers(stage.queue, stage.reconciler, 1, leading=leading())
    workers.start()
    for _ in range(10):
        await asyncio.sleep(0)
    assert 0 < len(stage.queue) < 50
    await workers.drain(1)


async def test_a_deadline_requeues_the_bot() -> None:
    stage = Stage()
    workers = Workers(stage.queue, stage.reconciler, 1, leading=leading())
    workers.start()
    await stage.apply()
    await until_idle(stage)
    await workers.drain(1)
    stage.time = stage.time.replace(minute=10)
    taken = stage.queue.pop_ready()
    assert taken is not None
    assert taken[0] == (NAMESPACE, NAME)


def test_a_line_is_json_with_its_subject() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "two\nlines", (), None)
    record.fields = {"job": "gull-1"}
    with open_log_context(namespace="team-a", name="gull"):
        text = JsonFormatter().format(record)
    line = json.loads(text)
    assert "\n" not in text
    assert (line["namespace"], line["name"], line["job"], line["level"]) == ("team-a", "gull", "gull-1", "info")
