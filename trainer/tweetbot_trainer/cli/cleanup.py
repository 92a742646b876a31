"""`tweetbot-trainer cleanup`: erase everything that one TweetBot's runs wrote, and nothing else.

It may be ended and started again at any point: what is gone is gone, and the rest is listed anew.
"""

import os
import re

from tweetbot_contract import reasons
from tweetbot_contract.handover import RunDocument
from tweetbot_trainer.publishing.registry.latest import POINTER_FILE
from tweetbot_trainer.runtime.egress import check_endpoints
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.stages.settings import read_settings
from tweetbot_trainer.store import ObjectStore, build_store_opener, join

#: A name as Kubernetes allows it: no slash, no dots, not empty, so that it is one whole step of a path.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
#: Objects between two lines of the log.
_STEP = 500


def run_cleanup(stop: StopRequest) -> int:
    """Erase what the run document's TweetBot left. Raises StageFailed of the fitting class."""
    settings = read_settings(os.environ, "Cleanup")
    run = settings.run
    log = Log(stage=run.stage, namespace=run.namespace, name=run.name)
    check_endpoints(run.spec, settings.allowed_networks)
    budget = RetryBudget(settings.storage_patience, log, stop.pause)
    open_store = build_store_opener(run.spec.output.s3, settings.secrets, budget)
    erase(open_store(run.prefix), run, log, stop)
    return 0


def erase(store: ObjectStore, run: RunDocument, log: Log, stop: StopRequest) -> int:
    """Erase a TweetBot's objects, the pointer first, and return how many there were, older versions among them.

    Raises SpecRefused for names that are none, Stopped, and as the store does.
    """
    folder, count = get_bot_folder(run), 0
    log.info("cleanup.started", folder=folder)
    try:
        store.delete(join(folder, POINTER_FILE))
        for _ in store.erase(folder):
            stop.check()
            count += 1
            if count % _STEP == 0:
                log.info("cleanup.going", erased=count)
    except SpecRefused as refusal:
        if refusal.reason != reasons.BUCKET_NOT_FOUND:  # what lay in a bucket went with it
            raise
    log.info("cleanup.finished", erased=count)
    return count


def get_bot_folder(run: RunDocument) -> str:
    """Return the folder that is this TweetBot's alone, with the slash at its end that keeps `gull` off `gull2`."""
    for field, name in (("namespace", run.namespace), ("name", run.name)):
        if not _NAME.fullmatch(name):
            raise SpecRefused(reasons.SPEC_REFUSED, f"{field}: {name!r} is no name of Kubernetes; nothing is erased")
    return f"{run.prefix}/"
