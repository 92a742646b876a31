"""What a Job has erased of posts that are to be forgotten, and what it could not."""

from typing import Literal

from pydantic import Field

from tweetbot_contract.spec.parts import Part


class ErasedCounts(Part):
    """How many objects were erased because they held posts that were to be forgotten."""

    datasets: int = Field(0, ge=0)
    """Number of datasets."""
    versions: int = Field(0, ge=0)
    """Number of model versions, rejected ones included."""
    checkpoints: int = Field(0, ge=0)
    """Number of trainings whose checkpoints were erased."""
    raw_files: int = Field(0, ge=0)
    """Number of files with posts as X sent them."""
    tracked_runs: int = Field(0, ge=0)
    """Number of runs at Weights & Biases."""
    hub_copies: int = Field(0, ge=0)
    """Number of copies on the Hugging Face Hub."""

    def add(self, other: "ErasedCounts") -> "ErasedCounts":
        """Return the sums."""
        names = ErasedCounts.model_fields
        return ErasedCounts.model_validate({name: getattr(self, name) + getattr(other, name) for name in names})


class LeftOver(Part):
    """Something that holds posts which were to be forgotten, and could not be erased."""

    what: str = Field(max_length=512)
    """Address of what is left."""
    reason: str = Field(pattern=r"^[A-Z][A-Za-z0-9]{0,63}$")
    """Why it is left, as one word."""
    message: str = Field(max_length=512)
    """Why it is left, in a sentence, and what to do about it."""
    retry: bool = False
    """Whether another try may erase it with nothing changed."""


class ForgetSucceeded(Part):
    """What held the posts is erased, but for what is `left`."""

    kind: Literal["ForgetSucceeded"] = "ForgetSucceeded"
    schema_version: Literal[1] = 1
    erased: ErasedCounts = ErasedCounts()
    left: tuple[LeftOver, ...] = ()
    #: Number of them, as a termination message may have no room for all.
    left_total: int = 0
