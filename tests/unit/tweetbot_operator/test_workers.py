"""Workers: a fault of one TweetBot's pass stops nothing and is tried again."""

import asyncio
import json
import logging

import pytest

from builders import a_manifest
from stage_operator import NAME, NAMESPACE, Stage
from tweetbot_operator.errors import ClusterBusy
from tweetbot_operator.logs import JsonFormatter, subject
from tweetbot_operator.workers import Workers


async def until_idle(stage: Stage) -> None:
    for _ in range(200):
        await asyncio.sleep(0)
        if not len(stage.queue):
            return


async def test_a_bug_in_one_pass_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    workers = Workers(stage.queue, stage.reconciler, 2, stage.now)
    stage.cluster.faults["apply_status"] = [KeyError("a bug of ours")]  # type: ignore[list-item]
    with caplog.at_level(logging.WARNING):
        workers.start()
        stage.cluster.put("tweetbots", a_manifest())
        await until_idle(stage)
        await workers.drain(1)
    assert "pass failed by a fault of ours" in caplog.messages
    assert stage.cluster.writes == []
    await stage.wait(1)
    assert stage.status.phase == "Preparing"


async def test_a_busy_cluster_is_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    workers = Workers(stage.queue, stage.reconciler, 1, stage.now)
    stage.cluster.faults["apply_status"] = [ClusterBusy("503")]
    with caplog.at_level(logging.WARNING):
        workers.start()
        stage.cluster.put("tweetbots", a_manifest())
        await until_idle(stage)
        await workers.drain(1)
    assert [record.exc_info for record in caplog.records] == [None]


async def test_a_pass_in_flight_is_let_end(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    gate = asyncio.Event()
    create = stage.cluster.create_job

    async def slow(manifest):  # type: ignore[no-untyped-def]
        await gate.wait()
        return await create(manifest)

    stage.cluster.create_job = slow  # type: ignore[method-assign]
    workers = Workers(stage.queue, stage.reconciler, 1, stage.now)
    workers.start()
    stage.cluster.put("tweetbots", a_manifest())
    await until_idle(stage)
    draining = asyncio.create_task(workers.drain(5))
    await asyncio.sleep(0)
    gate.set()
    await draining
    assert len(stage.cluster.names("jobs")) == 1


async def test_a_deadline_wakes_the_bot() -> None:
    stage = Stage()
    workers = Workers(stage.queue, stage.reconciler, 1, stage.now)
    workers.start()
    await stage.apply()
    await until_idle(stage)
    await workers.drain(1)
    stage.time = stage.time.replace(minute=10)
    taken = stage.queue.next()
    assert taken is not None
    assert taken[0] == (NAMESPACE, NAME)


def test_a_line_is_json_with_its_subject() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "two\nlines", (), None)
    record.fields = {"job": "gull-1"}
    with subject(namespace="team-a", name="gull"):
        text = JsonFormatter().format(record)
    line = json.loads(text)
    assert "\n" not in text
    assert (line["namespace"], line["name"], line["job"], line["level"]) == ("team-a", "gull", "gull-1", "info")
