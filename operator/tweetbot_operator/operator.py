"""The parts put together: health first, then the caches, the workers, and the watches until we are told to end."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import kopf
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from tweetbot_operator import handlers, kopf_setup
from tweetbot_operator.api_requests import ApiRequests
from tweetbot_operator.cache import Cache
from tweetbot_operator.errors import ApiFault, Missing
from tweetbot_operator.health import Health
from tweetbot_operator.intake import Intake
from tweetbot_operator.kubernetes_cluster import KubernetesCluster
from tweetbot_operator.logs import about
from tweetbot_operator.queue import KeyedQueue
from tweetbot_operator.reconcile import Reconciler
from tweetbot_operator.recorder import Recorder
from tweetbot_operator.resync import Resync
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.workers import Workers

LOG = logging.getLogger(__name__)
_LONGEST_PAUSE = 30.0
#: Seconds for Events that are not posted yet when we are told to end.
_LAST_WORDS = 2.0


class CannotStart(Exception):
    """Whoever runs the operator must change something; the message says what."""


async def operate(settings: OperatorSettings, stop: asyncio.Event) -> None:
    """Run until `stop` is set. Raises CannotStart, or what ended the watches."""
    cache, queue = Cache(), KeyedQueue(time.monotonic)
    intake = Intake(cache, queue)
    async with _client() as client:
        cluster = KubernetesCluster(ApiRequests(client, settings.request_timeout_seconds), settings.namespaces)
        reconciler = Reconciler(cluster, cache, settings, _now)
        resync = Resync(cluster, intake, settings.resync_seconds)
        watching = asyncio.Event()
        health = Health(alive=lambda: resync.fresh or not watching.is_set(), ready=watching.is_set)
        await _listen(health, settings)
        workers = Workers(queue, reconciler, settings.workers, _now)
        side = [asyncio.create_task(reconciler.recorder.run())]
        try:
            await _until_answered(resync.prime, stop)
            workers.start()
            side.append(asyncio.create_task(resync.run()))
            await _watch(intake, settings, stop, watching)
        finally:
            await workers.drain(settings.drain_seconds)
            for task in side:
                task.cancel()
            await asyncio.gather(*side, return_exceptions=True)
            await _say_the_rest(reconciler.recorder)
            await health.stop()
    LOG.info("stopped")


def _now() -> datetime:
    return datetime.now(UTC)


@contextlib.asynccontextmanager
async def _client() -> AsyncIterator[ApiClient]:
    """Yield a client of the cluster that we run in, else of KUBECONFIG's."""
    configuration = Configuration()
    try:
        if "KUBERNETES_SERVICE_HOST" in os.environ:
            config.load_incluster_config(client_configuration=configuration)
        else:
            await config.load_kube_config(client_configuration=configuration)
    except config.ConfigException as fault:
        raise CannotStart(f"no cluster: set KUBECONFIG, or run in a Pod with a service account ({fault})") from None
    client = ApiClient(configuration)
    try:
        yield client
    finally:
        await client.close()


async def _listen(health: Health, settings: OperatorSettings) -> None:
    try:
        await health.start(settings.http_host, settings.http_port)
    except OSError as fault:
        raise CannotStart(f"TWEETBOT_HTTP_PORT: cannot listen on {settings.http_port}: {fault.strerror}") from None


async def _until_answered(ask: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Ask until the API server answers; an outage at our start must not become a crash loop. Raises CannotStart."""
    pause = 1.0
    while not stop.is_set():
        try:
            await ask()
        except Missing:
            raise CannotStart("the cluster does not know TweetBots: kubectl apply -f crds/ first") from None
        except ApiFault as fault:
            LOG.warning("the API server does not answer", extra=about(fault=str(fault), seconds=pause))
        else:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


async def _say_the_rest(recorder: Recorder) -> None:
    """Events are worth a moment of our end, not all of the Pod's grace."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LAST_WORDS):
            await recorder.flush()


async def _watch(intake: Intake, settings: OperatorSettings, stop: asyncio.Event, watching: asyncio.Event) -> None:
    if stop.is_set():
        return
    registry, kopf_settings = kopf.OperatorRegistry(), kopf.OperatorSettings()
    kopf_setup.configure(kopf_settings)
    kopf_setup.login(registry)
    handlers.register(registry, intake)

    @kopf.on.cleanup(registry=registry)
    async def stopping(**_: Any) -> None:
        stop.set()  # kopf has taken the signal; its own waiter for this flag would else hang for 5 s

    LOG.info("started", extra=about(workers=settings.workers, namespaces=",".join(settings.namespaces) or "all"))
    await kopf.operator(
        registry=registry,
        settings=kopf_settings,
        standalone=True,
        clusterwide=not settings.namespaces,
        namespaces=settings.namespaces,
        stop_flag=stop,
        ready_flag=watching,
    )
