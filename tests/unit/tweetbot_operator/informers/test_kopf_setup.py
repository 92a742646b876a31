"""kopf is an event source: nothing that makes it write is left on."""

import functools
import itertools
import logging
from collections.abc import Callable
from typing import Any

import kopf
import pytest

from builders.manifests import a_manifest
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_operator.client.interface import KINDS
from tweetbot_operator.informers import kopf_setup, watches


@pytest.fixture
def settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    kopf_setup.configure(settings)
    return settings


def test_nothing_can_be_stored_on_an_object(settings: kopf.OperatorSettings) -> None:
    patch = kopf.Patch()
    body = kopf.Body(a_manifest())  # type: ignore[arg-type]
    storages = settings.persistence
    storages.diffbase_storage.store(body=body, patch=patch, essence=storages.diffbase_storage.build(body=body))
    storages.progress_storage.store(key="k", record={}, body=body, patch=patch)  # type: ignore[arg-type]
    storages.progress_storage.touch(body=body, patch=patch, value="now")
    storages.progress_storage.purge(key="k", body=body, patch=patch)  # type: ignore[arg-type]
    assert patch == {}
    assert storages.diffbase_storage.fetch(body=body) is None
    assert storages.progress_storage.fetch(key="k", body=body) is None  # type: ignore[arg-type]


def test_only_our_jobs_and_pods_cross_the_wire(settings: kopf.OperatorSettings) -> None:
    selectors = settings.watching.label_selectors
    for resource in (("batch", "v1", "jobs"), ("", "v1", "pods")):
        assert selectors[resource] == "app.kubernetes.io/managed-by=tweetbot-operator"


def test_it_looks_for_no_namespaces_and_posts_no_events(settings: kopf.OperatorSettings) -> None:
    assert settings.scanning.disabled
    assert not settings.posting.enabled
    assert settings.peering.standalone


def test_an_outage_of_hours_is_survived_with_pauses_of_at_most_half_a_minute() -> None:
    pauses = list(itertools.islice(kopf_setup.UnboundedBackoff(), 1000))
    assert len(pauses) == 1000
    assert all(0 < pause <= 30 for pause in pauses)
    assert sum(pauses[100:]) > 900 * 15


async def test_kopf_keeps_nothing_of_the_objects_that_it_shows() -> None:
    memories = kopf_setup.NoMemories()
    first, second = [await memories.recall(a_manifest(), memobase=kopf.Memo()) for _ in range(2)]
    assert first is not second
    assert list(memories.iter_all_memories()) == []


def test_there_are_event_handlers_and_no_other() -> None:
    registry = kopf.OperatorRegistry()
    watches.register(registry, Stage().event_handler)
    assert len(list(registry._watching.get_all_handlers())) == 3
    for kind in (registry._changing, registry._spawning, registry._indexing):
        assert list(kind.get_all_handlers()) == []


async def test_what_the_watch_shows_reaches_cache_and_queue(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    registry = kopf.OperatorRegistry()
    watches.register(registry, stage.event_handler)
    on_bot: Any = next(iter(registry._watching.get_all_handlers())).fn
    manifest = a_manifest()
    manifest["metadata"]["resourceVersion"] = "7"
    with caplog.at_level(logging.WARNING):
        await on_bot(event={"type": None, "object": manifest})
        assert stage.cache.get_bot((NAMESPACE, NAME)) is not None
        await on_bot(event={"type": "DELETED", "object": manifest})
    assert stage.cache.get_bot((NAMESPACE, NAME)) is None
    assert len(stage.queue) == 1


async def test_every_kind_of_event_is_taken() -> None:
    stage = Stage()
    await stage.apply()
    stage.cluster.run_pod(stage.job_name, NAMESPACE)
    registry = kopf.OperatorRegistry()
    watches.register(registry, stage.event_handler)
    handlers: list[Any] = [handler.fn for handler in registry._watching.get_all_handlers()]
    stored = [next(item for (of, *_), item in stage.cluster.objects.items() if of == kind) for kind in KINDS]
    await stage.settle()
    for handle, manifest in zip(handlers, stored, strict=True):
        for version, verb in enumerate(("ADDED", "MODIFIED", "MODIFIED"), 100):
            shown = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": str(version)}}
            await handle(event={"type": verb, "object": shown})
    known: list[Any] = [*stage.cache.bots.list_all(), *stage.cache.jobs.list_all(), *stage.cache.pods.list_all()]
    assert [item.resource_version for item in known] == ["102"] * len(KINDS)


async def test_what_the_answer_to_a_write_brought_is_not_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    await stage.apply()
    parsed: list[str] = []
    for kind, name in (("bot", "parse_cached_bot"), ("job", "parse_job")):
        monkeypatch.setattr(watches, name, functools.partial(_note_and_parse, parsed, kind, getattr(watches, name)))
    registry = kopf.OperatorRegistry()
    watches.register(registry, stage.event_handler)
    handlers: list[Any] = [handler.fn for handler in registry._watching.get_all_handlers()]
    on_bot, on_job, _ = handlers
    shown = {kind: item for (kind, *_), item in stage.cluster.objects.items()}
    await on_bot(event={"type": "MODIFIED", "object": shown["tweetbots"]})
    await on_job(event={"type": "ADDED", "object": shown["jobs"]})
    assert (parsed, len(stage.queue)) == ([], 0)
    newer = {**shown["jobs"], "metadata": {**shown["jobs"]["metadata"], "resourceVersion": "99"}}
    await on_job(event={"type": "MODIFIED", "object": newer})
    assert parsed == ["job"]


def _note_and_parse(parsed: list[str], kind: str, parse: Callable[[Any], Any], manifest: Any) -> Any:
    parsed.append(kind)
    return parse(manifest)
