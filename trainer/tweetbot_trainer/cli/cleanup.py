"""`tweetbot-trainer cleanup`: erase everything that the runs of one TweetBot wrote, and nothing else.

It can be stopped at any point: the next call lists and erases the rest.
"""

import os
import re

from tweetbot_contract import reasons
from tweetbot_contract.handover import RunDocument
from tweetbot_trainer.publishing.registry.latest import LATEST_FILE
from tweetbot_trainer.runtime.egress import check_endpoints
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.stages.settings import read_settings
from tweetbot_trainer.store import ObjectStore, build_store_opener, join

#: A name that Kubernetes allows: not empty, no slash and no dot, so that it is exactly one step of a path.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
#: Objects between two log lines.
_LOG_INTERVAL = 500


def run_cleanup(stop: StopRequest) -> int:
    """Erase what the TweetBot of the run document left. Raises StageError."""
    settings = read_settings(os.environ, "Cleanup")
    run = settings.run
    log = Log(stage=run.stage, namespace=run.namespace, name=run.name)
    check_endpoints(run.spec, settings.allowed_networks)
    budget = RetryBudget(settings.retry_seconds, log, stop.pause)
    open_store = build_store_opener(run.spec.output.s3, settings.secrets, budget)
    erase(open_store(run.prefix), run, log, stop)
    return 0


def erase(store: ObjectStore, run: RunDocument, log: Log, stop: StopRequest) -> int:
    """Erase a TweetBot's objects, latest.json first; return how many, older versions included.

    Raises SpecRefused for names that Kubernetes does not allow, StageStopped, and as the store does.
    """
    folder, count = get_bot_folder(run), 0
    log.info("cleanup.started", folder=folder)
    try:
        store.delete(join(folder, LATEST_FILE))
        for _ in store.erase(folder):
            stop.check()
            count += 1
            if count % _LOG_INTERVAL == 0:
                log.info("cleanup.going", erased=count)
    except SpecRefused as refusal:
        if refusal.reason != reasons.BUCKET_NOT_FOUND:  # a deleted bucket took its objects along
            raise
    log.info("cleanup.finished", erased=count)
    return count


def get_bot_folder(run: RunDocument) -> str:
    """Return the TweetBot's own folder; the slash at its end keeps `gull` from erasing `gull2`."""
    for field, name in (("namespace", run.namespace), ("name", run.name)):
        if not _NAME.fullmatch(name):
            raise SpecRefused(
                reasons.SPEC_REFUSED, f"{field}: {name!r} is not a name that Kubernetes allows; nothing was erased"
            )
    return f"{run.prefix}/"
