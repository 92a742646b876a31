"""What an erasure removes of a TweetBot's folder, what stays and why, and whether anything may be erased now."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tweetbot_contract.result.erasure import LeftOver
from tweetbot_trainer.publishing.forgetting.contents import BotContents, Posts
from tweetbot_trainer.publishing.forgetting.unfinished import UnfinishedErasure
from tweetbot_trainer.publishing.registry.latest import Content, get_recorded_pin, get_unpinned, get_version
from tweetbot_trainer.publishing.registry.manifest import MODEL_FOLDER, VersionManifest
from tweetbot_trainer.store import join

CANNOT_TELL, USED_ELSEWHERE = "CannotTell", "UsedElsewhere"
#: How the ids of runs at Weights & Biases end.
_STAGES = ("prepare", "train")


@dataclass(frozen=True, slots=True)
class DatasetHit:
    """A dataset with wanted posts. `posts` gives for each the dataset's other posts of exactly the same text."""

    uri: str
    digest: str
    posts: Posts


@dataclass(frozen=True, slots=True)
class ModelHit:
    """A model version that was trained on such a dataset."""

    uri: str
    version: str
    digest: str
    served: bool
    posts: tuple[str, ...]
    pinned: bool = False

    @property
    def home(self) -> str:
        """The address of the version's folder."""
        return self.uri.removesuffix(f"/{MODEL_FOLDER}")


@dataclass(frozen=True, slots=True)
class CopyHit:
    """A version on the Hub that was trained on such a dataset, and the repository that holds it."""

    url: str
    version: str
    posts: tuple[str, ...]
    repo: str
    digest: str


@dataclass(frozen=True, slots=True)
class PageHit:
    """A kept page of the X API that names wanted posts."""

    uri: str
    posts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What holds wanted posts in a TweetBot's folder and elsewhere, by address.

    `checkpoints` and `runs` are folders of runs on such a dataset, `tracked_runs` their runs at Weights & Biases.
    `left` is what stays. `refusal` says why nothing may be erased now. `found` are the ids that anything holds.
    """

    folder: str
    found: frozenset[str] = frozenset()
    datasets: tuple[DatasetHit, ...] = ()
    models: tuple[ModelHit, ...] = ()
    checkpoints: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    tracked_runs: tuple[str, ...] = ()
    copies: tuple[CopyHit, ...] = ()
    pages: tuple[PageHit, ...] = ()
    left: tuple[LeftOver, ...] = ()
    refusal: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to erase."""
        parts = (self.datasets, self.models, self.checkpoints, self.runs, self.tracked_runs, self.copies, self.pages)
        return not any(parts)

    @property
    def unfinished(self) -> UnfinishedErasure:
        """What a later erasure must know if this one is interrupted."""
        digests = {
            *(dataset.digest for dataset in self.datasets),
            *(model.digest for model in self.models),
            *(copy.digest for copy in self.copies),
        }
        return UnfinishedErasure(datasets=tuple(sorted(digests)), tracked_runs=self.tracked_runs)


def describe_left(what: str, reason: str, message: str, *, retry: bool = False) -> LeftOver:
    """Return the report of something that is not erased."""
    return LeftOver(what=what[:512], reason=reason, message=message[:512], retry=retry)


def plan_erasure(contents: BotContents, pins: Iterable[str | None] = ()) -> ErasurePlan:
    """Plan the erasure of the wanted posts that a folder holds. `pins` are versions that the spec pins."""
    hits = _find_datasets(contents)
    needed = _find_needed(contents, hits)
    kept = {manifest.dataset.digest for path, manifest in contents.versions.items() if manifest and path in needed}
    runs = [run for run, record in contents.runs.items() if record and record.result.dataset.digest in hits]
    return ErasurePlan(
        contents.folder,
        frozenset().union(*(hit.posts for hit in hits.values()), *contents.pages.values()),
        datasets=tuple(hit for hit in hits.values() if hit.digest in contents.datasets and hit.digest not in kept),
        models=tuple(_find_models(contents, hits, needed)),
        checkpoints=tuple(join(contents.folder, "checkpoints", run) for run in contents.checkpoints if run in runs),
        runs=tuple(join(contents.folder, "runs", run) for run in runs),
        tracked_runs=_find_tracked_runs(contents, hits, runs),
        copies=tuple(_find_copies(contents, hits)),
        pages=tuple(PageHit(uri, posts) for uri, posts in contents.pages.items()),
        left=(*_find_untold(contents, hits), *needed.values()),
        refusal=_find_refusal(contents, hits, pins),
    )


def _find_datasets(contents: BotContents) -> dict[str, DatasetHit]:
    """Return the datasets with wanted posts by digest, and those whose list of ids an earlier erasure has erased."""
    known = {digest: posts for digest, posts in contents.datasets.items() if posts}
    unfinished: dict[str, Posts] = {
        digest: {} for digest in contents.unfinished.datasets if contents.datasets.get(digest) is None
    }
    return {
        digest: DatasetHit(join(contents.folder, "datasets", digest), digest, posts)
        for digest, posts in {**unfinished, **known}.items()
    }


def _find_needed(contents: BotContents, hits: dict[str, DatasetHit]) -> dict[str, LeftOver]:
    """Return by path the versions with wanted posts that TweetBots of other clusters serve."""
    users = contents.owner.users if contents.owner else ()
    needed = {}
    for user in users:
        path = f"models/{user.version}"
        manifest = contents.versions.get(path)
        if manifest and manifest.dataset.digest in hits:
            place = f"in cluster {user.cluster}" if user.cluster else "without a cluster"
            needed[path] = _describe_needed(contents, path, f"the TweetBot with uid {user.uid} {place}", manifest)
    return needed


def _describe_needed(contents: BotContents, path: str, user: str, manifest: VersionManifest) -> LeftOver:
    message = (
        f"{user} serves it, so its dataset {manifest.dataset.digest[:16]} stays, too: exclude the posts there, "
        "let it serve another version, and forget them again"
    )
    return describe_left(join(contents.folder, path), USED_ELSEWHERE, message)


def _find_models(contents: BotContents, hits: dict[str, DatasetHit], needed: dict[str, LeftOver]) -> Iterator[ModelHit]:
    latest = contents.latest or {}
    served, pinned = get_version(latest), get_recorded_pin(latest).get("version")
    for path, manifest in contents.versions.items():
        if manifest is None or manifest.dataset.digest not in hits or path in needed:
            continue
        hit, version = hits[manifest.dataset.digest], manifest.version
        uri = join(contents.folder, path, MODEL_FOLDER)
        is_served = path == f"models/{served}"
        yield ModelHit(uri, version, hit.digest, is_served, tuple(hit.posts), is_served and bool(pinned))


def _find_copies(contents: BotContents, hits: dict[str, DatasetHit]) -> Iterator[CopyHit]:
    for push in contents.pushes:
        if hit := hits.get(push.dataset):
            url = f"{push.url}/tree/{push.version}"
            yield CopyHit(url, push.version, tuple(hit.posts), push.repo, push.dataset)


def _find_tracked_runs(contents: BotContents, hits: dict[str, DatasetHit], runs: list[str]) -> tuple[str, ...]:
    """Return the addresses at Weights & Biases of both stages of each run that saw wanted posts."""
    records = [record.result.tracking for run in runs if (record := contents.runs[run])]
    manifests = [one.tracking for one in contents.versions.values() if one and one.dataset.digest in hits]
    known = [tracking.wandb_url for tracking in (*records, *manifests) if tracking.wandb_url]
    both = (f"{url.rpartition('-')[0]}-{stage}" for url in known if url.endswith(_STAGES) for stage in _STAGES)
    return tuple(dict.fromkeys((*contents.unfinished.tracked_runs, *known, *both)))


def _find_untold(contents: BotContents, hits: dict[str, DatasetHit]) -> Iterator[LeftOver]:
    """Yield what cannot tell whether it holds wanted posts."""
    folder = contents.folder
    readable = {digest for digest, posts in contents.datasets.items() if posts is not None} | hits.keys()
    records = {run: contents.runs[run] for run in contents.checkpoints}
    trained = {run: record.result.dataset.digest if record else None for run, record in records.items()}
    versions = contents.versions.items()
    sources: list[tuple[str, str | None]] = [
        *((join(folder, "datasets", digest), digest) for digest in contents.datasets),
        *((join(folder, path), manifest.dataset.digest if manifest else None) for path, manifest in versions),
        *((join(folder, "checkpoints", run), digest) for run, digest in trained.items()),
        *((f"{push.url}/tree/{push.version}", push.dataset) for push in contents.pushes),
    ]
    message = "its list of posts is missing or unreadable; delete it"
    return (describe_left(uri, CANNOT_TELL, message) for uri, digest in sources if digest not in readable)


def list_named(latest: Content) -> tuple[str, ...]:
    """Return the paths of the versions that latest.json names: served, pinned, or served next."""
    versions = (get_version(latest), get_recorded_pin(latest).get("version"), get_version(get_unpinned(latest)))
    return tuple(f"models/{version}" for version in versions if version)


def _find_refusal(contents: BotContents, hits: dict[str, DatasetHit], pins: Iterable[str | None]) -> str | None:
    """Return why nothing may be erased now: what is served, or would be next, holds wanted posts or cannot tell."""
    if contents.owner_fault or contents.latest is None:
        return contents.owner_fault
    served, pinned = get_version(contents.latest), get_recorded_pin(contents.latest).get("version")
    if served is None:
        return f"{join(contents.folder, 'latest.json')} cannot be read, so what is served is unknown: start a run"
    advice = "List the posts in spec.filter.excludeIds, which starts a run, and forget them once its model is published"
    named: list[tuple[str | None, str, str]] = [
        (served, "is served", advice),
        (get_version(get_unpinned(contents.latest)), "is served next", advice),
    ]
    named = [*((str(pin), "is pinned", "Remove spec.pin first") for pin in (pinned, *pins) if pin), *named]
    for version, state, what_to_do in named:
        if version and (why := _find_fault(contents, hits, version)):
            return f"version {version}, which {state}, {why}. {what_to_do}"
    return None


def _find_fault(contents: BotContents, hits: dict[str, DatasetHit], version: str) -> str | None:
    manifest = contents.versions.get(f"models/{version}")
    if manifest is None:
        return "has no manifest that can be read"
    if manifest.dataset.digest in hits:
        return "was trained on them"
    if contents.datasets.get(manifest.dataset.digest) is None:
        return f"has a dataset, {manifest.dataset.digest[:16]}, whose list of posts is missing or unreadable"
    return None
