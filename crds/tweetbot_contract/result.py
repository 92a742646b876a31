"""What a trainer Pod hands back: its termination message, JSON of at most 4,000 bytes.

TrainerResult
├── PrepareSucceeded   the dataset by digest, its data table, and a model version to adopt or to keep
├── TrainSucceeded     the published model, metrics, samples, where it was tracked
└── StageFailed        one reason, one message that says what to do
"""

import math
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from tweetbot_contract.spec.parts import Part

#: The kubelet keeps the last 4,096 bytes of a termination message; cut JSON parses as nothing, so we stay below.
MESSAGE_LIMIT = 4000
REASON_LIMIT = 1024


def _require_finite(number: float) -> float:
    """NaN and infinity in a status are a 500 from the API server; beyond five digits a figure says nothing."""
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return float(f"{number:.5g}")


Finite = Annotated[float, AfterValidator(_require_finite)]


#: Posts by the kind of source that charges for them.
Bill = dict[Literal["x"], Annotated[int, Field(ge=0)]]


class DataTable(Part):
    """What became of the posts. `kept` is always `downloaded` less the drops."""

    downloaded: int = Field(ge=0, description="Posts that the sources held.")
    retweets: int = Field(0, ge=0, description="Dropped: posts of others, passed on, as far as X was asked for them.")
    edits: int = Field(
        0, ge=0, description="Dropped: versions of a post that was edited later; huggingtweets counts none."
    )
    replies: int = Field(0, ge=0, description="Dropped: replies, where filter.replies is Drop.")
    languages: int = Field(0, ge=0, description="Dropped: other languages than filter.languages.")
    short: int = Field(0, ge=0, description="Dropped: fewer words than filter.minWords after cleaning.")
    duplicates: int = Field(0, ge=0, description="Dropped: nearly the same as an earlier post.")
    kept: int = Field(ge=0, description="Posts in the dataset.")
    redacted: int = Field(0, ge=0, description="Kept posts in which personal data was replaced.")

    DROPS: ClassVar[tuple[str, ...]] = ("retweets", "edits", "replies", "languages", "short", "duplicates")

    @model_validator(mode="after")
    def _check_total(self) -> Self:
        dropped = sum(getattr(self, name) for name in self.DROPS)
        if self.kept != self.downloaded - dropped:
            raise ValueError(f"kept {self.kept} is not downloaded {self.downloaded} less {dropped} dropped")
        return self


class DatasetResult(Part):
    """An immutable snapshot of cleaned posts in S3."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="sha256 of the canonical posts.jsonl.")
    uri: str = Field(max_length=1400, description="The folder that holds the snapshot.")
    table: DataTable = Field(description="What became of the posts.")
    newest_post_at: str | None = Field(None, max_length=40, description="When the newest kept post was made.")


class PublishedModel(Part):
    """An immutable model version in S3: a flat Hugging Face directory, and a manifest written last."""

    name: str = Field(max_length=144, description="<namespace>-<name>-<version>, what a server lists it as.")
    uri: str = Field(max_length=1400, description="The directory to load; for KServe the storageUri.")
    digest: str = Field(max_length=64, description="sha256 of the version's MANIFEST.json.")
    size_bytes: int = Field(ge=0, description="Bytes of the model directory.")
    published_at: str = Field(max_length=40, description="When the manifest was written.")


class Metrics(Part):
    """Figures of the finished model on the newest posts, which training never saw."""

    eval_loss: Finite = Field(description="Mean cross-entropy in nats a token on the test posts.")
    perplexity: Finite = Field(description="exp(evalLoss).")
    bits_per_byte: Finite = Field(description="Bits a UTF-8 byte on the test posts; lower is better.")
    base_bits_per_byte: Finite | None = Field(
        None, description="The same of the base model before training; absent for scratch bases."
    )
    bits_per_byte_low: Finite | None = Field(
        None, description="Lower end of the 95 % interval of bitsPerByte, by a bootstrap over the posts."
    )
    bits_per_byte_high: Finite | None = Field(None, description="Its upper end.")
    first_train_loss: Finite | None = Field(None, description="Training loss of the first steps.")
    train_loss: Finite = Field(description="Training loss of the last steps.")
    tokens_per_second: Finite = Field(description="Label tokens trained on a second, evaluation apart.")
    train_seconds: Finite = Field(description="Seconds of training, evaluation included.")
    verbatim_rate: Finite | None = Field(
        None, description="Share of 1,000 samples in which 50 characters or more stand in a post it was trained on."
    )
    verbatim_rate_unseen: Finite | None = Field(
        None, description="The same against the test posts, which training never saw: what people repeat by themselves."
    )
    distinct1: Finite | None = Field(None, description="Share of different words among those of the samples.")
    distinct2: Finite | None = Field(None, description="The same of sequences of two words.")
    distinct3: Finite | None = Field(None, description="The same of sequences of three words.")
    leaked_samples: int | None = Field(
        None, ge=0, description="Samples with an address, a number or a key that stands in a post it was trained on."
    )
    reliability: Literal["Normal", "Low"] = Field("Normal", description="Low where the test part holds under 50 posts.")


class Sample(Part):
    """One text that the model wrote."""

    prompt: str = Field(max_length=280, description="What it was given.")
    text: str = Field(max_length=2000, description="What it made of it, the prompt included.")


class TrackingResult(Part):
    """Where the run was tracked."""

    wandb_mode: Literal["Online", "Offline", "Disabled"] = Field(
        "Disabled", description="How Weights & Biases took part."
    )
    wandb_url: str | None = Field(None, alias="wandbURL", max_length=512, description="The run's page, when Online.")
    degraded: str | None = Field(None, max_length=512, description="Why tracking did less than was asked for.")


class TrainSucceeded(Part):
    """A model version was published, or one published before was found again."""

    kind: Literal["TrainSucceeded"] = "TrainSucceeded"
    schema_version: Literal[1] = 1
    model: PublishedModel
    metrics: Metrics
    samples: tuple[Sample, ...] = ()
    tracking: TrackingResult = TrackingResult()


class PrepareSucceeded(Part):
    """The dataset stands in S3; with `adopted`, so does a model for exactly this dataset and training."""

    kind: Literal["PrepareSucceeded"] = "PrepareSucceeded"
    schema_version: Literal[1] = 1
    dataset: DatasetResult
    adopted: TrainSucceeded | None = None
    #: Posts that the served model has not seen, where they are too few for the schedule: nothing is trained.
    new_posts: int | None = None
    #: Posts that the run paid for; what earlier runs have paid for and kept is not among them.
    billed: Bill | None = None
    tracking: TrackingResult = TrackingResult()


class StageFailed(Part):
    """The stage ended without its result; the exit code says whether trying again can help."""

    kind: Literal["StageFailed"] = "StageFailed"
    schema_version: Literal[1] = 1
    reason: str = Field(pattern=r"^[A-Z][A-Za-z0-9]{0,63}$")
    message: str = Field(max_length=REASON_LIMIT)


TrainerResult = Annotated[PrepareSucceeded | TrainSucceeded | StageFailed, Field(discriminator="kind")]
_ADAPTER: TypeAdapter[Any] = TypeAdapter(TrainerResult)


def decode(text: str) -> PrepareSucceeded | TrainSucceeded | StageFailed:
    """Read a termination message. Raises ValueError (pydantic's) when it is not one."""
    result: PrepareSucceeded | TrainSucceeded | StageFailed = _ADAPTER.validate_json(text)
    return result


def encode(result: PrepareSucceeded | TrainSucceeded | StageFailed) -> bytes:
    """Write a termination message of at most MESSAGE_LIMIT UTF-8 bytes; samples go first when it is too long."""
    while len(message := _ADAPTER.dump_json(result, by_alias=True, exclude_none=True)) > MESSAGE_LIMIT:
        result = _shorten(result)
    return message


def _shorten(
    result: PrepareSucceeded | TrainSucceeded | StageFailed,
) -> PrepareSucceeded | TrainSucceeded | StageFailed:
    match result:
        case TrainSucceeded(samples=samples) if samples:
            return result.model_copy(update={"samples": samples[:-1]})
        case PrepareSucceeded(adopted=TrainSucceeded(samples=samples) as adopted) if samples:
            return result.model_copy(update={"adopted": adopted.model_copy(update={"samples": samples[:-1]})})
        case StageFailed(message=message):
            return result.model_copy(update={"message": message[: len(message) // 2]})
        case _:
            raise ValueError("a result without samples is longer than a termination message may be")
