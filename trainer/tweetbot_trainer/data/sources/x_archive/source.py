"""The account owner's own X export: the zip as it was downloaded, of any of its forms from 2012 to today.

zip ─zip_file, archive_members─▶ rows ─archive_tweets, grailbird─▶ posts ─notes─▶ whole posts
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.interface import ObjectReader, Profile
from tweetbot_trainer.data.sources.x_archive import zip_file
from tweetbot_trainer.data.sources.x_archive.grailbird import iter_month_posts, iter_table_posts
from tweetbot_trainer.data.sources.x_archive.long_posts import LongPosts, parse_note
from tweetbot_trainer.data.sources.x_archive.members import Members, iter_records, select_members
from tweetbot_trainer.data.sources.x_archive.profile import extract_profile
from tweetbot_trainer.data.sources.x_archive.tweets import parse_tweet
from tweetbot_trainer.runtime.errors import SpecRefused, StageError, StageStopped
from tweetbot_trainer.runtime.log import Log


class XArchiveSource:
    """The posts of an export zip. Neither `reader` nor this holds more of it than what is being read."""

    def __init__(self, uri: str, index: int, reader: ObjectReader, log: Log | None = None) -> None:
        self._uri, self._index, self._reader, self._log = uri, index, reader, log or Log()

    def read_posts(self) -> Iterator[Post]:
        """Yield the export's posts as they are read: retweets, and of an edited post every version, each flagged.

        An id that the export repeats counts once. What was repeated, and which long posts stay cut, goes to the log.
        Raises SpecRefused with the reason that fits, naming the zip and the member.
        """
        with self._open() as archive:
            members = select_members(archive)
            if members.partial:
                message = "X calls this zip one part of the export; what its other zips hold is not read"
                self._log.warning("archive.partial", source=self._index, message=message)
            notes = LongPosts(
                parse_note(record, name) for name in members.notes for record in iter_records(archive, name)
            )
            seen: set[str] = set()
            repeated = 0
            for post in self._iter_posts(archive, members):
                if post.id in seen:
                    repeated += 1
                    continue
                seen.add(post.id)
                yield notes.complete_post(post)
        self._log.info(
            "archive.read",
            source=self._index,
            form=members.form,
            posts=len(seen),
            repeated=repeated,
            notes=notes.count,
            joined=notes.joined,
        )

    def read_profile(self) -> Profile | None:
        """Return how the account shows itself, as far as the export says so, or None."""
        try:
            with self._open() as archive:
                return extract_profile(archive)
        except StageStopped:
            raise
        except StageError:
            return None

    @contextmanager
    def _open(self) -> Iterator[zipfile.ZipFile]:
        """Open the zip; a refusal of what it holds names its address too."""
        with self._reader.open_seekable(self._uri) as file, zip_file.open_zip(file, self._uri) as archive:
            try:
                yield archive
            except SpecRefused as refusal:
                raise SpecRefused(refusal.reason, f"{self._uri}: {refusal.message}") from refusal

    def _iter_posts(self, archive: zipfile.ZipFile, members: Members) -> Iterator[Post]:
        for name in members.tweets:
            for record in iter_records(archive, name):
                yield parse_tweet(record, name, self._index)
        for name in members.months:
            yield from iter_month_posts(archive, name, self._index)
        for name in members.table:
            yield from iter_table_posts(archive, name, self._index)
