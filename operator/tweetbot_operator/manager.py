"""The parts put together: health first, then the caches, the workers, and the watches until we are told to end."""

import asyncio
import contextlib
import logging
import os
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from tweetbot_operator.client.cluster import KubernetesCluster
from tweetbot_operator.client.leader_election import Elector, Leadership, Terms, Unopposed
from tweetbot_operator.client.lease import KubernetesLease
from tweetbot_operator.client.requests import ApiRequests
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.informers.handlers import Intake
from tweetbot_operator.informers.resync import Resync
from tweetbot_operator.informers.watches import CannotStart, Watches
from tweetbot_operator.informers.workqueue import KeyedQueue
from tweetbot_operator.progress.endpoint import CannotServe, ProgressEndpoint
from tweetbot_operator.progress.store import ProgressBoard
from tweetbot_operator.reconciler.concurrency import Limits, Turnstile
from tweetbot_operator.reconciler.event_recorder import Recorder
from tweetbot_operator.reconciler.rate_limiter import Pace
from tweetbot_operator.reconciler.reconciler import Reconciler
from tweetbot_operator.reconciler.workers import Workers
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.telemetry.health import Health
from tweetbot_operator.telemetry.run_metrics import Census

LOG = logging.getLogger(__name__)
#: Seconds for Events that are not posted yet when we are told to end.
_LAST_WORDS = 2.0
#: Workers that one namespace leaves to the others, even if every request for its TweetBots hangs.
_SPARE = 2
_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


async def operate(settings: OperatorSettings, stop: asyncio.Event) -> None:
    """Run until `stop` is set. Raises CannotStart."""
    cache, queue = Cache(), KeyedQueue(time.monotonic, most_in_flight=max(settings.workers - _SPARE, 1))
    intake = Intake(cache, queue)
    async with _client() as client:
        leadership = _leadership(client, settings, lambda leads: _show(reconciler.census, board, leads))
        api = ApiRequests(client, settings.request_timeout_seconds, leadership.time_to_act)
        cluster = KubernetesCluster(api, settings.namespaces, settings.kueue_version)
        board = ProgressBoard(queue.add)
        unhindered = ApiRequests(client, settings.request_timeout_seconds)  # a standby may ask about tokens, too
        progress = ProgressEndpoint(settings, cache, board, unhindered)
        row = Turnstile(cache, Limits.of(settings), queue.add)
        pace = Pace(settings.job_creations_per_second, time.monotonic)
        reconciler = Reconciler(cluster, cache, settings, _now, board=board, row=row, pace=pace, looks=queue.looked_at)
        resync = Resync(cluster, intake, settings)
        watches = Watches(intake, resync, settings)
        health = Health(alive=lambda: resync.fresh or not watches.began.is_set(), ready=watches.began.is_set)
        await _listen(health, settings)
        await _take_progress(progress, leadership)
        workers = Workers(queue, reconciler, settings.workers, _now, leading=leadership.leading)
        side = [
            asyncio.create_task(reconciler.recorder.run(lambda: len(queue) > 0)),
            asyncio.create_task(progress.run()),
        ]
        try:
            await watches.prime(stop)
            workers.start()
            side += [asyncio.create_task(leadership.run()), asyncio.create_task(resync.run())]
            await watches.run(stop)
        finally:
            await workers.drain(settings.drain_seconds)
            await _say_the_rest(reconciler.recorder)
            for task in side:
                task.cancel()
            await asyncio.gather(*side, return_exceptions=True)
            await leadership.release()
            await progress.stop()
            await health.stop()
    LOG.info("stopped")


def _show(census: Census, board: ProgressBoard, leads: bool) -> None:
    """Show figures of TweetBots while this replica makes the passes, and none while another one does."""
    census.show(leads)
    if not leads:
        board.clear()


def _leadership(client: ApiClient, settings: OperatorSettings, tell: Callable[[bool], None]) -> Leadership:
    """Return the election that the settings ask for, or none where no namespace for the Lease is known."""
    namespace = settings.lease_namespace or _own_namespace()
    if not (settings.lease_seconds and namespace):
        LOG.info("no election: this must be the only operator of its namespaces")
        return Unopposed()
    terms = Terms(
        identity=f"{socket.gethostname()}_{uuid.uuid4().hex[:12]}",  # after a restart, another one
        lease=settings.lease_seconds,
        renew=settings.lease_renew_seconds,
        retry=settings.lease_retry_seconds,
        address=settings.progress_authority,
    )
    api = ApiRequests(client, settings.request_timeout_seconds)  # the one that no lease holds back
    return Elector(KubernetesLease(api, namespace, settings.lease_name), terms, time.monotonic, _now, tell=tell)


def _own_namespace() -> str:
    """Return the namespace of the Pod that we run in; outside of a Pod there is none."""
    try:
        return _NAMESPACE_FILE.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _now() -> datetime:
    return datetime.now(UTC)


@contextlib.asynccontextmanager
async def _client() -> AsyncIterator[ApiClient]:
    """Yield a client of the cluster that we run in, else of KUBECONFIG's."""
    configuration = Configuration()
    # Else aiohttp looks for a netrc file before each request, on a thread; and kopf's watches know no proxies either.
    configuration.client_session_kwargs = {"trust_env": False}
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


async def _take_progress(progress: ProgressEndpoint, leadership: Leadership) -> None:
    try:
        await progress.start(leadership)
    except CannotServe as fault:
        raise CannotStart(str(fault)) from None


async def _say_the_rest(recorder: Recorder) -> None:
    """Events are worth a moment of our end, not all of the Pod's grace."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LAST_WORDS):
            await recorder.flush()
