"""Erase what a plan names, with all versions that the bucket keeps.

forget.json              what is to be erased
models                   their manifests last, then checkpoints
W&B, Hub                 what cannot be reached stays in the record
pages of X, runs
datasets                 their ids.jsonl last
forget.json              what is left; erased if that is nothing

After a kill between any two requests, the next erasure finds what is left.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tweetbot_contract import reasons
from tweetbot_contract.result.erasure import ErasedCounts, LeftOver
from tweetbot_trainer.data.dataset.ids import IDS_FILE
from tweetbot_trainer.publishing.forgetting.plan import USED_ELSEWHERE, ErasurePlan, ModelHit, describe_left, list_named
from tweetbot_trainer.publishing.forgetting.unfinished import UnfinishedErasure, write_unfinished
from tweetbot_trainer.publishing.hub.record import drop_pushes
from tweetbot_trainer.publishing.registry.latest import LATEST_FILE, read_latest
from tweetbot_trainer.publishing.registry.manifest import MANIFEST_FILE
from tweetbot_trainer.publishing.registry.ownership import FolderUser, announce_erasure
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError, StageStopped, TemporaryError
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store import ObjectStore, join


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """How to delete a run at W&B by its address, and a repository on the Hub by its name. Both raise StageError."""

    delete_tracked_run: Callable[[str], None]
    delete_repository: Callable[[str], None]


@dataclass(slots=True)
class ErasureResult:
    """What an erasure has done so far. `repositories` are those of the Hub that were deleted."""

    erased: ErasedCounts = field(default_factory=ErasedCounts)
    left: list[LeftOver] = field(default_factory=list)
    repositories: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure in the name of `user`, who owns the folder; None if it has no owner.

    `report` is told each address once it is gone.
    """

    store: ObjectStore
    plan: ErasurePlan
    user: FolderUser | None
    elsewhere: Elsewhere
    report: Callable[[str], None]
    stop: StopRequest
    result: ErasureResult = field(default_factory=ErasureResult)

    def erase(self) -> ErasureResult:
        """Erase, and return what is gone and what is left.

        Raises SpecRefused while what is served holds wanted posts, PrefixOwned if the folder belongs to another
        TweetBot, StageStopped, and as the store does.
        """
        self._require_served(self.plan.refusal)
        if not self.plan.is_empty:
            write_unfinished(self.store, self.plan.folder, self.plan.unfinished)
        kept = self._erase_models()
        for uri in self.plan.checkpoints:
            self._erase_folder(uri, checkpoints=1)
        runs = [url for url in self.plan.tracked_runs if not self._delete_tracked_run(url)]
        repositories = dict.fromkeys(copy.repo for copy in self.plan.copies)
        copies = {repo for repo in repositories if not self._delete_repository(repo)}
        for page in self.plan.pages:
            self._erase_page(page.uri)
        for uri in self.plan.runs:
            self._erase_folder(uri)
        for dataset in self.plan.datasets:
            if dataset.digest not in kept:
                self._erase_folder(dataset.uri, IDS_FILE, datasets=1)
        digests = {copy.digest for copy in self.plan.copies if copy.repo in copies}
        left = UnfinishedErasure(datasets=tuple(sorted(digests)), tracked_runs=tuple(runs))
        write_unfinished(self.store, self.plan.folder, left)
        self.result.left.extend(self.plan.left)
        return self.result

    def _erase_models(self) -> set[str]:
        """Erase the versions that nobody else uses; return the digests of the datasets of those that stay."""
        models = {model.home: model for model in self.plan.models}
        homes = announce_erasure(self.store, self.user, models) if self.user and models else tuple(models)
        try:
            self._require_unnamed(homes)
            gone = {home for home in homes if self._erase_folder(home, MANIFEST_FILE, versions=1)}
        finally:
            if self.user and models:
                announce_erasure(self.store, self.user, ())
        self.result.left.extend(_describe_used(models[home]) for home in models if home not in homes)
        return {model.digest for home, model in models.items() if home not in gone}

    def _require_unnamed(self, homes: Iterable[str]) -> None:
        """Raise SpecRefused if a version has been served or pinned since the plan was made."""
        folder = self.plan.folder
        for path in list_named(read_latest(self.store, join(folder, LATEST_FILE))):
            if join(folder, path) in homes:
                self._require_served(f"{path} holds the posts, and has been served or pinned since")

    def _erase_folder(self, uri: str, last: str = "", **counts: int) -> bool:
        """Tell whether a folder was erased, the file `last` at the end; if it is locked, it is left."""

        def erase() -> None:
            for _ in self._iter_erased(uri, last):
                self.stop.check()

        return self._try(uri, erase, counts, passed_on=(NotAuthorized, TemporaryError))

    def _iter_erased(self, uri: str, last: str) -> Iterator[str]:
        if last:
            yield from self.store.erase(f"{uri}/", keep=join(uri, last))
        yield from self.store.erase(f"{uri}/")

    def _erase_page(self, uri: str) -> None:
        folder, _, name = uri.rpartition("/")

        def erase() -> None:
            for _ in self.store.erase_named(f"{folder}/", name):
                self.stop.check()

        self._try(uri, erase, {"raw_files": 1}, passed_on=(NotAuthorized, TemporaryError))

    def _delete_tracked_run(self, url: str) -> bool:
        return self._try(url, lambda: self.elsewhere.delete_tracked_run(url), {"tracked_runs": 1})

    def _delete_repository(self, repo: str) -> bool:
        urls = [copy.url for copy in self.plan.copies if copy.repo == repo]

        def delete() -> None:
            self.elsewhere.delete_repository(repo)
            drop_pushes(self.store, self.plan.folder, repo)
            self.result.repositories.append(repo)

        return self._try(", ".join(urls), delete, {"hub_copies": len(urls)})

    def _try(
        self,
        what: str,
        erase: Callable[[], None],
        counts: Mapping[str, int],
        passed_on: tuple[type[StageError], ...] = (),
    ) -> bool:
        """Tell whether something was erased; what cannot be is left, unless the error is to be passed on."""
        self.stop.check()
        try:
            erase()
        except StageError as fault:
            if isinstance(fault, (StageStopped, *passed_on)):
                raise
            retry = isinstance(fault, TemporaryError)
            self.result.left.append(describe_left(what, str(fault.reason), fault.message, retry=retry))
            return False
        self.result.erased = self.result.erased.add(ErasedCounts.model_validate(counts))
        self.report(what)
        return True

    def _require_served(self, refusal: str | None) -> None:
        if refusal:
            raise SpecRefused(reasons.SERVED_HOLDS_POSTS, f"Nothing was erased in {self.plan.folder}: {refusal}")


def _describe_used(model: ModelHit) -> LeftOver:
    message = "a TweetBot of another cluster has begun to serve it, so its dataset stays, too: forget the posts again"
    return describe_left(model.home, USED_ELSEWHERE, message, retry=True)
