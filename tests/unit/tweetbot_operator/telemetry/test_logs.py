"""The operator's log: one JSON object per line, with the run concerned."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from builders.operator import a_prepare_result
from harness.stage_operator import NAMESPACE, Stage
from tweetbot_operator.client.errors import Rejected
from tweetbot_operator.telemetry.logs import JsonFormatter, open_log_context, with_fields


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """What the operator writes, at every level."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("tweetbot_operator")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield written
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


async def test_every_line_of_a_pass_names_its_run(lines: StringIO) -> None:
    stage = Stage()
    stage.cluster.faults["create_event"] = [Rejected("a quota")]
    with open_log_context(namespace=NAMESPACE, name="gull"):
        await stage.apply()
        first = stage.run.id
        stage.cluster.edit(NAMESPACE, "gull", training={"seed": 7})
        await stage.settle()
        await stage.collect_garbage()
        second = stage.run.id
        await stage.end_stage(a_prepare_result())
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert {(line["namespace"], line["name"]) for line in logged} == {(NAMESPACE, "gull")}
    assert [line["run"] for line in logged if line["message"] == "job created"] == [first, second, second]
    assert [line["run"] for line in logged if line["message"] == "job deleted"] == [first]
    assert [line["run"] for line in logged if line["message"] == "event not written"] == [first]
    assert {line["run"] for line in logged if line["logger"].endswith("events")} == {first, second}
    assert logged[0]["run"] == first


def test_a_line_break_in_a_message_begins_no_second_line(lines: StringIO) -> None:
    logging.getLogger("tweetbot_operator").warning("one\ntwo", extra=with_fields(fault="three\nfour", run=None))
    (line,) = lines.getvalue().splitlines()
    assert (json.loads(line)["message"], json.loads(line)["fault"]) == ("one\ntwo", "three\nfour")
    assert "run" not in json.loads(line)
