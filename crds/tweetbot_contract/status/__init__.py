"""The `status` of a TweetBot; only the operator writes it."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from tweetbot_contract.data_table import DataTable
from tweetbot_contract.platform_class.run_class import RunClass
from tweetbot_contract.platform_class.usage import RunUsage
from tweetbot_contract.result import Bill, Figures, Finite, HubCopy, Metrics, PublishedModel, Sample
from tweetbot_contract.spec.parts import Part
from tweetbot_contract.status.costs import RunActual, RunEstimate
from tweetbot_contract.status.tasks import ForgetStatus, PinStatus

#: A part whose fields would else stand one by one in managedFields, too.
_ATOMIC: dict[str, JsonValue] = {"x-kubernetes-map-type": "atomic"}
Phase = Literal["Pending", "Preparing", "Queued", "Training", "Succeeded", "Failed", "Suspended"]
Stage = Literal["Prepare", "Train"]


class Condition(Part):
    """One aspect of the TweetBot's state, in the form of metav1.Condition."""

    type: str = Field(max_length=316)
    """Aspect of the TweetBot that the condition describes, e.g. Ready."""
    status: Literal["True", "False", "Unknown"]
    """Whether the condition holds."""
    reason: str = Field(max_length=1024)
    """Why the condition has this status, as one word; docs/troubleshooting.md lists them all."""
    message: str = Field("", max_length=2048)
    """Why the condition has this status, in a sentence, and what to do about it."""
    last_transition_time: str = Field(max_length=40)
    """When the condition's status last changed."""
    observed_generation: int
    """Generation of the spec that the condition describes."""


class ProgressStatus(Part):
    """Progress of the stage. It is updated in steps; the operator's /metrics shows a training's live."""

    percent: int | None = Field(None, ge=0, le=100)
    """Percent of the training that is done; absent while posts are prepared."""
    posts: int | None = Field(None, ge=0)
    """Number of posts read so far, while posts are prepared."""
    step: int | None = Field(None, ge=0)
    """Number of optimizer steps done; absent at the end if the last step was not reported."""
    total_steps: int | None = Field(None, ge=0)
    """Number of optimizer steps planned; training that stops early does fewer."""
    eta_seconds: int | None = Field(None, ge=0)
    """Estimated seconds until the training ends."""
    eta: str | None = Field(None, max_length=16)
    """Estimated time until the training ends, rounded for reading, e.g. 12m."""
    train_loss: Finite | None = None
    """Latest training loss, in nats per token."""
    eval_loss: Finite | None = None
    """Latest validation loss, in nats per token."""
    updated_at: str = Field(max_length=40)
    """When this progress was reported."""


class Trouble(Part):
    """What last went wrong in a run. Its present attempt may be doing well, or the run may have succeeded since."""

    reason: str = Field(max_length=64)
    """Why the attempt ended or waited, as one word."""
    message: str = Field(max_length=512)
    """Why the attempt ended or waited, in the cluster's or the trainer's words, and what to do about it."""
    stage: Stage
    """Stage that had the trouble."""
    attempt: int
    """Attempt of the stage that had the trouble."""
    exit_code: int | None = None
    """Exit code of the trainer, if it ran."""
    pod: str | None = Field(None, max_length=253)
    """Name of the Pod that ended; absent if the attempt only waited."""
    at: str = Field(max_length=40)
    """When the attempt ended, or began to wait."""


class CurrentRun(Part):
    """The run that the spec asks for."""

    id: str = Field(max_length=16)
    """Id of the run: a hash of the spec's identity and the trigger."""
    number: int
    """Number of the run; this TweetBot's first run is 1."""
    trigger: str = Field(max_length=64)
    """What started the run: a retrain-at value (as force/<value> where force-at had it, too), take-over/<uid> or
    schedule/<time>; empty when the spec did."""
    identity: str = Field(max_length=16)
    """Hash of the spec fields that decide what is trained."""
    execution: str = Field(max_length=16)
    """Hash of the spec fields that decide how the run is executed."""
    run_class: RunClass | None = Field(None, alias="class")
    """Class of the run, as it was when the run began; absent without a class."""
    usage: RunUsage | None = None
    """What the run has used of its class's budgets; absent until it begins, and without a class."""
    stage: Stage
    """Stage that the run has reached."""
    outcome: Literal["Succeeded", "Failed"] | None = None
    """How the run ended; absent until it has ended."""
    reason: str | None = Field(None, max_length=64)
    """Why the run ended as it did, as one word."""
    message: str | None = Field(None, max_length=1024)
    """Why the run ended as it did, in a sentence, and what to do about it."""
    job_name: str | None = Field(None, max_length=63)
    """Name of the Job that runs the stage."""
    attempt: int = 0
    """Number of Pods that the stage has used, the present one included."""
    retries: int = 0
    """How many of the stage's Jobs ended in a temporary failure."""
    retry_at: str | None = Field(None, max_length=40)
    """When the next Job is created after a temporary failure."""
    job_creations: int = 0
    """How many of the stage's Jobs were created in quick succession. From the sixth on there are pauses."""
    job_created_at: str | None = Field(None, max_length=40)
    """When the last of these was about to be created."""
    ran_seconds: int = 0
    """Seconds that the stage's containers have run, in the Pods of countedPods and in earlier ones."""
    pods: int = 0
    """Number of Pods that the run has used, those of countedPods and earlier ones."""
    disruptions: int = 0
    """Number of the present Job's Pods that had to leave their node."""
    counted_pods: tuple[Annotated[str, Field(max_length=64)], ...] = Field((), max_length=64)
    """uids of the latest Pods that ranSeconds already includes."""
    avoided_nodes: tuple[Annotated[str, Field(max_length=253)], ...] = Field((), max_length=16)
    """Nodes whose GPU torch could not use. The next Job prefers other nodes."""
    dataset: str | None = Field(None, max_length=64)
    """Digest of the run's dataset; absent until it is prepared."""
    progress: ProgressStatus | None = None
    """Progress of the training, when the trainer can report it."""
    figures: Figures | None = None
    """Figures of the model that the run trained or adopted, published or not; absent if it has none."""
    estimate: RunEstimate | None = Field(None, json_schema_extra=_ATOMIC)
    """What the run was expected to take; absent until the number of posts is known."""
    actual: RunActual | None = Field(None, json_schema_extra=_ATOMIC)
    """What the run has taken in the stages that have ended; absent until one has."""
    last_trouble: Trouble | None = None
    """What last went wrong in the run, kept whatever comes after it; absent if nothing did."""
    started_at: str = Field(max_length=40)
    """When the run was recorded."""
    finished_at: str | None = Field(None, max_length=40)
    """When the run ended."""


class RunRecord(Part):
    """A run that has ended."""

    id: str = Field(max_length=16)
    """Id of the run; a run that is asked for again has the same id."""
    number: int
    """Number of the run; this TweetBot's first run is 1."""
    trigger: str = Field("", max_length=64)
    """What started the run: a retrain-at value, force/<value>, take-over/<uid> or schedule/<time>; empty: the spec."""
    outcome: Literal["Succeeded", "Failed", "Superseded"]
    """How the run ended. Superseded means that an edit replaced it; undoing the edit resumes it."""
    reason: str = Field(max_length=64)
    """Why the run ended as it did, as one word."""
    dataset: str | None = Field(None, max_length=64)
    """Digest of the run's dataset, if one was prepared."""
    model_uri: str | None = Field(None, alias="modelURI", max_length=1400)
    """Address of the model that the run published or adopted."""
    figures: Figures | None = None
    """Figures of the model that the run trained or adopted, published or not; absent if it has none."""
    attempts: int
    """Number of Pods of both stages that ended, preempted ones excepted."""
    usage: RunUsage | None = None
    """What the run used of its class's budgets; absent if it never began, and without a class."""
    estimate: RunEstimate | None = None
    """What the run was expected to take; absent if the number of posts was never known."""
    actual: RunActual | None = None
    """What it took in the stages that ended; absent if none did."""
    last_trouble: str | None = Field(None, max_length=256)
    """What last went wrong in the run, also if it succeeded after that."""
    started_at: str = Field(max_length=40)
    """When the run was recorded."""
    finished_at: str = Field(max_length=40)
    """When the run ended or was superseded."""


class DataStatus(DataTable):
    """The data table of the latest dataset."""

    digest: str = Field(max_length=64)
    """sha256 of the dataset."""
    newest_post_at: str | None = Field(None, max_length=40)
    """When the newest kept post was written."""
    billed: Bill | None = None
    """Number of posts that the run paid for, by kind of source; absent when no source charges."""


class ModelStatus(PublishedModel):
    """The model version to serve."""

    run_id: str = Field(max_length=16)
    """Id of the run that trained the model."""
    identity: str = Field(max_length=16)
    """Hash of the spec fields that decided how the model was trained."""
    hugging_face: HubCopy | None = None
    """Copy of the version on the Hugging Face Hub; absent without one."""


class TrackingStatus(Part):
    """Where the latest run was tracked."""

    wandb_url: str | None = Field(None, alias="wandbURL", max_length=512)
    """URL of the latest run's page at Weights & Biases."""
    report_url: str | None = Field(None, alias="reportURL", max_length=512)
    """URL of the TweetBot's report at Weights & Biases."""


class Columns(Part):
    """What kubectl get prints and what stands nowhere else in that form. Programs should read the other fields."""

    since: str | None = Field(None, max_length=40)
    """When the present phase and reason began."""
    progress: str | None = Field(None, max_length=8)
    """How much of the training is done, e.g. 43%."""
    model: str | None = Field(None, max_length=32)
    """Version of the model to serve."""
    message: str = Field("", max_length=64)
    """What the TweetBot is doing or waiting for, in a few words; the conditions say all."""


class TweetBotStatus(Part):
    """The observed state of a TweetBot."""

    uid: str | None = Field(None, max_length=64)
    """uid of the TweetBot that this status was written for; a TweetBot with another uid ignores it."""
    observed_generation: int = -1
    """Generation of the spec that the operator last acted on; -1 before it first did."""
    phase: Phase = "Pending"
    """Summary of the conditions for people. Programs should read the conditions instead."""
    conditions: tuple[Condition, ...] = Field(
        (), max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
    )
    """State of the TweetBot, one condition per aspect."""
    columns: Columns | None = None
    """What kubectl get shows of the TweetBot."""
    current_run: CurrentRun | None = None
    """The run that the spec asks for."""
    data: DataStatus | None = None
    """What cleaning kept and dropped of the latest dataset's posts."""
    model: ModelStatus | None = None
    """The model version to serve."""
    metrics: Metrics | None = None
    """Evaluation of the model version to serve."""
    samples: tuple[Sample, ...] = Field((), max_length=200)
    """Texts that the model version to serve wrote."""
    pin: PinStatus | None = None
    """What became of spec.pin, and what would be served without it."""
    forget: ForgetStatus | None = None
    """What became of the latest request to forget posts, by the annotation forget-at."""
    tracking: TrackingStatus | None = None
    """Where the latest run was tracked."""
    runs: tuple[RunRecord, ...] = Field((), max_length=50)
    """Runs that have ended, newest first; spec.history.runs says how many are kept."""
    last_handled_retrain_at: str | None = Field(None, max_length=64)
    """Value of the retrain-at annotation that the operator last acted on."""
    last_handled_take_over: str | None = Field(None, max_length=64)
    """Value of the take-over-prefix annotation that the latest run was given."""
    last_schedule_time: str | None = Field(None, max_length=40)
    """Time of the schedule at which a run was last started."""
    next_schedule_time: str | None = Field(None, max_length=40)
    """When the schedule starts the next run."""

    def find_condition(self, type_: str) -> Condition | None:
        """Return the condition of this type, or None."""
        return next((condition for condition in self.conditions if condition.type == type_), None)
