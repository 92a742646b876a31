"""The account owner's X export as it was downloaded, in any of its forms from 2012 to today, or its tweets.js alone.

file ─archive_files, members─▶ rows ─tweets, grailbird─▶ posts ─long_posts─▶ whole posts
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tweetbot_trainer.data.posts import BadPost, Post
from tweetbot_trainer.data.sources.archive_files import ExportFile, Member, open_export, put_address
from tweetbot_trainer.data.sources.archive_files.refusals import DOWNLOAD_AGAIN
from tweetbot_trainer.data.sources.damage import DamageCount
from tweetbot_trainer.data.sources.interface import ObjectReader, Profile, SourceReport
from tweetbot_trainer.data.sources.json_array import Entry
from tweetbot_trainer.data.sources.x_archive.cut_posts import CutPosts
from tweetbot_trainer.data.sources.x_archive.grailbird import iter_table, parse_month_tweet, parse_table_tweet
from tweetbot_trainer.data.sources.x_archive.layout import ALLOWED, MONTHS, TABLE
from tweetbot_trainer.data.sources.x_archive.long_posts import LongPosts, Note, parse_note
from tweetbot_trainer.data.sources.x_archive.members import Members, PostsFile, iter_records, select_members, unwrap
from tweetbot_trainer.data.sources.x_archive.profile import extract_author, extract_profile
from tweetbot_trainer.data.sources.x_archive.replies import Author
from tweetbot_trainer.data.sources.x_archive.report import ReportBuilder
from tweetbot_trainer.data.sources.x_archive.tweets import parse_tweet
from tweetbot_trainer.runtime.errors import StageError, StageStopped
from tweetbot_trainer.runtime.log import Log

Parsed = TypeVar("Parsed", Post, Note)


class XArchiveSource:
    """The posts of an export, of which only what is being read is in memory."""

    def __init__(self, uri: str, index: int, reader: ObjectReader, log: Log | None = None) -> None:
        self._uri, self._index, self._reader, self._log = uri, index, reader, log or Log()
        self._report: SourceReport | None = None
        self._damage = DamageCount(index, advice=DOWNLOAD_AGAIN)
        self._damaged_notes = DamageCount(index, advice=DOWNLOAD_AGAIN, what="notes with the whole text of a long post")

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
                before = self._damage.damaged
                for found in self._iter_posts(posts, author):
                    if counts.count_record(posts, found.id) or cut.may_be_completed_by(found):
                        post = notes.complete_post(found)
                        if not cut.hold(post):
                            yield post
                counts.count_damaged(posts, self._damage.damaged - before)
            self._damage.check()
            counts.refuse_none()
            yield from cut
        counts.cut = sum(not post.retweet for post in cut) if members.lacks_notes else 0
        self._report = counts.build(self._damage.build_warnings(), self._damaged_notes.build_warnings())
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
        def iter_notes() -> Iterator[Note]:
            for member in members.notes:
                yield from self._parse_each(iter_records(member), member, lambda item: parse_note(unwrap(item)), notes)
            notes.check()

        notes = self._damaged_notes
        return LongPosts(iter_notes(), present=not members.lacks_notes)

    def _iter_posts(self, posts: PostsFile, author: Author) -> Iterator[Post]:
        member, index = posts.member, self._index
        if posts.file == TABLE:
            return self._parse_each(
                iter_table(member), member, lambda item: parse_table_tweet(item, index, author), self._damage
            )
        parse = parse_month_tweet if posts.file.startswith(MONTHS) else parse_tweet
        return self._parse_each(
            iter_records(member), member, lambda item: parse(unwrap(item), index, author), self._damage
        )

    def _parse_each(
        self, entries: Iterator[Entry], member: Member, parse: Callable[[Any], Parsed], damage: DamageCount
    ) -> Iterator[Parsed]:
        """Yield what is parsed of a member's rows, and count the damaged ones."""
        for entry in entries:
            try:
                parsed = parse(entry.value)
            except BadPost as error:
                damage.add_damaged(f"{entry.place} of {member.label}", error)
                continue
            damage.add_good()
            yield parsed
