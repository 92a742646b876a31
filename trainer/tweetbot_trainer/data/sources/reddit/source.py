"""An account of Reddit as the CSV files that its owner was given."""

from collections.abc import Iterator

from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import RedditSource
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.interface import ObjectReader, Profile, SourceReport
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log


class RedditExportSource:
    """The posts of an export."""

    def __init__(self, spec: RedditSource, index: int, *, reader: ObjectReader, log: Log) -> None:
        self._spec, self._index, self._reader, self._log = spec, index, reader, log

    def read_posts(self) -> Iterator[Post]:
        """Yield the export's posts. Raises SpecRefused."""
        raise SpecRefused(reasons.SPEC_REFUSED, "this kind of source is not read yet")

    def build_report(self) -> SourceReport:
        """Return what was left out."""
        return SourceReport()

    def read_profile(self) -> Profile | None:
        """Return the account's profile as far as the export holds it."""
        return None
