"""Reads the sources of a run, and records what was read and the profile of each account."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tweetbot_contract.data_table import DataWarning
from tweetbot_contract.result import Bill
from tweetbot_trainer.data.dataset.source_counts import SourceCounts, check_missing
from tweetbot_trainer.data.dataset.source_records import ObjectRecord, RecordingReader
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources import PaidSource, PostSource, StorePages, get_pages_folder, open_source
from tweetbot_trainer.data.sources.interface import Profile, SourceReport
from tweetbot_trainer.runtime.errors import StageError, StageStopped
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.stages.context import StageContext

#: Seconds that a stage waits for all sources together (design §9); a rate-limit window of X lasts 15 minutes.
WAIT_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class SourceResult:
    """What was read of one source."""

    objects: tuple[ObjectRecord, ...]
    profile: Profile | None
    counts: SourceCounts


class SourceReader:
    """The sources of a run; `results` has one entry per source that was read to its end, `warnings` what is odd there.

    With `free_only`, sources that charge are skipped, as if they were empty, and none is waited for.
    Posts in filter.excludeIds are left out; any id that an edited post has had counts.
    """

    def __init__(self, context: StageContext, *, free_only: bool = False) -> None:
        self._context, self._free_only = context, free_only
        self._excluded = frozenset(context.run.spec.filter.exclude_ids)
        self._posts = 0
        self._paid: list[PaidSource] = []
        #: All ids of each edited post that was left out.
        self.excluded_edits: list[tuple[str, ...]] = []
        self.results: list[SourceResult] = []
        self.warnings: list[DataWarning] = []

    def read_posts(self) -> Iterator[Post]:
        """Yield all posts of all sources, in the order of the spec. Raises StageError."""
        context = self._context
        seconds = 0.0 if self._free_only else WAIT_SECONDS
        budget = RetryBudget(seconds, context.log, context.stop.pause, progress=context.progress)
        for index, spec in enumerate(context.run.spec.sources):
            if self._free_only and spec.x:
                self.results.append(SourceResult((), None, SourceCounts(SourceReport(), 0, 0)))
                continue
            reader = RecordingReader(context.open_store)

            def pages(handle: str, reader: RecordingReader = reader) -> StorePages:
                return reader.open_page_cache(get_pages_folder(context.run.prefix, handle), context.run.run_id)

            source = open_source(
                spec,
                index,
                store=reader,
                secrets=context.secrets,
                pages=pages,
                retry_budget=budget,
                log=context.log,
            )
            if isinstance(source, PaidSource):
                self._paid.append(source)
            posts, excluded = yield from self._filter_excluded(source, index)
            counts = SourceCounts(source.build_report(), posts, excluded)
            self._check_counts(counts, index, spec.max_missing_percent)
            profile = self._read_profile(source, index)
            self.results.append(SourceResult(reader.list_objects(), profile, counts))

    def compute_bill(self) -> Bill | None:
        """Return the number of posts that the run paid for; only X charges."""
        return {"x": sum(source.count_billed_posts() for source in self._paid)} if self._paid else None

    @contextmanager
    def bill_failures(self) -> Generator[None]:
        """Let a StageError say how many posts the run has paid for."""
        try:
            yield
        except StageError as error:
            error.billed = self.compute_bill()
            raise

    def _check_counts(self, counts: SourceCounts, index: int, max_missing_percent: int | None) -> None:
        """Keep what the author should know of a source. Raises SpecRefused (PostsMissing)."""
        missing = check_missing(counts, index, max_missing_percent=max_missing_percent)
        for warning in (*([missing] if missing else []), *counts.report.warnings):
            self.warnings.append(warning)
            self._context.log.warning("prepare.warning", source=index, reason=warning.reason, message=warning.message)

    def _filter_excluded(self, source: PostSource, index: int) -> Generator[Post, None, tuple[int, int]]:
        """Yield the posts that the spec does not exclude; returns how many the source yielded, and how many it does."""
        count = excluded = 0
        for post in source.read_posts():
            self._context.stop.check()
            if self._excluded and not self._excluded.isdisjoint((post.id, *post.edits)):
                excluded += 1
                self.excluded_edits.extend([post.edits] if post.edits else [])
                continue
            count += 1
            self._posts += 1
            self._context.progress.update(posts=self._posts)
            yield post
        self._context.log.info("prepare.source", source=index, posts=count)
        if excluded:
            self._context.log.info("prepare.excluded", source=index, posts=excluded)
        return count + excluded, excluded

    def _read_profile(self, source: PostSource, index: int) -> Profile | None:
        """Return the profile, or None if it cannot be read: the card then does without."""
        try:
            return source.read_profile()
        except StageStopped:
            raise
        except StageError as error:
            self._context.log.warning("prepare.no_profile", source=index, message=error.message)
            return None
