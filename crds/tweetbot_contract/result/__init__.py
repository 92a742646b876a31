"""The result of a trainer Pod, written as its termination message: JSON of at most 4,000 bytes.

TrainerResult
├── PrepareSucceeded   the dataset's digest and data table, and a model version to adopt or to keep
├── TrainSucceeded     the published model, metrics, samples, where it was tracked
├── PinSucceeded       the version that latest.json names now
├── ForgetSucceeded    what was erased of posts that were to be forgotten, and what was not
├── CleanupSucceeded   to whom the objects were left, if they were not erased
└── StageFailed        a reason, and a message that says what to do
"""

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter

from tweetbot_contract.data_table import REASON_LIMIT, DataTable, DataWarning
from tweetbot_contract.result.erasure import ForgetSucceeded
from tweetbot_contract.spec.parts import Part

#: The kubelet keeps the last 4,096 bytes of a termination message; truncated JSON could not be parsed.
MESSAGE_LIMIT = 4000


def _require_finite(number: float) -> float:
    """Reject NaN and infinity, to which the API server answers 500, and round to five digits."""
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return float(f"{number:.5g}")


Finite = Annotated[float, AfterValidator(_require_finite)]


#: Number of billed posts by kind of source.
Bill = dict[Literal["x"], Annotated[int, Field(ge=0)]]


class DatasetResult(Part):
    """An immutable snapshot of cleaned posts in S3."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    """sha256 of the canonical posts.jsonl."""
    uri: str = Field(max_length=1400)
    """Address of the folder that holds the snapshot."""
    table: DataTable
    """What cleaning kept and dropped."""
    newest_post_at: str | None = Field(None, max_length=40)
    """When the newest kept post was written."""


class PublishedModel(Part):
    """An immutable model version in S3: a flat Hugging Face directory whose manifest is written last."""

    name: str = Field(max_length=144)
    """Name of the model version, <namespace>-<name>-<version>, under which to serve it."""
    uri: str = Field(max_length=1400)
    """Address of the model directory; KServe's storageUri."""
    digest: str = Field(max_length=64)
    """sha256 of the model version's MANIFEST.json."""
    size_bytes: int = Field(ge=0)
    """Size of the model directory in bytes."""
    published_at: str = Field(max_length=40)
    """When the model version was published."""

    @property
    def version(self) -> str:
        """The name of the version, as spec.pin names it."""
        return self.uri.removesuffix("/model").rpartition("/")[2]


class Figures(Part):
    """The figures of a model that runs are compared by."""

    eval_loss: Finite
    """Mean cross-entropy on the test posts, in nats per token; lower is better."""
    bits_per_byte: Finite
    """Cross-entropy on the test posts in bits per UTF-8 byte; lower is better."""
    verbatim_rate: Finite | None = None
    """Share of 1,000 samples that repeat 50 or more characters of a training post; absent if no post has as many."""
    style_score: Finite | None = None
    """How much the samples sound like the author: 0 like anybody, 1 like posts held out; absent if not measurable."""


class Metrics(Figures):
    """Evaluation of the trained model on the newest posts, which training never saw."""

    perplexity: Finite
    """Perplexity per token on the test posts: exp(evalLoss)."""
    test_posts: int | None = Field(None, ge=0)
    """Number of test posts."""
    base_bits_per_byte: Finite | None = None
    """Bits per byte of the base model, before training; absent for scratch:// bases."""
    improvement_low: Finite | None = None
    """Lower end of the 95 % confidence interval of the improvement over the base, in percent of its bits per byte;
    absent with fewer than 10 test posts."""
    bits_per_byte_low: Finite | None = None
    """Lower end of the 95 % confidence interval of bitsPerByte, bootstrapped over the test posts."""
    bits_per_byte_high: Finite | None = None
    """Upper end of the 95 % confidence interval of bitsPerByte, bootstrapped over the test posts."""
    first_train_loss: Finite | None = None
    """Training loss of the first steps, in nats per token."""
    train_loss: Finite
    """Training loss of the last steps, in nats per token."""
    tokens_per_second: Finite
    """Label tokens trained on per second, without time for evaluation."""
    train_seconds: Finite
    """Duration of the training in seconds, with its evaluations."""
    verbatim_rate_unseen: Finite | None = None
    """Share of 1,000 samples with 50 or more characters of a test post, unseen in training: a baseline."""
    distinct1: Finite | None = None
    """Share of the samples' words that are different."""
    distinct2: Finite | None = None
    """Share of the samples' two-word sequences that are different."""
    distinct3: Finite | None = None
    """Share of the samples' three-word sequences that are different."""
    leaked_samples: int | None = Field(None, ge=0)
    """Number of samples that contain an address, number or key from a training post."""
    style_score_low: Finite | None = None
    """Lower end of the 95 % confidence interval of styleScore, bootstrapped over samples and held-out posts."""
    style_score_high: Finite | None = None
    """Upper end of the 95 % confidence interval of styleScore, bootstrapped over samples and held-out posts."""
    function_word_score: Finite | None = None
    """How much the samples use function words like the author, by the scale of styleScore; absent if not measurable."""
    style_not_measured: str | None = Field(None, max_length=256)
    """Why there is no styleScore."""
    reliability: Literal["Normal", "Low"] = "Normal"
    """Low when there are fewer than 50 test posts, so that the figures on them are uncertain."""

    @property
    def figures(self) -> Figures:
        """The figures that runs are compared by."""
        return Figures.model_validate({name: getattr(self, name) for name in Figures.model_fields})


class Sample(Part):
    """A text that the model wrote."""

    prompt: str = Field(max_length=280)
    """Prompt that the model was given."""
    text: str = Field(max_length=2000)
    """Text that the model wrote, including the prompt."""


class TrackingResult(Part):
    """Where the run was tracked."""

    wandb_mode: Literal["Online", "Offline", "Disabled"] = "Disabled"
    """How Weights & Biases tracked the run."""
    wandb_url: str | None = Field(None, alias="wandbURL", max_length=512)
    """URL of the run's page, when tracked online."""
    report_url: str | None = Field(None, alias="reportURL", max_length=512)
    """URL of the TweetBot's report, when spec.tracking.wandb.report asks for one."""
    degraded: str | None = Field(None, max_length=512)
    """Why tracking did less than the spec asks for."""


class HubCopy(Part):
    """A copy of a model version on the Hugging Face Hub."""

    url: str = Field(max_length=512)
    """Page of the version, which is a tag of the repository."""
    commit: str = Field(max_length=64)
    """Commit that holds the version."""
    at: str = Field(max_length=40)
    """When it was sent, or last found there."""


class HubResult(Part):
    """What became of a version's copy on the Hugging Face Hub."""

    published: HubCopy | None = None
    #: Why there is none, or what of it is not as the spec asks.
    degraded: str | None = Field(None, max_length=512)


class TrainSucceeded(Part):
    """A model version was published, or an equal one was found."""

    kind: Literal["TrainSucceeded"] = "TrainSucceeded"
    schema_version: Literal[1] = 1
    model: PublishedModel
    metrics: Metrics
    samples: tuple[Sample, ...] = ()
    tracking: TrackingResult = TrackingResult()
    #: The version's copy on the Hub; None if the spec asks for none.
    hub: HubResult | None = None
    #: Which default gates the model misses on too little evidence to refuse it, and what to do.
    gate_advisory: str | None = Field(None, max_length=REASON_LIMIT)
    #: What else the training did less than the spec asks for, and what to do.
    advisory: str | None = Field(None, max_length=REASON_LIMIT)
    #: The version that latest.json stays at, as it is pinned: this one was published beside it.
    pinned: str | None = Field(None, max_length=32)
    #: To whom the output's folder belongs, if not to this TweetBot, and what to do.
    prefix_owned: str | None = Field(None, max_length=REASON_LIMIT)


class PrepareSucceeded(Part):
    """The dataset is in S3; `adopted` is a published model of exactly this dataset and training, if there is one."""

    kind: Literal["PrepareSucceeded"] = "PrepareSucceeded"
    schema_version: Literal[1] = 1
    dataset: DatasetResult
    adopted: TrainSucceeded | None = None
    #: Number of posts that the served model has not seen; set when they are too few to train.
    new_posts: int | None = None
    #: Posts that this run paid for; those that earlier runs paid for are not counted again.
    billed: Bill | None = None
    #: What the author should know of the data, the most important first.
    warnings: tuple[DataWarning, ...] = ()
    tracking: TrackingResult = TrackingResult()
    #: The copy on the Hub of the version that stays served, where nothing new is trained.
    hub: HubResult | None = None
    #: To whom the output's folder belongs, if not to this TweetBot, and what to do.
    prefix_owned: str | None = Field(None, max_length=REASON_LIMIT)


class PinSucceeded(Part):
    """latest.json names what spec.pin asks for: a version, or without a pin the newest one."""

    kind: Literal["PinSucceeded"] = "PinSucceeded"
    schema_version: Literal[1] = 1
    #: The served version; None if no version was ever published.
    served: TrainSucceeded | None = None
    #: Id of the run that trained it.
    run_id: str = Field("", max_length=16)
    #: The version that is served without a pin, if there is one.
    newest: str | None = Field(None, max_length=32)


class CleanupSucceeded(Part):
    """A deleted TweetBot's objects are erased, or left to another one that uses them."""

    kind: Literal["CleanupSucceeded"] = "CleanupSucceeded"
    schema_version: Literal[1] = 1
    #: To whom they were left.
    prefix_owned: str | None = Field(None, max_length=REASON_LIMIT)


class StageFailed(Part):
    """The stage failed; the exit code says whether a retry can help."""

    kind: Literal["StageFailed"] = "StageFailed"
    schema_version: Literal[1] = 1
    reason: str = Field(pattern=r"^[A-Z][A-Za-z0-9]{0,63}$")
    message: str = Field(max_length=REASON_LIMIT)
    #: Those of the model that was trained and not published.
    figures: Figures | None = None
    #: Posts that the run has paid for, as in PrepareSucceeded.
    billed: Bill | None = None


TrainerResult = Annotated[
    PrepareSucceeded | TrainSucceeded | PinSucceeded | ForgetSucceeded | CleanupSucceeded | StageFailed,
    Field(discriminator="kind"),
]
_ADAPTER: TypeAdapter[TrainerResult] = TypeAdapter(TrainerResult)


def decode(text: str) -> TrainerResult:
    """Parse a termination message. Raises ValueError (pydantic's) when it is not one."""
    return _ADAPTER.validate_json(text)


def encode(result: TrainerResult) -> bytes:
    """Return a termination message of at most MESSAGE_LIMIT bytes; it is shortened to fit, by its samples first."""
    while len(message := _ADAPTER.dump_json(result, by_alias=True, exclude_none=True)) > MESSAGE_LIMIT:
        result = _shorten(result)
    return message


def _shorten(result: TrainerResult) -> TrainerResult:
    match result:
        case TrainSucceeded(samples=samples) if samples:
            return result.model_copy(update={"samples": samples[:-1]})
        case (
            PrepareSucceeded(adopted=TrainSucceeded(samples=samples, gate_advisory=advisory) as made)
            | PinSucceeded(served=TrainSucceeded(samples=samples, gate_advisory=advisory) as made)
        ) if samples or advisory:
            name = "adopted" if isinstance(result, PrepareSucceeded) else "served"
            return result.model_copy(update={name: _shorten(made)})
        case PrepareSucceeded(warnings=warnings) if warnings:
            return result.model_copy(update={"warnings": warnings[:-1]})
        case PrepareSucceeded(prefix_owned=str(owner)) | TrainSucceeded(prefix_owned=str(owner)) if owner:
            return result.model_copy(update={"prefix_owned": owner[: len(owner) // 2]})
        case TrainSucceeded(advisory=notes, gate_advisory=advisory) if words := notes or advisory:
            name = "advisory" if notes else "gate_advisory"
            return result.model_copy(update={name: words[: len(words) // 2]})
        case ForgetSucceeded(left=left) if left:
            return result.model_copy(update={"left": left[:-1]})
        case StageFailed(message=message):
            return result.model_copy(update={"message": message[: len(message) // 2]})
        case _:
            raise ValueError("the result does not fit a termination message even without samples")
