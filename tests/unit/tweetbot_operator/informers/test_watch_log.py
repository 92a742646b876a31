"""kopf's own watching, with what it logs when a watch is opened again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import kopf
import pytest
from kopf._cogs.clients import api, fetching, watching
from kopf._cogs.structs.references import Resource
from prometheus_client import REGISTRY

from tweetbot_operator.informers.watches import count_restart, listen_to_watches

JOBS = Resource("batch", "v1", "jobs")
RELISTED: list[int] = []


@pytest.fixture
def listening() -> Iterator[None]:
    """Listen for the time of a test."""
    RELISTED.clear()
    with listen_to_watches(lambda: RELISTED.append(1)):
        yield


def restarts(cause: str) -> float:
    labels = {"resource": "jobs", "cause": cause}
    return REGISTRY.get_sample_value("tweetbot_watch_restarts_total", labels) or 0.0


async def watched(settings: kopf.OperatorSettings) -> list[Any]:
    """Watch Jobs in kopf's way until it gives up the resource version."""
    waiter: asyncio.Future[Any] = asyncio.Future()
    stream = watching.continuous_watch(settings=settings, resource=JOBS, namespace=None, operator_pause_waiter=waiter)
    return [event async for event in stream]


async def an_empty_list(**_: Any) -> AsyncIterator[tuple[list[Any], str]]:
    yield [], "1"


async def gone(**_: Any) -> AsyncIterator[Any]:
    yield {"type": "ERROR", "object": {"code": 410}}


async def test_a_version_that_is_too_old_counts(
    listening: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fetching, "fetch_objs", an_empty_list)
    monkeypatch.setattr(api, "stream", gone)
    before = restarts("Expired")
    await watched(kopf.OperatorSettings())
    assert (restarts("Expired"), len(RELISTED)) == (before + 1, 1)
    assert caplog.text == ""


async def test_a_stream_that_falls_silent_counts(listening: None, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(**_: Any) -> AsyncIterator[Any]:
        if calls:
            yield {"type": "ERROR", "object": {"code": 410}}
        calls.append(1)
        await asyncio.Event().wait()

    calls: list[int] = []
    settings = kopf.OperatorSettings()
    settings.watching.inactivity_timeout = 0.01
    monkeypatch.setattr(fetching, "fetch_objs", an_empty_list)
    monkeypatch.setattr(api, "stream", silent)
    before = restarts("Silent")
    await watched(settings)
    assert (restarts("Silent"), len(RELISTED)) == (before + 1, 1)  # the 410 at the end was one, the silence none


def test_warnings_pass() -> None:
    record = logging.LogRecord("kopf", logging.WARNING, "", 0, "Ignoring an unsupported event type", (), None)
    assert count_restart(record, lambda: None)
