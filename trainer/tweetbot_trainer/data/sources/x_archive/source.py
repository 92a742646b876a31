"""The account owner's X export as it was downloaded, in any of its forms from 2012 to today, or its tweets.js alone.

file ─archive_files, members─▶ rows ─tweets, grailbird─▶ posts ─long_posts─▶ whole posts
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.archive_files import ExportFile, open_export, put_address
from tweetbot_trainer.data.sources.interface import ObjectReader, Profile, SourceReport
from tweetbot_trainer.data.sources.x_archive.cut_posts import CutPosts
from tweetbot_trainer.data.sources.x_archive.grailbird import iter_month_posts, iter_table_posts
from tweetbot_trainer.data.sources.x_archive.layout import ALLOWED, MONTHS, TABLE
from tweetbot_trainer.data.sources.x_archive.long_posts import LongPosts, parse_note
from tweetbot_trainer.data.sources.x_archive.members import Members, PostsFile, iter_records, select_members
from tweetbot_trainer.data.sources.x_archive.profile import extract_author, extract_profile
from tweetbot_trainer.data.sources.x_archive.replies import Author
from tweetbot_trainer.data.sources.x_archive.report import ReportBuilder
from tweetbot_trainer.data.sources.x_archive.tweets import parse_tweet
from tweetbot_trainer.runtime.errors import StageError, StageStopped
from tweetbot_trainer.runtime.log import Log


class XArchiveSource:
    """The posts of an export, of which only what is being read is in memory."""

    def __init__(self, uri: str, index: int, reader: ObjectReader, log: Log | None = None) -> None:
        self._uri, self._index, self._reader, self._log = uri, index, reader, log or Log()
        self._report: SourceReport | None = None

    def read_posts(self) -> Iterator[Post]:
        """Yield the export's posts, each id once, whole if it is anywhere, with retweets and all revisions flagged.

        Logs how many ids were repeated and how many long posts were completed.
        Raises SpecRefused, which names the file and the member.
        """
        with self._open() as opened:
            members, author = select_members(opened), extract_author(opened.members)
            counts, cut = ReportBuilder(self._index, members), CutPosts()
            notes = self._read_notes(members)
            for posts in members.with_posts:
                for found in self._iter_posts(posts, author):
                    if counts.count_record(posts, found.id) or cut.may_be_completed_by(found):
                        post = notes.complete_post(found)
                        if not cut.hold(post):
                            yield post
            counts.refuse_none()
            yield from cut
        counts.cut = sum(not post.retweet for post in cut) if members.lacks_notes else 0
        self._report = counts.build()
        read = {"posts": counts.posts, "repeated": counts.repeated, "notes": notes.count, "joined": notes.joined}
        self._log.info("archive.read", source=self._index, form=members.form, **read)

    def build_report(self) -> SourceReport:
        """Return what the export's own lists count, and what differs from them."""
        return self._report or SourceReport()

    def read_profile(self) -> Profile | None:
        """Return the account's profile as far as the export holds it."""
        try:
            with self._open() as opened:
                return extract_profile(opened.members)
        except StageStopped:
            raise
        except StageError:
            return None

    @contextmanager
    def _open(self) -> Iterator[ExportFile]:
        """Open the file, and name its address in refusals of what it holds."""
        with self._reader.open_seekable(self._uri) as file, put_address(self._uri):
            yield open_export(file, ALLOWED)

    def _read_notes(self, members: Members) -> LongPosts:
        notes = (parse_note(record, note.label) for note in members.notes for record in iter_records(note))
        return LongPosts(notes, present=not members.lacks_notes)

    def _iter_posts(self, posts: PostsFile, author: Author) -> Iterator[Post]:
        member = posts.member
        if posts.file == TABLE:
            yield from iter_table_posts(member, self._index, author)
        elif posts.file.startswith(MONTHS):
            yield from iter_month_posts(member, self._index, author)
        else:
            for record in iter_records(member):
                yield parse_tweet(record, member.label, self._index, author)
