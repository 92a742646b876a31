"""What became of the records that the sources hold: the data table, and warnings about them."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from tweetbot_contract.spec.parts import Part

#: Characters of a message in a result: several must fit a termination message.
REASON_LIMIT = 1024


class DataTable(Part):
    """What became of the sources' records: `kept` is always `downloaded` less the dropped ones, and what the sources
    claim to hold is what was downloaded, left out or is missing."""

    claimed: int | None = Field(None, ge=0)
    """Number of records that the sources say they hold; of a source that says nothing, those read. Absent if none
    says how many."""
    repeated: int = Field(0, ge=0)
    """Left out: records of posts that had come before; with recipe huggingtweets earlier
    versions of edited posts too."""
    unreadable: int = Field(0, ge=0)
    """Left out: damaged records."""
    not_public: int = Field(0, ge=0)
    """Left out: posts that their author did not make public, or not for this use."""
    not_posts: int = Field(0, ge=0)
    """Left out: records that are no posts of the author."""
    older: int = Field(0, ge=0)
    """Left out: posts older than the newest maxPosts."""
    excluded: int = Field(0, ge=0)
    """Left out: posts that spec.filter.excludeIds names."""
    missing: int = Field(0, ge=0)
    """Claimed by the sources, but not found in them."""
    downloaded: int = Field(ge=0)
    """Number of posts read from all sources."""
    retweets: int = Field(0, ge=0)
    """Dropped: retweets and reposts of others. Those that X was not asked for are not counted."""
    edits: int = Field(0, ge=0)
    """Dropped: earlier versions of edited posts; always 0 with recipe huggingtweets."""
    truncated: int = Field(0, ge=0)
    """Dropped: posts of which the source has only the beginning."""
    replies: int = Field(0, ge=0)
    """Dropped: replies, when spec.filter.replies is Drop."""
    languages: int = Field(0, ge=0)
    """Dropped: posts in languages that spec.filter.languages does not list."""
    short: int = Field(0, ge=0)
    """Dropped: posts that cleaning left with fewer words than spec.filter.minWords."""
    duplicates: int = Field(0, ge=0)
    """Dropped: posts that nearly repeat an earlier one."""
    kept: int = Field(ge=0)
    """Number of posts in the dataset."""
    redacted: int = Field(0, ge=0)
    """Number of kept posts in which personal data was replaced."""

    LEFT_OUT: ClassVar[tuple[str, ...]] = ("repeated", "unreadable", "not_public", "not_posts", "older", "excluded")
    DROPS: ClassVar[tuple[str, ...]] = ("retweets", "edits", "truncated", "replies", "languages", "short", "duplicates")

    @model_validator(mode="after")
    def _check_total(self) -> Self:
        dropped = sum(getattr(self, name) for name in self.DROPS)
        if self.kept != self.downloaded - dropped:
            raise ValueError(f"kept {self.kept} is not downloaded {self.downloaded} less {dropped} dropped")
        if self.missing < (self.claimed or 0) - self.found or (self.missing and self.claimed is None):
            raise ValueError(f"missing {self.missing} is less than claimed {self.claimed} less {self.found} found")
        return self

    @property
    def found(self) -> int:
        """Return how many records were read, as posts or not."""
        left_out: int = sum(getattr(self, name) for name in self.LEFT_OUT)
        return self.downloaded + left_out


class DataWarning(Part):
    """What the author should know of a run's data, although the run goes on."""

    reason: str = Field(pattern=r"^[A-Z][A-Za-z0-9]{0,63}$")
    """Name of a reason of reasons/."""
    message: str = Field(max_length=REASON_LIMIT)
    """A sentence that names the source and the numbers, and what to do."""
