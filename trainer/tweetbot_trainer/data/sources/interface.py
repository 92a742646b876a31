"""What sources are, and what they need: objects to read, and a cache for pages that cost money."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol, runtime_checkable

from tweetbot_contract.data_table import DataWarning
from tweetbot_trainer.data.posts import Post

#: The first bytes of PNG and JPEG files.
PICTURE_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
#: Longer display names are cut; the networks allow 50 to 64 characters.
NAME_LIMIT = 100
#: Percent of the records that a source says it holds that may be missing, where the spec says nothing.
MAX_MISSING_PERCENT = 5


class ObjectReader(Protocol):
    """Reads objects by address (s3:// or file://)."""

    def open_seekable(self, uri: str) -> BinaryIO:
        """Return the object as a seekable file that fetches only what is read. Raises StageError."""


class PageCache(Protocol):
    """Keeps the raw pages of one account for all runs of a bot, so that no post is paid for twice.

    `run_id` is the run that reads; names are paths with at least one folder.
    """

    run_id: str

    def list_names(self, folder: str) -> list[str]:
        """Return the sorted names of a folder's pages, without the folder."""

    def load(self, name: str) -> bytes | None:
        """Return the page with this name, if there is one."""

    def save(self, name: str, content: bytes) -> None:
        """Store a page unless the name is taken."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Names and picture of a source's account, for the card's header; None for what the source does not say.

    `avatar` is a PNG or JPEG as the source has it, unchecked.
    """

    account_id: str | None = None
    handle: str | None = None
    display_name: str | None = None
    avatar: bytes | None = None


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What a source's origin says it holds, and what of it was not yielded as a post.

    `claimed` counts records of every kind, None if the origin says nothing; `left_out` counts records by the names of
    DataTable.LEFT_OUT; `advice` says for some of these names how to have the records nevertheless.
    """

    claimed: int | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[DataWarning, ...] = ()
    advice: Mapping[str, str] = field(default_factory=dict)


class PostSource(Protocol):
    """One source of posts."""

    def read_posts(self) -> Iterator[Post]:
        """Yield every post of the source, retweets and short ones included. Raises StageError."""

    def build_report(self) -> SourceReport:
        """Return what the source claims, and what it left out. Called once, after the posts."""

    def read_profile(self) -> Profile | None:
        """Return the account's profile, if the source has one. Called once, after the posts; never fails a run."""


@runtime_checkable
class PaidSource(PostSource, Protocol):
    """A source whose posts cost money."""

    def count_billed_posts(self) -> int:
        """Return how many posts the run has paid for. Called after the posts."""
