"""`tweetbot-trainer cleanup`: erase everything that the runs of one TweetBot wrote, and nothing else.

What TweetBots of other clusters use stays: the first of them becomes its owner. It can be stopped at any point: the
next call lists and erases the rest.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass

from tweetbot_contract import reasons
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import CleanupSucceeded
from tweetbot_trainer.publishing.hub.record import RECORD_FILE, HubPush, read_pushes
from tweetbot_trainer.publishing.registry.latest import LATEST_FILE
from tweetbot_trainer.publishing.registry.ownership import OWNER_FILE, leave_prefix, require_owner
from tweetbot_trainer.runtime.egress import check_endpoints, guard_connections
from tweetbot_trainer.runtime.errors import SpecRefused, StageError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.progress import serve_progress
from tweetbot_trainer.runtime.retry_budget import LONGEST_STORAGE_PAUSE, RetryBudget
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.runtime.termination import write_result
from tweetbot_trainer.stages.settings import get_termination_log_path, read_settings
from tweetbot_trainer.store import ObjectStore, build_store_opener, join

#: A name that Kubernetes allows: not empty, no slash and no dot, so that it is exactly one step of a path.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
#: Objects between two log lines, and two looks at who owns the folder.
_LOG_INTERVAL = 500


def run_cleanup(stop: StopRequest) -> int:
    """Erase what the TweetBot of the run document left. Raises StageError."""
    settings = read_settings(os.environ, "Cleanup")
    run = settings.run
    log = Log(stage=run.stage, namespace=run.namespace, name=run.name)
    check_endpoints(run.spec, settings.allowed_networks)
    budget = RetryBudget(settings.retry_seconds, log, stop.pause, longest_pause=LONGEST_STORAGE_PAUSE)
    open_store = build_store_opener(run.spec.output.s3, settings.secrets, budget)
    termination_log = get_termination_log_path(os.environ)

    def take_back(pushes: tuple[HubPush, ...]) -> None:
        if pushes:
            from tweetbot_trainer.publishing.hub.erasure import delete_copies  # loads the Hub's client: only here

            budget.call(lambda: delete_copies(run, pushes, settings.secrets, log))

    def report(message: str) -> None:
        write_result(CleanupSucceeded(prefix_owned=message), termination_log)

    with (
        guard_connections(settings.allowed_networks, os.environ),
        serve_progress(budget.progress, run, settings.pod_uid, settings.pod_ip, log),
    ):
        erase(open_store(run.prefix), run, log, stop, report_heir=report, take_back=take_back)
    return 0


def erase(
    store: ObjectStore,
    run: RunDocument,
    log: Log,
    stop: StopRequest,
    *,
    report_heir: Callable[[str], None] = lambda message: None,
    take_back: Callable[[tuple[HubPush, ...]], None] = lambda pushes: None,
) -> int:
    """Erase a TweetBot's objects, latest.json first; return how many, older versions included.

    `take_back` deletes the copies on the Hub; what it raises is raised when all else is erased. If TweetBots of other
    clusters use the objects, nothing is erased, and `report_heir` is told who owns them now. Raises PrefixOwned if
    another TweetBot owned them before, SpecRefused for names that Kubernetes does not allow, StageStopped, and as the
    store does.
    """
    folder, count = get_bot_folder(run), 0
    log.info("cleanup.started", folder=folder)
    try:
        if heir := leave_prefix(store, run):
            log.warning("cleanup.left", message=heir)
            report_heir(heir)
            return 0
        left = _take_back(store, join(folder, RECORD_FILE), take_back)
        count = _erase_all_but_owner(store, run, log, stop)
        if left:
            left.raise_fault(store)
        for _ in store.erase(folder):  # the record last: without it another TweetBot may begin to write here
            stop.check()
    except SpecRefused as refusal:
        if refusal.reason != reasons.BUCKET_NOT_FOUND:  # a deleted bucket took its objects along
            raise
    log.info("cleanup.finished", erased=count)
    return count


@dataclass(frozen=True, slots=True)
class _LeftCopies:
    """Why copies on the Hub are left, and the record of them at an address, which the next call needs."""

    fault: StageError
    uri: str
    record: bytes

    def raise_fault(self, store: ObjectStore) -> None:
        if self.record:
            store.put(self.uri, self.record)
        raise self.fault


def _take_back(store: ObjectStore, uri: str, take_back: Callable[[tuple[HubPush, ...]], None]) -> _LeftCopies | None:
    """Delete the copies on the Hub; return what is left of them."""
    found = store.find(uri)
    try:
        take_back(read_pushes(store, uri))
    except StageError as fault:
        return _LeftCopies(fault, uri, found.body if found else b"")
    return None


def _erase_all_but_owner(store: ObjectStore, run: RunDocument, log: Log, stop: StopRequest) -> int:
    """Erase all but the record of the owner, latest.json first; return how many, older versions included."""
    folder, count = get_bot_folder(run), 0
    store.delete(join(folder, LATEST_FILE))
    for _ in store.erase(folder, keep=join(folder, OWNER_FILE)):
        stop.check()
        count += 1
        if count % _LOG_INTERVAL == 0:
            require_owner(store, run)
            log.info("cleanup.going", erased=count)
    return count


def get_bot_folder(run: RunDocument) -> str:
    """Return the TweetBot's own folder; the slash at its end keeps `gull` from erasing `gull2`."""
    for field, name in (("namespace", run.namespace), ("name", run.name)):
        if not _NAME.fullmatch(name):
            raise SpecRefused(
                reasons.SPEC_REFUSED, f"{field}: {name!r} is not a name that Kubernetes allows; nothing was erased"
            )
    return f"{run.prefix}/"
