"""What a user reads: the `status` of a TweetBot. The operator is its one writer."""

from typing import Annotated, Literal

from pydantic import Field

from tweetbot_contract.result import Bill, DataTable, Finite, Metrics, PublishedModel, Sample
from tweetbot_contract.spec.parts import Part

Phase = Literal["Pending", "Preparing", "Queued", "Training", "Succeeded", "Failed", "Suspended"]
Stage = Literal["Prepare", "Train"]


class Condition(Part):
    """One aspect of the TweetBot's state; the form of metav1.Condition."""

    type: str = Field(max_length=316, description="The aspect, e.g. Ready or ModelReady.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: str = Field(max_length=1024, description="Why, in one word; docs/troubleshooting.md has each.")
    message: str = Field("", max_length=2048, description="Why, for people, and what to do about it.")
    last_transition_time: str = Field(description="When status last changed.", max_length=40)
    observed_generation: int = Field(description="The generation of the spec that this speaks of.")


class ProgressStatus(Part):
    """Where a training stands. It is written in steps; the operator's /metrics has it live."""

    percent: int = Field(ge=0, le=100, description="Share of the training that is done.")
    step: int | None = Field(None, ge=0, description="Steps done.")
    total_steps: int | None = Field(None, ge=0, description="Steps in all; fewer are done where it stops early.")
    eta_seconds: int | None = Field(None, ge=0, description="Seconds that the training will still take.")
    eta: str | None = Field(None, max_length=16, description="The same for people, e.g. 12m.")
    train_loss: Finite | None = Field(None, description="Latest training loss, nats a token.")
    eval_loss: Finite | None = Field(None, description="Latest validation loss, nats a token.")
    updated_at: str = Field(max_length=40, description="When this was written.")


class CurrentRun(Part):
    """The run that the spec asks for."""

    id: str = Field(max_length=16, description="Hash of the spec's identity and the trigger.")
    number: int = Field(description="Counts this TweetBot's runs from 1.")
    trigger: str = Field(
        max_length=64, description="The retrain-at value or schedule/<time> that asked for it; empty for the spec."
    )
    identity: str = Field(max_length=16, description="Hash of the spec's identity alone.")
    execution: str = Field(max_length=16, description="Hash of how the run is executed.")
    stage: Stage = Field(description="Where it stands.")
    outcome: Literal["Succeeded", "Failed"] | None = Field(None, description="How it ended; absent while it goes on.")
    reason: str | None = Field(None, max_length=64, description="Why it ended so.")
    message: str | None = Field(None, max_length=1024, description="Why, and what to do about it.")
    job_name: str | None = Field(None, max_length=63, description="The Job of the stage.")
    attempt: int = Field(0, description="Pods the stage has used, this one included.")
    retries: int = Field(0, description="Jobs of the stage that ended by a temporary fault.")
    retry_at: str | None = Field(None, max_length=40, description="When the next Job is created.")
    ran_seconds: int = Field(0, description="Seconds that the stage's containers ran, those in countedPods and before.")
    pods: int = Field(0, description="Pods that the run used, those in countedPods and before.")
    disruptions: int = Field(0, description="Of the present Job's Pods, those that had to leave their node.")
    counted_pods: tuple[Annotated[str, Field(max_length=64)], ...] = Field(
        (), max_length=64, description="uids of the latest Pods whose seconds are in ranSeconds."
    )
    dataset: str | None = Field(None, max_length=64, description="Digest of the dataset, once prepared.")
    progress: ProgressStatus | None = Field(
        None, description="Where the training stands, when the trainer can report it."
    )
    started_at: str = Field(max_length=40, description="When the run was recorded.")
    finished_at: str | None = Field(None, max_length=40, description="When it ended.")


class RunRecord(Part):
    """A run that is over."""

    id: str = Field(max_length=16, description="Its id; a run asked for again has the same one.")
    number: int = Field(description="Which of the TweetBot's runs it was, from 1.")
    trigger: str = Field("", max_length=64, description="What asked for it; empty for the spec.")
    outcome: Literal["Succeeded", "Failed", "Superseded"] = Field(
        description="How it ended. Superseded: an edit put another run in its place; going back revives it."
    )
    reason: str = Field(max_length=64, description="Why it ended so.")
    dataset: str | None = Field(None, max_length=64, description="Digest of its dataset, if it came to one.")
    model_uri: str | None = Field(
        None, alias="modelURI", max_length=1400, description="The model that it published or adopted."
    )
    attempts: int = Field(description="Pods that ended in it, both stages together; preemption counts none.")
    started_at: str = Field(max_length=40, description="When it was recorded.")
    finished_at: str = Field(max_length=40, description="When it ended or gave way.")


class DataStatus(DataTable):
    """The data table of the latest dataset."""

    digest: str = Field(max_length=64, description="sha256 of the dataset.")
    newest_post_at: str | None = Field(None, max_length=40, description="When the newest kept post was made.")
    billed: Bill | None = Field(
        None, description="Posts that the run paid for, by kind of source; none where none charges."
    )


class ModelStatus(PublishedModel):
    """The model version to serve."""

    run_id: str = Field(max_length=16, description="The run that made it.")
    identity: str = Field(max_length=16, description="Hash of the identity it was trained from.")


class TrackingStatus(Part):
    """Where the latest run was tracked."""

    wandb_url: str | None = Field(None, alias="wandbURL", max_length=512, description="The W&B run's page.")


class TweetBotStatus(Part):
    """What has become of a TweetBot."""

    uid: str | None = Field(
        None, max_length=64, description="uid of the TweetBot that this was written for; on another it is not believed."
    )
    observed_generation: int = Field(-1, description="The generation last acted on; -1 before the first.")
    phase: Phase = Field("Pending", description="A summary of the conditions for people; programs read conditions.")
    conditions: tuple[Condition, ...] = Field(
        (),
        max_length=16,
        description="The state, aspect by aspect.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    current_run: CurrentRun | None = Field(None, description="The run that the spec asks for.")
    data: DataStatus | None = Field(None, description="The data table of the latest dataset.")
    model: ModelStatus | None = Field(None, description="The model version to serve.")
    metrics: Metrics | None = Field(None, description="Figures of the model to serve.")
    samples: tuple[Sample, ...] = Field((), max_length=200, description="What that model wrote.")
    tracking: TrackingStatus | None = Field(None, description="Where the latest run was tracked.")
    runs: tuple[RunRecord, ...] = Field(
        (), max_length=50, description="Runs that are over, newest first; see history.runs."
    )
    last_handled_retrain_at: str | None = Field(
        None, max_length=64, description="The retrain-at annotation last acted on."
    )

    last_schedule_time: str | None = Field(
        None, max_length=40, description="The schedule's latest time that started a run."
    )
    next_schedule_time: str | None = Field(None, max_length=40, description="When the schedule starts the next run.")

    def find_condition(self, type_: str) -> Condition | None:
        """Return the condition of this type, if there is one."""
        return next((condition for condition in self.conditions if condition.type == type_), None)
