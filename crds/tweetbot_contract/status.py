"""What a user reads: the `status` of a TweetBot. The operator is its one writer."""

from typing import Annotated, Literal

from pydantic import Field

from tweetbot_contract.result import Bill, DataTable, Finite, Metrics, PublishedModel, Sample
from tweetbot_contract.spec.parts import Part

Phase = Literal["Pending", "Preparing", "Queued", "Training", "Succeeded", "Failed", "Suspended"]
Stage = Literal["Prepare", "Train"]


class Condition(Part):
    """One aspect of the TweetBot's state; the form of metav1.Condition."""

    type: Annotated[str, Field(max_length=316, description="The aspect, e.g. Ready or ModelReady.")]
    status: Annotated[Literal["True", "False", "Unknown"], Field(description="Whether it holds.")]
    reason: Annotated[str, Field(max_length=1024, description="Why, in one word; docs/troubleshooting.md has each.")]
    message: Annotated[str, Field(max_length=2048, description="Why, for people, and what to do about it.")] = ""
    last_transition_time: Annotated[str, Field(description="When status last changed.", max_length=40)]
    observed_generation: Annotated[int, Field(description="The generation of the spec that this speaks of.")]


class ProgressStatus(Part):
    """Where a training stands. It is written in steps; the operator's /metrics has it live."""

    percent: Annotated[int, Field(ge=0, le=100, description="Share of the training that is done.")]
    step: Annotated[int | None, Field(ge=0, description="Steps done.")] = None
    total_steps: Annotated[
        int | None, Field(ge=0, description="Steps in all; fewer are done where it stops early.")
    ] = None
    eta_seconds: Annotated[int | None, Field(ge=0, description="Seconds that the training will still take.")] = None
    eta: Annotated[str | None, Field(max_length=16, description="The same for people, e.g. 12m.")] = None
    train_loss: Annotated[Finite | None, Field(description="Latest training loss, nats a token.")] = None
    eval_loss: Annotated[Finite | None, Field(description="Latest validation loss, nats a token.")] = None
    updated_at: Annotated[str, Field(max_length=40, description="When this was written.")]


class CurrentRun(Part):
    """The run that the spec asks for."""

    id: Annotated[str, Field(max_length=16, description="Hash of the spec's identity and the trigger.")]
    number: Annotated[int, Field(description="Counts this TweetBot's runs from 1.")]
    trigger: Annotated[
        str,
        Field(
            max_length=64, description="The retrain-at value or schedule/<time> that asked for it; empty for the spec."
        ),
    ]
    identity: Annotated[str, Field(max_length=16, description="Hash of the spec's identity alone.")]
    execution: Annotated[str, Field(max_length=16, description="Hash of how the run is executed.")]
    stage: Annotated[Stage, Field(description="Where it stands.")]
    outcome: Annotated[
        Literal["Succeeded", "Failed"] | None, Field(description="How it ended; absent while it goes on.")
    ] = None
    reason: Annotated[str | None, Field(max_length=64, description="Why it ended so.")] = None
    message: Annotated[str | None, Field(max_length=1024, description="Why, and what to do about it.")] = None
    job_name: Annotated[str | None, Field(max_length=63, description="The Job of the stage.")] = None
    attempt: Annotated[int, Field(description="Pods the stage has used, this one included.")] = 0
    retries: Annotated[int, Field(description="Jobs of the stage that ended by a temporary fault.")] = 0
    retry_at: Annotated[str | None, Field(max_length=40, description="When the next Job is created.")] = None
    ran_seconds: Annotated[
        int, Field(description="Seconds that the stage's containers ran, those in countedPods and before.")
    ] = 0
    pods: Annotated[int, Field(description="Pods that the run used, those in countedPods and before.")] = 0
    disruptions: Annotated[int, Field(description="Of the present Job's Pods, those that had to leave their node.")] = 0
    counted_pods: Annotated[
        tuple[Annotated[str, Field(max_length=64)], ...],
        Field(max_length=64, description="uids of the latest Pods whose seconds are in ranSeconds."),
    ] = ()
    dataset: Annotated[str | None, Field(max_length=64, description="Digest of the dataset, once prepared.")] = None
    progress: Annotated[
        ProgressStatus | None, Field(description="Where the training stands, when the trainer can report it.")
    ] = None
    started_at: Annotated[str, Field(max_length=40, description="When the run was recorded.")]
    finished_at: Annotated[str | None, Field(max_length=40, description="When it ended.")] = None


class RunRecord(Part):
    """A run that is over."""

    id: Annotated[str, Field(max_length=16, description="Its id; a run asked for again has the same one.")]
    number: Annotated[int, Field(description="Which of the TweetBot's runs it was, from 1.")]
    trigger: Annotated[str, Field(max_length=64, description="What asked for it; empty for the spec.")] = ""
    outcome: Annotated[
        Literal["Succeeded", "Failed", "Superseded"],
        Field(description="How it ended. Superseded: an edit put another run in its place; going back revives it."),
    ]
    reason: Annotated[str, Field(max_length=64, description="Why it ended so.")]
    dataset: Annotated[str | None, Field(max_length=64, description="Digest of its dataset, if it came to one.")] = None
    model_uri: Annotated[
        str | None, Field(alias="modelURI", max_length=1400, description="The model that it published or adopted.")
    ] = None
    attempts: Annotated[int, Field(description="Pods that ended in it, both stages together; preemption counts none.")]
    started_at: Annotated[str, Field(max_length=40, description="When it was recorded.")]
    finished_at: Annotated[str, Field(max_length=40, description="When it ended or gave way.")]


class DataStatus(DataTable):
    """The data table of the latest dataset."""

    digest: Annotated[str, Field(max_length=64, description="sha256 of the dataset.")]
    newest_post_at: Annotated[str | None, Field(max_length=40, description="When the newest kept post was made.")] = (
        None
    )
    billed: Annotated[
        Bill | None, Field(description="Posts that the run paid for, by kind of source; none where none charges.")
    ] = None


class ModelStatus(PublishedModel):
    """The model version to serve."""

    run_id: Annotated[str, Field(max_length=16, description="The run that made it.")]
    identity: Annotated[str, Field(max_length=16, description="Hash of the identity it was trained from.")]


class TrackingStatus(Part):
    """Where the latest run was tracked."""

    wandb_url: Annotated[str | None, Field(alias="wandbURL", max_length=512, description="The W&B run's page.")] = None


class TweetBotStatus(Part):
    """What has become of a TweetBot."""

    uid: Annotated[
        str | None,
        Field(
            max_length=64, description="uid of the TweetBot that this was written for; on another it is not believed."
        ),
    ] = None
    observed_generation: Annotated[int, Field(description="The generation last acted on; -1 before the first.")] = -1
    phase: Annotated[Phase, Field(description="A summary of the conditions for people; programs read conditions.")] = (
        "Pending"
    )
    conditions: Annotated[
        tuple[Condition, ...],
        Field(
            max_length=16,
            description="The state, aspect by aspect.",
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
        ),
    ] = ()
    current_run: Annotated[CurrentRun | None, Field(description="The run that the spec asks for.")] = None
    data: Annotated[DataStatus | None, Field(description="The data table of the latest dataset.")] = None
    model: Annotated[ModelStatus | None, Field(description="The model version to serve.")] = None
    metrics: Annotated[Metrics | None, Field(description="Figures of the model to serve.")] = None
    samples: Annotated[tuple[Sample, ...], Field(max_length=200, description="What that model wrote.")] = ()
    tracking: Annotated[TrackingStatus | None, Field(description="Where the latest run was tracked.")] = None
    runs: Annotated[
        tuple[RunRecord, ...], Field(max_length=50, description="Runs that are over, newest first; see history.runs.")
    ] = ()
    last_handled_retrain_at: Annotated[
        str | None, Field(max_length=64, description="The retrain-at annotation last acted on.")
    ] = None

    last_schedule_time: Annotated[
        str | None, Field(max_length=40, description="The schedule's latest time that started a run.")
    ] = None
    next_schedule_time: Annotated[
        str | None, Field(max_length=40, description="When the schedule starts the next run.")
    ] = None

    def find_condition(self, type_: str) -> Condition | None:
        """Return the condition of this type, if there is one."""
        return next((condition for condition in self.conditions if condition.type == type_), None)
