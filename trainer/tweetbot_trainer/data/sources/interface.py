"""What a source needs of the world: objects to read, and a place where billed pages are kept."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol, runtime_checkable

from tweetbot_trainer.data.posts import Post


class ObjectReader(Protocol):
    """Reads objects by address (s3:// or file://); store.Stores is one."""

    def open_seekable(self, uri: str) -> BinaryIO:
        """Return the object as a seekable file that fetches only what is read. Raises StageError."""
        ...


class PageCache(Protocol):
    """Keeps the raw pages of one account for all runs of a bot, so that no post is paid for twice.

    `run_id` is the run that reads; names are paths of one folder or more.
    """

    run_id: str

    def list_names(self, folder: str) -> list[str]:
        """Return the names of what is kept in a folder, in their order."""
        ...

    def load(self, name: str) -> bytes | None:
        """Return what was kept under a name, or None."""
        ...

    def save(self, name: str, content: bytes) -> None:
        """Keep something under a name, unless something is kept there already."""
        ...


@dataclass(frozen=True, slots=True)
class Avatar:
    """A picture as its source held it: PNG or JPEG bytes, unchecked."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Profile:
    """How a source's account shows itself; the card's header has it. Whatever the source does not say is None."""

    account_id: str | None = None
    handle: str | None = None
    display_name: str | None = None
    avatar: Avatar | None = None


class PostSource(Protocol):
    """One source of posts."""

    def read_posts(self) -> Iterator[Post]:
        """Yield every post that the source holds, retweets and short ones included. Raises StageError."""
        ...

    def read_profile(self) -> Profile | None:
        """Return how the account shows itself, or None; asked once, after the posts. It never fails a run."""
        ...


@runtime_checkable
class PaidSource(PostSource, Protocol):
    """One whose posts cost money."""

    def count_billed_posts(self) -> int:
        """Return how many posts the run has paid for; asked after the posts."""
        ...


_LANGUAGE = re.compile(r"[a-z]{2,3}(?=[-_]|$)")


def parse_language(tag: object) -> str | None:
    """Return the language of a BCP 47 tag such as `pt-BR`, its region left off; None where there is none."""
    match = _LANGUAGE.match(tag.lower()) if isinstance(tag, str) else None
    return match[0] if match else None
