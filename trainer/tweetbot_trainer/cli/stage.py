"""Runs a stage, a pin, or the forgetting of posts in its Pod: settings from its environment, result to its log."""

import math
import os
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import PinSucceeded, PrepareSucceeded, TrainSucceeded
from tweetbot_contract.result.erasure import ForgetSucceeded
from tweetbot_contract.status import Stage
from tweetbot_trainer.publishing.forgetting.contents import read_contents
from tweetbot_trainer.publishing.forgetting.elsewhere import connect_pod
from tweetbot_trainer.publishing.forgetting.erasure import Erasure
from tweetbot_trainer.publishing.forgetting.plan import plan_erasure
from tweetbot_trainer.publishing.registry.ownership import join_prefix, require_owner
from tweetbot_trainer.publishing.registry.pinning import serve_pinned
from tweetbot_trainer.publishing.tracking.start import TrackerStarter
from tweetbot_trainer.publishing.tracking.wandb_run import RunConfig
from tweetbot_trainer.runtime.egress import check_endpoints, guard_connections
from tweetbot_trainer.runtime.egress_proxy import serve_egress_proxy
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.progress import StageProgress, serve_progress
from tweetbot_trainer.runtime.retry_budget import LONGEST_STORAGE_PAUSE, RetryBudget
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.runtime.termination import UNEXPECTED, describe_failure, write_result
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.settings import Settings, get_termination_log_path, keep_caches_below, read_settings
from tweetbot_trainer.store import BestEffortStore, ObjectStore, build_store_opener

#: Seconds that forgetting waits for the Hub and W&B in all: what is left is told, and tried again by another Job.
ELSEWHERE_SECONDS = 60.0

Result = TypeVar("Result", PrepareSucceeded, TrainSucceeded, PinSucceeded)


def run_stage(stage: Stage, stop: StopRequest) -> int:
    """Run a stage and write its result. Raises StageError, and any unexpected error."""
    settings = read_settings(os.environ, stage)
    keep_caches_below(settings.work, os.environ)
    run = settings.run
    log = Log(stage=run.stage, namespace=run.namespace, name=run.name, run=run.run_id)
    log.info("stage.started", image=run.image)
    with guard_connections(settings.allowed_networks, os.environ), serve_egress_proxy(os.environ, log) as proxy:
        context = build_context(settings, stop, log, proxy=proxy)
        with serve_progress(context.progress, run, settings.pod_uid, settings.pod_ip, log):
            check_endpoints(run.spec, settings.allowed_networks)
            result = dispatch_stage(stage, context)
    write_result(result, get_termination_log_path(os.environ))
    log.info("stage.succeeded", result=result.to_dict())
    return 0


def run_pin(stop: StopRequest) -> int:
    """Move latest.json as the request in the run document says, and write what is served then. Raises StageError."""
    settings = read_settings(os.environ, "Pin")
    run = settings.run
    log = Log(stage=run.stage, namespace=run.namespace, name=run.name)
    check_endpoints(run.spec, settings.allowed_networks)
    budget = RetryBudget(settings.retry_seconds, log, stop.pause, longest_pause=LONGEST_STORAGE_PAUSE)
    store = build_store_opener(run.spec.output.s3, settings.secrets, budget)(run.prefix)
    with (
        guard_connections(settings.allowed_networks, os.environ),
        serve_progress(budget.progress, run, settings.pod_uid, settings.pod_ip, log),
    ):
        join_prefix(store, run, log)
        served = serve_pinned(store, run)
        result = _send_to_hub(served, run, store, secrets=settings.secrets, work=settings.work, log=log, stop=stop)
    write_result(result, get_termination_log_path(os.environ))
    log.info("pin.succeeded", result=result.to_dict())
    return 0


def run_forget_task(stop: StopRequest) -> int:
    """Erase what holds the posts in spec.filter.excludeIds, and write what is gone and what is left. Raises StageError.

    SpecRefused (ServedHoldsPosts) while what is served holds one, PrefixOwned in another TweetBot's folder.
    """
    settings = read_settings(os.environ, "Forget")
    run = settings.run
    log = Log(stage=run.stage, namespace=run.namespace, name=run.name)
    check_endpoints(run.spec, settings.allowed_networks)
    keep_caches_below(settings.work, os.environ)
    budget = RetryBudget(settings.retry_seconds, log, stop.pause, longest_pause=LONGEST_STORAGE_PAUSE)
    store = build_store_opener(run.spec.output.s3, settings.secrets, budget)(run.prefix)
    with (
        guard_connections(settings.allowed_networks, os.environ),
        serve_progress(budget.progress, run, settings.pod_uid, settings.pod_ip, log),
    ):
        result = forget_posts(run, store, secrets=settings.secrets, work=settings.work, log=log, stop=stop)
    write_result(result, get_termination_log_path(os.environ))
    log.info("forget.succeeded", result=result.to_dict())
    return 0


def forget_posts(
    run: RunDocument, store: ObjectStore, *, secrets: Path, work: Path, log: Log, stop: StopRequest
) -> ForgetSucceeded:
    """Erase what a TweetBot holds of its excluded posts; then send what is served to the Hub again, if need be."""
    require_owner(store, run)
    contents = read_contents(store, run.prefix, frozenset(run.spec.filter.exclude_ids))
    (bot,) = (each for each in contents if each.folder == run.prefix)
    plan = plan_erasure(bot, (run.spec.pin, run.pin.version if run.pin else None))
    patience = RetryBudget(ELSEWHERE_SECONDS, log, stop.pause, longest_pause=LONGEST_STORAGE_PAUSE)

    def report(what: str) -> None:
        log.info("forget.erased", uri=what)

    erasure = Erasure(store, plan, run, connect_pod(run, secrets, patience), report, stop)
    result = erasure.erase()
    for left in result.left:
        log.warning("forget.left", uri=left.what, reason=left.reason, message=left.message)
    if result.repositories and run.spec.output.hugging_face:
        from tweetbot_trainer.publishing.hub.publish import HubPublisher  # loads the Hub's client: only here

        HubPublisher(run, store, secrets=secrets, work=work, log=log, stop=stop).publish_served()
    return ForgetSucceeded(erased=result.erased, left=tuple(result.left), left_total=len(result.left))


def dispatch_stage(stage: Stage, context: StageContext) -> PrepareSucceeded | TrainSucceeded:
    """Run a stage, and send the version that is served then to the Hub; only training imports torch."""
    run, store = context.run, context.store

    def send(result: Result) -> Result:
        return _send_to_hub(
            result, run, store, secrets=context.secrets, work=context.work, log=context.log, stop=context.stop
        )

    if stage == "Prepare":
        from tweetbot_trainer.stages.prepare import prepare

        return send(prepare(context))
    from tweetbot_trainer.stages.train import train

    return send(train(context))


def _send_to_hub(
    result: Result, run: RunDocument, store: ObjectStore, *, secrets: Path, work: Path, log: Log, stop: StopRequest
) -> Result:
    """Send the version that is served now to the Hub, if the spec asks for that."""
    if run.spec.output.hugging_face is None:
        return result
    from tweetbot_trainer.publishing.hub.publish import HubPublisher  # loads the Hub's client: only here

    return HubPublisher(run, store, secrets=secrets, work=work, log=log, stop=stop).publish(result)


def build_context(
    settings: Settings, stop: StopRequest, log: Log, *, files: bool = False, proxy: str | None = None
) -> StageContext:
    """Connect a stage to its storage, tracking and progress.

    With `files`, addresses may be local folders. `proxy` is for clients in other processes.
    """
    run, progress = settings.run, StageProgress()
    budget = RetryBudget(
        settings.retry_seconds, log, stop.pause, progress=progress, longest_pause=LONGEST_STORAGE_PAUSE
    )
    open_store = build_store_opener(run.spec.output.s3, settings.secrets, budget, files=files)
    best_effort = replace(budget, seconds=math.inf, sleep=time.sleep, beside=True)
    open_best_effort_store = build_store_opener(run.spec.output.s3, settings.secrets, best_effort, files=files)
    config = replace(RunConfig.from_run(run, settings.work), proxy=proxy)
    return StageContext(
        run,
        open_store,
        settings.secrets,
        settings.work,
        log,
        stop,
        TrackerStarter(
            run,
            config,
            store=open_store(run.prefix),
            secrets=settings.secrets,
            log=log,
            note_degraded=progress.note_degraded_tracking,
        ),
        progress=progress,
        best_effort=BestEffortStore(open_best_effort_store(run.prefix), best_effort.limit),
        checkpoint_seconds=settings.checkpoint_seconds,
        retry_budget=budget,
        mounted_base=settings.mounted_base,
    )


def write_failure(error: BaseException) -> int:
    """Write a failure to the termination log, and then to the log; return its exit code."""
    failure, code = describe_failure(error)
    log = Log()
    try:
        write_result(failure, get_termination_log_path(os.environ))
    except OSError as unwritable:
        log.error("termination_log.unwritable", message=str(unwritable))
    details = {"traceback": "".join(traceback.format_exception(error))} if code == UNEXPECTED else {}
    log.error("stage.failed", reason=failure.reason, message=failure.message, exitCode=code, **details)
    return code
