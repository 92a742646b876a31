"""What an X export's own lists count, compared with the records that were read, file by file."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tweetbot_contract import reasons
from tweetbot_contract.data_table import DataWarning
from tweetbot_trainer.data.sources.archive_files import build_refusal
from tweetbot_trainer.data.sources.archive_files.names import show_name
from tweetbot_trainer.data.sources.interface import SourceReport
from tweetbot_trainer.data.sources.x_archive.layout import TABLE, parse_part
from tweetbot_trainer.data.sources.x_archive.members import Members, PostsFile

_NOTES = "note-tweet"
_ADD_NOTES = "To keep them, upload the zip with note-tweet.js."
#: Names of files in a message.
_LISTED = 3


class ReportBuilder:
    """Counts the records of an export while they are read."""

    def __init__(self, index: int, members: Members) -> None:
        self._source, self._members = f"sources[{index}]", members
        self._seen: set[str] = set()
        self._records: Counter[str] = Counter()
        self.repeated = self._damaged = 0
        self.cut = 0

    @property
    def posts(self) -> int:
        """Return how many ids were read so far."""
        return len(self._seen)

    def count_record(self, posts: PostsFile, post_id: str) -> bool:
        """Count a record, and tell whether its id is new. Repeats in the table of a Grailbird, a copy, do not count."""
        if new := post_id not in self._seen:
            self._seen.add(post_id)
        elif posts.file == TABLE and self._members.months:
            return False
        else:
            self.repeated += 1
        self._records[posts.file] += 1
        return new

    def count_damaged(self, posts: PostsFile, damaged: int) -> None:
        """Count the damaged records of a file."""
        self._damaged += damaged
        self._records[posts.file] += damaged

    def refuse_none(self) -> None:
        """Raise SpecRefused (SourceNotAnExport) if the export is whole and has no posts."""
        if self._records.total() or self._count_claimed():
            return
        message = (
            f"it is an X export, but {' and '.join(one.file for one in self._members.with_posts)} in it has 0 posts"
        )
        advice = "check that it is the account you mean, or leave this source out"
        raise build_refusal(message, reasons.SOURCE_NOT_AN_EXPORT, advice=advice)

    def build(self, *damage: tuple[DataWarning, ...]) -> SourceReport:
        """Return the report, with warnings of damage too: what the lists count and no file holds is missing."""
        warnings = tuple(
            DataWarning(reason=reasons.SOURCE_IRREGULAR.name, message=f"{self._source} {message}"[:1024])
            for message in self._list_oddities()
        )
        left_out = {"repeated": self.repeated} | ({"unreadable": self._damaged} if self._damaged else {})
        return SourceReport(self._count_claimed(), left_out, sum(damage, warnings))

    def _count_claimed(self) -> int | None:
        """Return what the lists count; of files that they do not name, or count too low, what those hold."""
        members = self._members
        counts = [posts.count for posts in members.with_posts if posts.count is not None]
        absent = sum(count for file, count in members.absent.items() if not file.startswith(_NOTES))
        if not counts and not absent:
            return None
        return absent + sum(max(posts.count or 0, self._records[posts.file]) for posts in members.with_posts)

    def _list_oddities(self) -> Iterator[str]:
        members, records = self._members, self._records
        if parse_part(members.alone)[1]:
            yield f"is {members.alone} alone; give the other parts as sources too, or the whole zip."
        if members.partial:
            yield (
                "is one of several archives of an export, as X says in it; the others are not read. Unpack all of them "
                "into one folder, and upload that as one zip."
            )
        if members.unlisted:
            yield f"holds {_join(members.unlisted)}, not named by the export's own list; it was read nevertheless."
        for posts in members.with_posts:
            if posts.count is not None and records[posts.file] > posts.count:
                held = f"holds {_count(records[posts.file])} in {posts.file}"
                yield f"{held}, of which the export's own list counts {posts.count}; all were read."
        if members.misnamed:
            yield f"holds {_join(members.misnamed)}, not read, as X names no file like that. Rename it if it has posts."
        yield from self._list_absent()

    def _list_absent(self) -> Iterator[str]:
        absent = self._members.absent
        for file, count in absent.items():
            if not file.startswith(_NOTES):
                held = f"of which the export's own list counts {_count(count)}"
                yield f"lacks {file}, {held}. Add it to the archive."
        if notes := [file for file in absent if file.startswith(_NOTES)]:
            held = f"{sum(absent[file] for file in notes)} long posts, as the export's own list says"
            left_out = f"those that are cut without it ({self.cut} found) are left out"
            yield f"lacks {_join(notes)} with the whole text of {held}; {left_out}. {_ADD_NOTES}"
        elif self.cut:
            left_out = f"{_count(self.cut)} cut and left out"
            yield f"lacks note-tweet.js with the whole text of long posts: {left_out}. {_ADD_NOTES}"


def _count(posts: int) -> str:
    return f"{posts} post{'' if posts == 1 else 's'}"


def _join(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(show_name, names[:_LISTED])) + more
