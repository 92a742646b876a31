"""TweetBots, Jobs, Pods and results for the operator's tests: valid by default, name only what matters."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from builders.manifests import a_manifest
from tweetbot_contract.class_manifest import TweetBotClass, parse_class
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.handover import DEFAULT_CLASS_ANNOTATION, build_job_name
from tweetbot_contract.identity import compute_run_id, hash_execution, hash_identity
from tweetbot_contract.manifest import TweetBot, parse, parse_metadata
from tweetbot_contract.result import (
    DatasetResult,
    Metrics,
    PinSucceeded,
    PrepareSucceeded,
    PublishedModel,
    Sample,
    StageFailed,
    TrackingResult,
    TrainSucceeded,
    encode,
)
from tweetbot_contract.status import CurrentRun, Stage, TweetBotStatus
from tweetbot_operator.jobs.job import build_creation_key
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.objects import Diagnostics, InvalidTweetBot, JobView, Observed, PodView

SETTINGS = OperatorSettings()
#: The clock of every test stands here unless the test moves it.
NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
DIGEST = "d" * 64


def seconds_after_noon(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def a_bot(*, status: TweetBotStatus | None = None, generation: int = 1, retrain_at: str = "", **spec: Any) -> TweetBot:
    """Return a TweetBot; keywords replace fields of the spec in their manifest form."""
    bot = parse(a_manifest(**spec))
    return replace(
        bot,
        status=status or TweetBotStatus(),
        generation=generation,
        resource_version="1",
        retrain_at=retrain_at,
    )


def a_class(name: str = "standard", *, default: bool = False, generation: int = 1, **spec: Any) -> TweetBotClass:
    """Return a TweetBotClass; keywords are the fields of its spec in their manifest form."""
    annotations = {"annotations": {DEFAULT_CLASS_ANNOTATION: "true"}} if default else {}
    metadata = {"name": name, "uid": f"uid-{name}", "generation": generation, **annotations}
    return parse_class({"metadata": metadata, "spec": spec})


def an_invalid_bot(error: str = "spec.filter: no", **changes: Any) -> InvalidTweetBot:
    """Return a TweetBot whose stored spec breaks a rule."""
    return replace(InvalidTweetBot(error=error, **parse_metadata(a_manifest())), **changes)


def a_run(bot: TweetBot, *, stage: Stage = "Prepare", **changes: Any) -> CurrentRun:
    """Return the run that the bot's spec asks for, recorded at noon."""
    trigger = changes.pop("trigger", "")
    wanted = compute_run_id(bot.spec, trigger)
    fields = {
        "id": wanted,
        "number": 1,
        "trigger": trigger,
        "identity": hash_identity(bot.spec),
        "execution": hash_execution(bot.spec),
        "stage": stage,
        "job_name": build_job_name(bot.name, wanted, stage),
        "attempt": 1,
        "dataset": DIGEST if stage == "Train" else None,
        "started_at": "2026-01-01T12:00:00Z",
    }
    return CurrentRun(**(fields | changes))


def a_bot_in(stage: Stage, **changes: Any) -> TweetBot:
    """Return a bot whose run stands in a stage; `run` holds the run's own changes, the rest those of the spec."""
    run_changes = changes.pop("run_fields", {})
    status_changes = changes.pop("status_fields", {})
    bot = a_bot(**changes)
    run = a_run(bot, stage=stage, **run_changes)
    return replace(bot, status=TweetBotStatus(observed_generation=1, current_run=run, **status_changes))


def a_job(bot: TweetBot, **changes: Any) -> JobView:
    """Return the Job of the stage that the bot's run stands in."""
    run = bot.status.current_run or a_run(bot)
    job = JobView(
        namespace=bot.namespace,
        name=run.job_name or "",
        uid=f"uid-{run.stage.lower()}",
        resource_version="10",
        owner_uid=bot.uid,
        bot=bot.name,
        run_id=run.id,
        stage=run.stage.lower(),
        execution=run.execution,
        creation_key=build_creation_key(run),
        created_at=NOON,
    )
    return replace(job, **changes)


def a_complete_job(bot: TweetBot, **changes: Any) -> JobView:
    return a_job(bot, finished_condition="Complete", finished_at=NOON, **changes)


def a_failed_job(bot: TweetBot, **changes: Any) -> JobView:
    fields = {"finished_condition": "Failed", "reason": "BackoffLimitExceeded", "failed_pods": 1, "finished_at": NOON}
    return a_job(bot, **(fields | changes))


def a_pod(job: JobView, **changes: Any) -> PodView:
    """Return a Pod of the Job that runs since noon."""
    pod = PodView(
        namespace=job.namespace,
        name=f"{job.name}-abcde",
        uid=f"pod-of-{job.uid}",
        resource_version="20",
        controller_uid=job.uid,
        bot=job.bot,
        bot_uid=job.owner_uid,
        run_id=job.run_id,
        stage=job.stage,
        job=job.name,
        created_at=NOON,
        phase="Running",
        scheduled_at=NOON,
        started_at=NOON,
    )
    return replace(pod, **changes)


def a_waiting_pod(job: JobView, **changes: Any) -> PodView:
    return a_pod(job, **({"phase": "Pending", "started_at": None} | changes))


def a_finished_pod(job: JobView, result: Any, **changes: Any) -> PodView:
    """Return a Pod that ended well and left this result."""
    fields = {"phase": "Succeeded", "exit_code": 0, "finished_at": NOON, "message": encode(result).decode()}
    return a_pod(job, **(fields | changes))


def a_failed_pod(job: JobView, exit_code: int | None, *, said: StageFailed | None = None, **changes: Any) -> PodView:
    message = encode(said).decode() if said else ""
    fields = {"phase": "Failed", "exit_code": exit_code, "finished_at": NOON, "message": message}
    return a_pod(job, **(fields | changes))


def a_prepare_result(*, adopted: TrainSucceeded | None = None, degraded: str | None = None) -> PrepareSucceeded:
    return PrepareSucceeded(
        dataset=DatasetResult(
            digest=DIGEST,
            uri=f"s3://team-a/models/team-a/gull/datasets/{DIGEST}",
            table=DataTable(downloaded=2000, retweets=300, short=200, kept=1500),
        ),
        adopted=adopted,
        tracking=TrackingResult(degraded=degraded),
    )


def a_train_result(
    *,
    degraded: str | None = None,
    wandb_url: str | None = None,
    mode: Literal["Online", "Offline", "Disabled"] = "Disabled",
    report_url: str | None = None,
) -> TrainSucceeded:
    return TrainSucceeded(
        model=PublishedModel(
            name="team-a-gull-v1",
            uri="s3://team-a/models/team-a/gull/models/v1/model",
            digest="e" * 64,
            size_bytes=12_000_000,
            published_at="2026-01-01T12:00:00Z",
        ),
        metrics=Metrics(
            eval_loss=2.5, perplexity=12.2, bits_per_byte=1.1, train_loss=2.0, tokens_per_second=900, train_seconds=13
        ),
        samples=(Sample(prompt="My dream is", text="My dream is the sea"),),
        tracking=TrackingResult(wandb_mode=mode, degraded=degraded, wandb_url=wandb_url, report_url=report_url),
    )


def a_published_version(version: str, *, pinned: str | None = None) -> TrainSucceeded:
    """Return the result of a training that published this version; its loss is the version's first digit."""
    plain = a_train_result()
    uri = f"s3://team-a/models/team-a/gull/models/{version}/model"
    model = plain.model.model_copy(update={"name": f"team-a-gull-{version}", "uri": uri})
    metrics = plain.metrics.model_copy(update={"eval_loss": float(version[0])})
    return plain.model_copy(update={"model": model, "metrics": metrics, "pinned": pinned})


def a_pin_result(version: str, *, newest: str) -> PinSucceeded:
    """Return the result of a Job that moved latest.json to this version."""
    return PinSucceeded(served=a_published_version(version), run_id="of the run", newest=newest)


def a_refusal_of_the_trainer(reason: str = "BucketNotFound", message: str = "the bucket is not there") -> StageFailed:
    return StageFailed(reason=reason, message=message)


def an_observed(
    bot: TweetBot | InvalidTweetBot,
    *,
    jobs: tuple[JobView, ...] = (),
    pods: tuple[PodView, ...] = (),
    diagnostics: Diagnostics | None = None,
    at: float = 0,
    settings: OperatorSettings = SETTINGS,
) -> Observed:
    """Return what a decision is made from, this many seconds after noon."""
    return Observed(bot, jobs, pods, diagnostics or Diagnostics(), seconds_after_noon(at), settings)
