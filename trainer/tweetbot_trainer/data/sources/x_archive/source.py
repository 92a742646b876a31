"""The account owner's own X export: the zip as it was downloaded, of any of its forms from 2012 to today.

zip ─zip_file, archive_members─▶ rows ─archive_tweets, grailbird─▶ posts ─notes─▶ whole posts
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.interface import ObjectReader, Profile
from tweetbot_trainer.data.sources.x_archive import zip_file
from tweetbot_trainer.data.sources.x_archive.grailbird import posts_of_month, posts_of_table
from tweetbot_trainer.data.sources.x_archive.long_posts import Notes, note_of
from tweetbot_trainer.data.sources.x_archive.members import Members, members_to_read, rows
from tweetbot_trainer.data.sources.x_archive.profile import profile_of
from tweetbot_trainer.data.sources.x_archive.tweets import post_of
from tweetbot_trainer.runtime.errors import SpecRefused, StageFailed, Stopped
from tweetbot_trainer.runtime.log import Log


class ArchiveSource:
    """The posts of an export zip. Neither `reader` nor this holds more of it than what is being read."""

    def __init__(self, uri: str, index: int, reader: ObjectReader, log: Log | None = None) -> None:
        self._uri, self._index, self._reader, self._log = uri, index, reader, log or Log()

    def posts(self) -> Iterator[Post]:
        """Yield the export's posts as they are read: retweets, and of an edited post every version, each flagged.

        An id that the export repeats counts once. What was repeated, and which long posts stay cut, goes to the log.
        Raises SpecRefused with the reason that fits, naming the zip and the member.
        """
        with self._opened() as archive:
            members = members_to_read(archive)
            if members.partial:
                message = "X calls this zip one part of the export; what its other zips hold is not read"
                self._log.warning("archive.partial", source=self._index, message=message)
            notes = Notes(note_of(row, name) for name in members.notes for row in rows(archive, name))
            seen: set[str] = set()
            repeated = 0
            for post in self._posts(archive, members):
                if post.id in seen:
                    repeated += 1
                    continue
                seen.add(post.id)
                yield notes.whole(post)
        self._log.info(
            "archive.read",
            source=self._index,
            form=members.form,
            posts=len(seen),
            repeated=repeated,
            notes=notes.count,
            joined=notes.joined,
        )

    def profile(self) -> Profile | None:
        """Return how the account shows itself, as far as the export says so, or None."""
        try:
            with self._opened() as archive:
                return profile_of(archive)
        except Stopped:
            raise
        except StageFailed:
            return None

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        """Open the zip; a refusal of what it holds names its address too."""
        with self._reader.open_random(self._uri) as file, zip_file.opened(file, self._uri) as archive:
            try:
                yield archive
            except SpecRefused as refusal:
                raise SpecRefused(refusal.reason, f"{self._uri}: {refusal.message}") from refusal

    def _posts(self, archive: zipfile.ZipFile, members: Members) -> Iterator[Post]:
        for name in members.tweets:
            for row in rows(archive, name):
                yield post_of(row, name, self._index)
        for name in members.months:
            yield from posts_of_month(archive, name, self._index)
        for name in members.table:
            yield from posts_of_table(archive, name, self._index)
