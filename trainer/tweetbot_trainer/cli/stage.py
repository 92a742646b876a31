"""A stage in its Pod: surroundings from the environment, result into the termination log."""

import os
import traceback

from tweetbot_contract.result import PrepareSucceeded, TrainSucceeded
from tweetbot_contract.status import Stage
from tweetbot_trainer.publishing.tracking.start import TrackerStarter
from tweetbot_trainer.publishing.tracking.wandb_run import RunPlace
from tweetbot_trainer.runtime.egress import check_endpoints
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.runtime.termination import UNFORESEEN, failure_of, write_result
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.settings import Settings, keep_caches_below, settings_from, termination_log
from tweetbot_trainer.store import RetryBudget, Stores

#: Seconds in all that what can be done without may wait for the storage.
HASTE = 20.0


def run_stage(stage: Stage, stop: StopRequest) -> int:
    """Run a stage and write its result. Raises StageFailed, and whatever nobody foresaw."""
    settings = settings_from(os.environ, stage)
    keep_caches_below(settings.work, os.environ)
    context = context_of(settings, stop)
    context.log.info("stage.started", image=settings.run.image)
    check_endpoints(settings.run.spec, settings.allowed_networks)
    result = run_of(stage, context)
    write_result(result, settings.termination_log)
    context.log.info("stage.succeeded", result=result.as_json())
    return 0


def run_of(stage: Stage, context: StageContext) -> PrepareSucceeded | TrainSucceeded:
    """Run a stage in its surroundings; torch is imported for training only."""
    if stage == "Prepare":
        from tweetbot_trainer.stages.prepare import prepare

        return prepare(context)
    from tweetbot_trainer.stages.train import train

    return train(context)


def context_of(settings: Settings, stop: StopRequest) -> StageContext:
    """Return the stage's context."""
    run = settings.run
    log = Log(stage=run.stage, namespace=run.namespace, name=run.name, run=run.run_id)
    budget = RetryBudget(settings.storage_patience, pause=stop.pause, log=log)
    store = Stores(run.spec.output.s3, settings.secrets, budget)
    start_tracker = TrackerStarter(RunPlace.of(run, settings.work), store=store, secrets=settings.secrets, log=log)
    return StageContext(
        run,
        store,
        settings.secrets,
        settings.work,
        log,
        stop,
        start_tracker,
        report_place=settings.report_place,
        hasty_store=Stores(run.spec.output.s3, settings.secrets, RetryBudget(HASTE, log=log)),
        checkpoint_seconds=settings.checkpoint_seconds,
        patience=budget,
        mounted_base=settings.mounted_base,
    )


def report_failure(error: Exception) -> int:
    """Write a failure to the log and the termination log, and return the exit code that goes with it."""
    told, code = failure_of(error)
    log = Log()
    details = {"traceback": "".join(traceback.format_exception(error))} if code == UNFORESEEN else {}
    log.error("stage.failed", reason=told.reason, message=told.message, exitCode=code, **details)
    try:
        write_result(told, termination_log(os.environ))
    except OSError as unwritable:
        log.error("termination_log.unwritable", message=str(unwritable))
    return code
