"""What Jobs beside the stages are asked to do, and what became of it: serve what spec.pin names, and forget posts."""

from typing import Literal

from pydantic import Field

from tweetbot_contract.result.erasure import ErasedCounts, LeftOver
from tweetbot_contract.spec.parts import Part

#: Seconds that X's terms give from a request to forget posts until nothing holds them.
FORGET_SECONDS = 86400


class PinRequest(Part):
    """What spec.pin asked for. Requests are ordered by their time, then by their generation."""

    version: str = Field("", max_length=32)
    """Version that spec.pin names; empty once it was removed, until the newest version is served again."""
    requested_at: str = Field(max_length=40)
    """When the request was recorded, or was recorded again for another try."""
    generation: int
    """Generation of the spec that asked for it."""


class NewestVersion(Part):
    """The version that is served when spec.pin is removed: the newest that passed its gates."""

    version: str = Field(max_length=32)
    """Name of the version."""
    run_id: str = Field("", max_length=16)
    """Id of the run that published or adopted it, if it is known."""
    identity: str = Field("", max_length=16)
    """Hash of the spec fields that decided how it was trained, if it is known."""


class PinStatus(PinRequest):
    """What became of spec.pin; absent without one."""

    outcome: Literal["Succeeded", "Failed"] | None = None
    """Succeeded while the pinned version is served; absent until latest.json was moved."""
    reason: str | None = Field(None, max_length=64)
    """Why it failed, as one word."""
    message: str | None = Field(None, max_length=1024)
    """Why it failed, in a sentence, and what to do about it."""
    retries: int = 0
    """How many tries have failed in a row."""
    retry_at: str | None = Field(None, max_length=40)
    """When the next try begins."""
    newest: NewestVersion | None = None
    """The version that is served when spec.pin is removed."""

    @property
    def request(self) -> PinRequest:
        """The request alone, as a Job is given it."""
        return PinRequest(version=self.version, requested_at=self.requested_at, generation=self.generation)


class ForgetRequest(Part):
    """What the forget-at annotation asked for: that nothing is left of the posts in spec.filter.excludeIds."""

    request: str = Field(max_length=64)
    """Value of the annotation."""
    requested_at: str = Field(max_length=40)
    """When it was recorded. If an earlier request was not fulfilled then, when that was: its posts are the oldest."""
    started_at: str | None = Field(None, max_length=40)
    """When the latest try to erase was recorded; absent while a version without the posts is waited for."""


class ForgetStatus(ForgetRequest):
    """What became of the latest request to forget posts; absent without one."""

    outcome: Literal["Succeeded", "Incomplete", "Failed"] | None = None
    """Succeeded once all is erased, Incomplete where something is left; absent until a try has ended."""
    reason: str | None = Field(None, max_length=64)
    """Why the latest try failed, as one word."""
    message: str | None = Field(None, max_length=1024)
    """Why the latest try failed, in a sentence, and what to do about it."""
    retries: int = 0
    """How many tries in a row have not erased everything."""
    retry_at: str | None = Field(None, max_length=40)
    """When the next try begins."""
    finished_at: str | None = Field(None, max_length=40)
    """When everything was erased."""
    erased: ErasedCounts | None = None
    """What all tries have erased."""
    left: tuple[LeftOver, ...] = Field((), max_length=16)
    """What the latest try could not erase; at most 16 of them."""
    left_total: int = 0
    """Number of things that the latest try could not erase."""

    @property
    def asked(self) -> ForgetRequest:
        """The request alone, as a Job is given it."""
        return ForgetRequest(request=self.request, requested_at=self.requested_at, started_at=self.started_at)
