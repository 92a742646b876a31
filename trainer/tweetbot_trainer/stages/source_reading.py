"""Read a run's sources one after the other, and keep what each was and how its account shows itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from tweetbot_contract.result import Bill
from tweetbot_trainer.data.dataset.source_records import ObjectRecord, RecordingReader
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources import PaidSource, PostSource, StorePages, get_pages_folder, open_source
from tweetbot_trainer.data.sources.interface import Profile
from tweetbot_trainer.runtime.errors import StageError, StageStopped
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.stages.context import StageContext

#: How long a stage waits for the sources, all together (design §9); a rate-limit window of X lasts 15 minutes.
WAIT_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class SourceResult:
    """A source after its posts: the objects they came from, and the account's profile."""

    objects: tuple[ObjectRecord, ...]
    profile: Profile | None
    billed: int | None = None
    """Posts that the run paid for; None where they cost nothing."""


class SourceReader:
    """The sources of a run; `read` has one entry for each whose posts were all given.

    What filter.excludeIds names counts as never made, by any id that an edited post has had.
    """

    def __init__(self, context: StageContext) -> None:
        self._context = context
        self._excluded = frozenset(context.run.spec.filter.exclude_ids)
        self._posts = 0
        self.results: list[SourceResult] = []

    def read_posts(self) -> Iterator[Post]:
        """Yield all posts of all sources, in the order of the spec. Raises StageFailed of the fitting class."""
        context = self._context
        budget = RetryBudget(WAIT_SECONDS, context.log, context.stop.pause, progress=context.progress)
        for index, spec in enumerate(context.run.spec.sources):
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
            yield from self._filter_excluded(source, index)
            billed = source.count_billed_posts() if isinstance(source, PaidSource) else None
            self.results.append(SourceResult(reader.list_objects(), self._read_profile(source, index), billed))

    def compute_bill(self) -> Bill | None:
        """Return what the run paid for; X is the one kind that charges."""
        paid = [read.billed for read in self.results if read.billed is not None]
        return {"x": sum(paid)} if paid else None

    def _filter_excluded(self, source: PostSource, index: int) -> Iterator[Post]:
        count = excluded = 0
        for post in source.read_posts():
            self._context.stop.check()
            if self._excluded and not self._excluded.isdisjoint((post.id, *post.edits)):
                excluded += 1
                continue
            count += 1
            self._posts += 1
            self._context.progress.update(posts=self._posts)
            yield post
        self._context.log.info("prepare.source", source=index, posts=count)
        if excluded:
            self._context.log.info("prepare.excluded", source=index, posts=excluded)

    def _read_profile(self, source: PostSource, index: int) -> Profile | None:
        """Return the profile; a picture that cannot be read costs the card its picture and no more."""
        try:
            return source.read_profile()
        except StageStopped:
            raise
        except StageError as error:
            self._context.log.warning("prepare.no_profile", source=index, message=error.message)
            return None
