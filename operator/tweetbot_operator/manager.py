"""Puts the parts together: starts health, caches, workers and watches, and stops them in order."""

import asyncio
import contextlib
import functools
import logging
import os
import socket
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from tweetbot_operator.client.cluster import KubernetesCluster
from tweetbot_operator.client.errors import Unavailable
from tweetbot_operator.client.events import Recorder
from tweetbot_operator.client.leader_election import (
    RENEW_SHARE,
    RETRY_SHARE,
    LeaderElectionConfig,
    LeaderElector,
    Leadership,
)
from tweetbot_operator.client.lease import LeaseClient
from tweetbot_operator.client.requests import ApiRequests
from tweetbot_operator.client.usage_ledger import UsageLedger
from tweetbot_operator.informers.cache import Cache, EventHandler
from tweetbot_operator.informers.classes import ClassInformer
from tweetbot_operator.informers.resync import Resync
from tweetbot_operator.informers.watches import CannotStart, Watches, stop_on_signals
from tweetbot_operator.informers.workqueue import WorkQueue
from tweetbot_operator.progress.client import PodClient
from tweetbot_operator.progress.poller import ProgressPoller
from tweetbot_operator.progress.store import ProgressStore
from tweetbot_operator.reconciler.limits import ConcurrencyLimiter, ConcurrencyLimits, RateLimiter
from tweetbot_operator.reconciler.orphans import OrphanCollector
from tweetbot_operator.reconciler.reconciler import Reconciler
from tweetbot_operator.reconciler.usage import UsageTracker
from tweetbot_operator.reconciler.workers import Workers
from tweetbot_operator.settings import InvalidSettings, OperatorSettings, load_settings
from tweetbot_operator.telemetry.health import Health
from tweetbot_operator.telemetry.logs import configure_logging, with_fields
from tweetbot_operator.telemetry.metrics import CLOCK_SKEW
from tweetbot_operator.telemetry.run_metrics import RunMetrics
from tweetbot_operator.telemetry.tls import ServerCertificate
from tweetbot_operator.types.times import CLOCK_TOLERANCE_SECONDS, Clock

LOG = logging.getLogger(__name__)
#: Seconds to post the remaining Events after SIGTERM.
_FLUSH_SECONDS = 2.0
#: Seconds for running passes to end after SIGTERM; less than the Pod's default grace period of 30.
DRAIN_SECONDS = 10.0
#: One namespace has at most the workers divided by this: four requests at a time keep an API server of two cores
#: busy, and what more there are only wait in it, before everybody else's. If all of them hang, the others have theirs.
_NAMESPACES_AT_ONCE = 3
#: Seconds before the cluster's uid is asked for again.
_UID_PAUSE = 2.0
_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def run_program() -> int:
    """Run the operator; return its exit code: 0 after SIGTERM, 1 if it cannot go on, 2 for invalid settings."""
    try:
        settings = load_settings(os.environ)
    except InvalidSettings as fault:
        sys.stderr.write(f"tweetbot-operator: {fault}\n")
        return 2
    configure_logging(settings.log_level)
    try:
        asyncio.run(run(settings))
    except CannotStart as fault:
        LOG.error(str(fault))
        return 1
    except Exception:  # any other bug ends the process, with its traceback in the log
        LOG.exception("the operator cannot go on")
        return 1
    return 0


async def run(settings: OperatorSettings) -> None:
    """Run until a signal. Raises CannotStart."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    cache, queue = Cache(), create_work_queue(settings)
    event_handler = EventHandler(cache, queue)
    async with _open_client() as client, PodClient() as pod_client:
        clock, leadership = Clock(_get_current_time), _create_leadership(client, settings)
        api = ApiRequests(client, leadership.get_write_timeout, on_date=functools.partial(note_date, clock))
        cluster = KubernetesCluster(api, settings.namespaces, settings.kueue_version)
        progress_store = ProgressStore(queue.add)
        reconciler = _create_reconciler(cluster, cache, settings, queue, progress_store, clock=clock)
        class_informer = ClassInformer(cluster, cache, queue.add)
        usage = reconciler.know_classes(class_informer.list_classes, queue.add, _create_ledger(api, settings))
        leadership.on_change = functools.partial(_show, reconciler.run_metrics, progress_store, usage)
        resync = Resync(cluster, event_handler)
        watches = Watches(event_handler, resync, settings)
        leadership.on_restore = resync.suspect_restore
        resync.on_restore = functools.partial(_forget, reconciler, progress_store, watches.restart)
        health = await listen(_create_health(resync, watches, settings), settings)
        poller = ProgressPoller(cache, progress_store, pod_client.fetch_report, leadership.leading)
        workers = Workers(queue, reconciler, settings.workers, leading=leadership.leading)
        orphan_collector = OrphanCollector(cluster, cache, reconciler.recorder, clock, leading=leadership.leading)
        tasks = _start(reconciler.recorder.run(lambda: len(queue) > 0), poller.run())
        try:
            await watches.wait_for_cache_sync(stop)
            tasks += _start(class_informer.run(), usage.run(leadership.leading))
            await _wait_for_either(class_informer.synced, stop)
            uid = await get_cluster_uid(cluster, settings, stop)
            reconciler.settings = settings.model_copy(update={"cluster_uid": uid})
            workers.start()
            tasks += _start(leadership.run(), resync.run(), resync.watch_versions(), orphan_collector.run())
            await watches.run(stop)
        finally:
            await workers.drain(DRAIN_SECONDS)
            await _flush(reconciler.recorder, usage, leads=leadership.leading.is_set())
            await _cancel(tasks)
            await leadership.release()
            await health.stop()
    LOG.info("stopped")


def create_work_queue(settings: OperatorSettings) -> WorkQueue:
    """Create a queue of which no namespace takes more than its share of the workers."""
    return WorkQueue(time.monotonic, max_per_namespace=max(settings.workers // _NAMESPACES_AT_ONCE, 1))


def _create_reconciler(
    cluster: KubernetesCluster,
    cache: Cache,
    settings: OperatorSettings,
    queue: WorkQueue,
    store: ProgressStore,
    *,
    clock: Clock,
) -> Reconciler:
    return Reconciler(
        cluster,
        cache,
        settings,
        clock,
        progress_store=store,
        concurrency_limiter=ConcurrencyLimiter(cache, ConcurrencyLimits.from_settings(settings), queue.add),
        rate_limiter=RateLimiter(settings.job_creations_per_second, time.monotonic),
        looks=queue.mark_seen,
    )


def _show(run_metrics: RunMetrics, progress_store: ProgressStore, usage: UsageTracker, leads: bool) -> None:
    """Show metrics of TweetBots only while this replica leads."""
    run_metrics.show(leads)
    usage.forget_ledger()
    if not leads:
        progress_store.clear()


def _start(*loops: Coroutine[Any, Any, None]) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(each) for each in loops]


async def _wait_for_either(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _forget(reconciler: Reconciler, progress_store: ProgressStore, restart_watches: Callable[[], None]) -> None:
    """Forget what was learned from objects that etcd, restored from a backup, does not have in this form."""
    reconciler.forget_diagnostics()
    progress_store.clear()
    restart_watches()


def _create_leadership(client: ApiClient, settings: OperatorSettings) -> Leadership:
    """Return the election that the settings ask for; none without a namespace for the Lease."""
    namespace = settings.lease_namespace or _read_own_namespace()
    if not (settings.lease_seconds and namespace):
        LOG.info("no leader election: this must be the only operator of its namespaces")
        return Leadership()
    election_config = LeaderElectionConfig(
        holder_identity=f"{socket.gethostname()}_{uuid.uuid4().hex[:12]}",  # another one after a restart
        lease_duration=settings.lease_seconds,
        renew_deadline=settings.lease_seconds * RENEW_SHARE,
        retry_period=settings.lease_seconds * RETRY_SHARE,
    )
    lease_client = LeaseClient(ApiRequests(client), namespace, settings.lease_name)  # no lease limits its own writes
    return LeaderElector(lease_client, election_config, time.monotonic, _get_current_time)


def _create_ledger(api: ApiRequests, settings: OperatorSettings) -> UsageLedger | None:
    """Return where use outlives TweetBots; an operator of some namespaces, or outside a Pod, has no such place."""
    namespace = settings.lease_namespace or _read_own_namespace()
    return UsageLedger(api, namespace, settings.lease_name) if namespace and not settings.namespaces else None


async def get_cluster_uid(cluster: KubernetesCluster, settings: OperatorSettings, stop: asyncio.Event) -> str:
    """Return the cluster's uid, once the API server answers; empty if the operator is asked to stop before."""
    own_namespace = settings.lease_namespace or _read_own_namespace()
    while not (settings.cluster_uid or stop.is_set()):
        try:
            return await cluster.get_cluster_uid(own_namespace)
        except Unavailable as fault:
            LOG.warning("the cluster's uid cannot be read, tried again", extra=with_fields(fault=str(fault)))
            await asyncio.sleep(_UID_PAUSE)
    return settings.cluster_uid


def _read_own_namespace() -> str:
    """Return the namespace of our own Pod; empty outside a Pod."""
    try:
        return _NAMESPACE_FILE.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _get_current_time() -> datetime:
    return datetime.now(UTC)


def note_date(clock: Clock, date: datetime) -> None:
    """Report how far the API server's clock is from ours; the clock follows it where that is more than a minute."""
    differed = abs(clock.skew) > CLOCK_TOLERANCE_SECONDS
    clock.note_date(date)
    CLOCK_SKEW.set(round(clock.skew, 1))
    if (abs(clock.skew) > CLOCK_TOLERANCE_SECONDS) != differed:
        words = "the clocks of API server and operator agree again" if differed else "the API server's clock is another"
        LOG.warning(words, extra=with_fields(ahead_seconds=round(clock.skew)))


@contextlib.asynccontextmanager
async def _open_client() -> AsyncIterator[ApiClient]:
    """Yield a client of our own cluster, or outside a Pod of the one in KUBECONFIG."""
    configuration = Configuration()
    # Else aiohttp reads a netrc file in a thread before each request; kopf's watches use no proxy either.
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


def _create_health(resync: Resync, watches: Watches, settings: OperatorSettings) -> Health:
    return Health(
        alive=lambda: resync.healthy or not watches.started.is_set(),
        ready=watches.started.is_set,
        asks_clients=settings.metrics_client_certificate,
    )


async def listen(health: Health, settings: OperatorSettings) -> Health:
    """Serve health and metrics as the settings say. Raises CannotStart."""
    try:
        asks_clients, folder = settings.metrics_client_certificate, settings.tls_folder
        tls = ServerCertificate(Path(folder), asks_clients).context if folder else None
    except OSError as fault:
        raise CannotStart(f"TWEETBOT_TLS_FOLDER: no certificate can be read in {folder}: {fault}") from None
    try:
        await health.start(settings.http_host, settings.http_port, tls)
    except OSError as fault:
        raise CannotStart(f"TWEETBOT_HTTP_PORT: cannot listen on {settings.http_port}: {fault.strerror}") from None
    return health


async def _flush(recorder: Recorder, usage: UsageTracker, *, leads: bool) -> None:
    """Write what runs used, and post the remaining Events, but do not spend the Pod's grace period on them."""
    try:
        async with asyncio.timeout(_FLUSH_SECONDS):
            await usage.tick(leads=leads)
            await recorder.flush()
    except TimeoutError:
        LOG.warning("the last Events were not posted", extra=with_fields(seconds=_FLUSH_SECONDS))
