"""A Reddit account as its owner's data: the texts of posts.csv and comments.csv."""

from collections import Counter
from collections.abc import Iterator

from tweetbot_contract.spec.sources import RedditSource
from tweetbot_trainer.data.posts import BadPost, Post
from tweetbot_trainer.data.sources.archive_files import Member, open_export, put_address
from tweetbot_trainer.data.sources.damage import DamageCount
from tweetbot_trainer.data.sources.interface import ObjectReader, Profile, SourceReport
from tweetbot_trainer.data.sources.reddit import tables
from tweetbot_trainer.data.sources.reddit.records import parse_comment, parse_submission
from tweetbot_trainer.runtime.log import Log


class RedditExportSource:
    """The posts and comments of an export."""

    def __init__(self, spec: RedditSource, index: int, *, reader: ObjectReader, log: Log) -> None:
        self._uri, self._index, self._reader, self._log = spec.uri, index, reader, log
        self._damage = DamageCount(index, advice="ask Reddit for your data again", what="rows")
        self._left_out: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._stated: dict[str, int] = {}
        self._seen: set[str] = set()
        self._profile: Profile | None = None

    def read_posts(self) -> Iterator[Post]:
        """Yield the posts, with reposts flagged as retweets, then the comments, which are replies.

        Raises SpecRefused: SourceUnreadable, SourceTruncated, SourceEncrypted, SourceNested, SourceIncomplete,
        SourceNotAnExport or SourceTooLarge.
        """
        with self._reader.open_seekable(self._uri) as file, put_address(self._uri):
            opened = open_export(file, tables.ALLOWED)
            for name, member in tables.find_tables(opened):
                yield from self._read_table(name, member)
            self._damage.check()
            stated = ((name, tables.count_lines(opened, name)) for name in tables.HEADERS)
            self._stated = {name: count for name, count in stated if count is not None}
            handle = tables.find_account(opened)
            self._profile = Profile(handle=handle) if handle else None
        counts = {"posts": self._counts[tables.POSTS], "comments": self._counts[tables.COMMENTS]}
        removed = {"removed": self._left_out["not_posts"], "repeated": self._left_out["repeated"]}
        self._log.info("reddit.read", source=self._index, **counts, **removed)

    def build_report(self) -> SourceReport:
        """Return the number of rows that the export's other lists have, and what was left out.

        These are repeated rows, removed texts and damaged rows.
        """
        listed = [max(self._counts[name], self._stated.get(name, 0)) for name in tables.HEADERS]
        return SourceReport(
            claimed=sum(listed) if self._stated else None,
            left_out=self._left_out | Counter(unreadable=self._damage.damaged),
            warnings=self._damage.build_warnings(),
        )

    def read_profile(self) -> Profile | None:
        """Return the account's name, if the export holds it."""
        return self._profile

    def _read_table(self, name: str, member: Member) -> Iterator[Post]:
        for line in tables.iter_lines(member, name):
            self._counts[name] += 1
            try:
                post = self._parse_line(name, line)
            except BadPost as error:
                self._damage.add_damaged(f"{member.label}, line {line.number}", error)
                continue
            self._damage.add_good()
            if post and post.id not in self._seen:
                self._seen.add(post.id)
                yield post
            else:
                self._left_out["repeated" if post else "not_posts"] += 1

    def _parse_line(self, name: str, line: tables.Line) -> Post | None:
        if line.fault:
            raise BadPost(line.fault)
        if name == tables.COMMENTS:
            return parse_comment(line.cells, self._index, self._seen)
        return parse_submission(line.cells, self._index)
