"""The account owner's X export: the zip as it was downloaded, in any of its forms from 2012 to today.

zip ─zip_file, members─▶ rows ─tweets, grailbird─▶ posts ─long_posts─▶ whole posts
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.interface import ObjectReader, Profile, SourceReport
from tweetbot_trainer.data.sources.x_archive import zip_file
from tweetbot_trainer.data.sources.x_archive.grailbird import iter_month_posts, iter_table_posts
from tweetbot_trainer.data.sources.x_archive.long_posts import LongPosts, parse_note
from tweetbot_trainer.data.sources.x_archive.members import Members, iter_records, select_members
from tweetbot_trainer.data.sources.x_archive.profile import extract_profile
from tweetbot_trainer.data.sources.x_archive.tweets import parse_tweet
from tweetbot_trainer.runtime.errors import SpecRefused, StageError, StageStopped
from tweetbot_trainer.runtime.log import Log


class XArchiveSource:
    """The posts of an export zip, of which only what is being read is in memory."""

    def __init__(self, uri: str, index: int, reader: ObjectReader, log: Log | None = None) -> None:
        self._uri, self._index, self._reader, self._log = uri, index, reader, log or Log()

    def read_posts(self) -> Iterator[Post]:
        """Yield the export's posts, each id once, with retweets and all revisions of edited posts flagged.

        Logs how many ids were repeated and how many long posts were completed.
        Raises SpecRefused, which names the zip and the member.
        """
        with self._open() as archive:
            members = select_members(archive)
            if members.partial:
                message = "X calls this zip one part of the export; its other zips are not read"
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
        counts = {"posts": len(seen), "repeated": repeated, "notes": notes.count, "joined": notes.joined}
        self._log.info("archive.read", source=self._index, form=members.form, **counts)

    def build_report(self) -> SourceReport:
        """Return what was left out."""
        return SourceReport()

    def read_profile(self) -> Profile | None:
        """Return the account's profile as far as the export holds it."""
        try:
            with self._open() as archive:
                return extract_profile(archive)
        except StageStopped:
            raise
        except StageError:
            return None

    @contextmanager
    def _open(self) -> Iterator[zipfile.ZipFile]:
        """Open the zip, and name its address in refusals of what it holds."""
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
