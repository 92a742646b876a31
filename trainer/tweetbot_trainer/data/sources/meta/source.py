"""A Threads or Instagram account as its owner's export in JSON: its posts and replies, or its posts' captions."""

from collections import Counter
from collections.abc import Iterator

from tweetbot_contract.spec.sources import InstagramSource, ThreadsSource
from tweetbot_trainer.data.posts import BadPost, Post
from tweetbot_trainer.data.sources import json_array
from tweetbot_trainer.data.sources.archive_files import BROKEN, open_export, put_address, translate_damage
from tweetbot_trainer.data.sources.damage import DamageCount
from tweetbot_trainer.data.sources.interface import ObjectReader, Profile, SourceReport
from tweetbot_trainer.data.sources.meta.export import ALLOWED, Kind, PostsFile, select_files
from tweetbot_trainer.data.sources.meta.profile import extract_profile
from tweetbot_trainer.data.sources.meta.records import parse_record
from tweetbot_trainer.runtime.log import Log


class MetaExportSource:
    """The posts of an export."""

    def __init__(self, spec: ThreadsSource | InstagramSource, index: int, *, reader: ObjectReader, log: Log) -> None:
        self._uri, self._index, self._reader, self._log = spec.uri, index, reader, log
        self._kind: Kind = "threads" if isinstance(spec, ThreadsSource) else "instagram"
        self._damage = DamageCount(index, advice="ask Meta for the export again", what="posts")
        self._left_out: Counter[str] = Counter()
        self._seen: set[str] = set()
        self._profile: Profile | None = None

    def read_posts(self) -> Iterator[Post]:
        """Yield the export's posts, each once.

        Raises SpecRefused: SourceUnreadable, SourceTruncated, SourceEncrypted, SourceNested, SourceIncomplete,
        SourceNotAnExport or SourceTooLarge.
        """
        with self._reader.open_seekable(self._uri) as file, put_address(self._uri):
            opened = open_export(file, ALLOWED[self._kind])
            for found in select_files(opened, self._kind):
                yield from self._read_file(found)
            self._damage.check()
            self._profile = extract_profile(opened.members)
        counts = {
            "posts": len(self._seen),
            "repeated": self._left_out["repeated"],
            "empty": self._left_out["not_posts"],
        }
        self._log.info("meta.read", source=self._index, kind=self._kind.title(), **counts)

    def build_report(self) -> SourceReport:
        """Return what was left out: repeated posts, records with neither words nor picture, and damaged ones."""
        left_out = self._left_out | Counter(unreadable=self._damage.damaged)
        return SourceReport(left_out=left_out, warnings=self._damage.build_warnings())

    def read_profile(self) -> Profile | None:
        """Return the account's profile as far as the export holds it."""
        return self._profile

    def _read_file(self, found: PostsFile) -> Iterator[Post]:
        try:
            with found.member.open() as content:
                text = json_array.open_text(content)
                entries = json_array.iter_entries_under(text, found.key) if found.key else json_array.iter_entries(text)
                for entry in entries:
                    if post := self._parse_entry(entry, found.member.label):
                        yield post
        except BROKEN as error:
            raise translate_damage(error, found.member.label) from error

    def _parse_entry(self, entry: json_array.Entry, label: str) -> Post | None:
        """Return the post of an entry; one that is left out is counted."""
        try:
            post = parse_record(entry.value, self._index)
        except BadPost as error:
            self._damage.add_damaged(f"{label}, {entry.place}", error)
            return None
        self._damage.add_good()
        if post and post.id not in self._seen:
            self._seen.add(post.id)
            return post
        self._left_out["repeated" if post else "not_posts"] += 1
        return None
