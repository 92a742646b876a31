"""Read a run's sources one after the other, and keep what each was and how its account shows itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from tweetbot_contract.result import Bill
from tweetbot_trainer.data.dataset.source_records import ObjectRecord, Witness
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources import PaidSource, Patience, PostSource, StorePages, open_source, pages_folder
from tweetbot_trainer.data.sources.interface import Profile
from tweetbot_trainer.runtime.errors import StageFailed, Stopped
from tweetbot_trainer.stages.context import StageContext


@dataclass(frozen=True, slots=True)
class ReadSource:
    """A source after its posts: the objects they came from, and the account's profile."""

    objects: tuple[ObjectRecord, ...]
    profile: Profile | None
    billed: int | None = None
    """Posts that the run paid for; None where they cost nothing."""


class SourceReading:
    """The sources of a run; `read` has one entry for each whose posts were all given.

    What filter.excludeIds names counts as never made, by any id that an edited post has had.
    """

    def __init__(self, context: StageContext) -> None:
        self._context = context
        self._excluded = frozenset(context.run.spec.filter.exclude_ids)
        self.read: list[ReadSource] = []

    def posts(self) -> Iterator[Post]:
        """Yield all posts of all sources, in the order of the spec. Raises StageFailed of the fitting class."""
        context, patience = self._context, Patience(sleep=self._context.stop.pause)
        for index, spec in enumerate(context.run.spec.sources):
            witness = Witness(context.store)

            def pages(handle: str, witness: Witness = witness) -> StorePages:
                return witness.page_cache(pages_folder(context.run.prefix, handle), context.run.run_id)

            source = open_source(
                spec,
                index,
                store=witness,
                secrets=context.secrets,
                pages=pages,
                patience=patience,
                log=context.log,
            )
            yield from self._counted(source, index)
            billed = source.billed() if isinstance(source, PaidSource) else None
            self.read.append(ReadSource(witness.objects(), self._profile(source, index), billed))

    def bill(self) -> Bill | None:
        """Return what the run paid for; X is the one kind that charges."""
        paid = [read.billed for read in self.read if read.billed is not None]
        return {"x": sum(paid)} if paid else None

    def _counted(self, source: PostSource, index: int) -> Iterator[Post]:
        count = excluded = 0
        for post in source.posts():
            self._context.stop.check()
            if self._excluded and not self._excluded.isdisjoint((post.id, *post.edits)):
                excluded += 1
                continue
            count += 1
            yield post
        self._context.log.info("prepare.source", source=index, posts=count)
        if excluded:
            self._context.log.info("prepare.excluded", source=index, posts=excluded)

    def _profile(self, source: PostSource, index: int) -> Profile | None:
        """Return the profile; a picture that cannot be read costs the card its picture and no more."""
        try:
            return source.profile()
        except Stopped:
            raise
        except StageFailed as error:
            self._context.log.warning("prepare.no_profile", source=index, message=error.message)
            return None
