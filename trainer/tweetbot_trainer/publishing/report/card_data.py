"""Everything that a model card shows, as one value: rendering a card looks nothing up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from tweetbot_contract.data_table import DataTable
from tweetbot_contract.result import Metrics, Sample
from tweetbot_contract.spec.output import S3Output
from tweetbot_contract.spec.sources import (
    ArchiveSource,
    BlueskySource,
    InstagramSource,
    MastodonSource,
    PostsSource,
    RedditSource,
    Source,
    ThreadsSource,
    XSource,
)
from tweetbot_contract.spec.spec import Gates, Subject
from tweetbot_trainer.data.dataset.profiles import CardAccount
from tweetbot_trainer.data.dataset.splits import Order
from tweetbot_trainer.data.dataset.statements import Contradictions
from tweetbot_trainer.learning.evaluation.comparison import Comparison, NoComparison
from tweetbot_trainer.learning.evaluation.memorization import Memorization
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.sampling import SamplingParams
from tweetbot_trainer.learning.style.style import Style
from tweetbot_trainer.learning.training.callbacks import TrainOutput
from tweetbot_trainer.learning.values import Hyperparameters
from tweetbot_trainer.publishing.registry.manifest import ADAPTER_FOLDER
from tweetbot_trainer.publishing.report.card_languages import CardLanguages
from tweetbot_trainer.runtime.versions import find_repository

_FILES: dict[type, str] = {
    ArchiveSource: "X archive",
    PostsSource: "file",
    BlueskySource: "Bluesky repository",
    MastodonSource: "Mastodon export",
    ThreadsSource: "Threads export",
    InstagramSource: "Instagram export",
    RedditSource: "Reddit export",
}
#: What an account of an export is called, and its page.
_PAGES: dict[type, tuple[str, str]] = {
    ArchiveSource: ("@{}", "https://x.com/{}"),
    ThreadsSource: ("@{}", "https://www.threads.com/@{}"),
    InstagramSource: ("@{}", "https://www.instagram.com/{}/"),
    RedditSource: ("u/{}", "https://www.reddit.com/user/{}/"),
}


@dataclass(frozen=True, slots=True)
class CardData:
    """What a card shows. `source_names`, `source_tables` and `without_retweets` are in the order of the spec's sources.

    `parts` counts the posts of train, validation and test. `interval` is the 95 % interval of the bits per byte,
    `ratio_interval` that of their ratio to the base's. `without_retweets` is true for a source whose retweets were not
    downloaded. `missed_gates` says why the model does not pass each of them, `comparison` how it compares with the
    version that was served before. `contradictions` are those of the sources to spec.subject. `samples_cut` counts the
    samples that were longer than a post. `report_url` leads to a report of the tracker over all versions.
    `repository` is the address of the program that made the model.
    `account_pages` are names and addresses. `output` is the bucket,
    with the server at which it was reached.
    """

    subject: Subject
    model_name: str
    model_uri: str
    source_names: tuple[str, ...]
    source_tables: tuple[DataTable, ...]
    table: DataTable
    dataset_digest: str
    dataset_uri: str
    cleaning_recipe: str
    newest_post_at: str | None
    languages: CardLanguages
    parts: tuple[int, int, int]
    ordered_by: Order
    base: BaseIdentity
    values: Hyperparameters
    outcome: TrainOutput
    metrics: Metrics
    memorization: Memorization | None
    style: Style | None
    interval: tuple[float, float]
    ratio_interval: tuple[float, float] | None
    gates: Gates
    missed_gates: tuple[str, ...]
    sampling: SamplingParams
    samples: tuple[Sample, ...]
    prompts: tuple[str, ...]
    made_by: str
    comparison: Comparison | NoComparison | None = None
    without_retweets: tuple[bool, ...] = ()
    tracking_url: str | None = None
    report_url: str | None = None
    account_pages: tuple[tuple[str, str], ...] = ()
    output: S3Output | None = None
    accounts: tuple[CardAccount, ...] = ()
    contradictions: Contradictions | None = None
    samples_cut: int = 0
    repository: str | None = field(default_factory=find_repository)

    @property
    def name(self) -> str:
        """The name of the person or persons: from the spec, else from their accounts, else the handle."""
        return self.subject.display_name or " & ".join(self.account_names) or self.subject.handle

    @property
    def handle(self) -> str:
        """The handle of the account that is imitated: the spec's, unless all posts are another account's."""
        return self.contradictions.imitated if self.contradictions else self.subject.handle

    @property
    def account_names(self) -> tuple[str, ...]:
        """The accounts' names, each once: one person may have accounts on two networks."""
        return tuple(dict.fromkeys(one.display_name for one in self.accounts if one.display_name))

    @property
    def pictures(self) -> dict[str, bytes]:
        """The accounts' pictures, by their file names beside the card."""
        return {f"avatar-{one.source}.png": one.picture for one in self.accounts if one.picture}

    @property
    def picture_names(self) -> dict[str, str]:
        """Whom each of these pictures shows."""
        shown = [one for one in self.accounts if one.picture]
        return {f"avatar-{one.source}.png": one.display_name or one.handle or self.name for one in shown}

    @property
    def first_samples(self) -> tuple[Sample, ...]:
        """The samples of the first prompt that has any."""
        return tuple(sample for sample in self.samples if sample.prompt == self.samples[0].prompt)

    @property
    def adapter_uri(self) -> str:
        """The address of the LoRA adapter, beside the model."""
        return f"{self.model_uri.rpartition('/')[0]}/{ADAPTER_FOLDER}"

    @property
    def stops_early(self) -> bool:
        """Whether the validation loss chose the weights. With few posts it is too uncertain for that."""
        _, validation, _ = self.parts
        return self.values.stops_early(validation)


def get_source_names(sources: Sequence[Source]) -> tuple[str, ...]:
    """Return what the card calls each source: with the names of files, without the addresses of buckets."""
    return tuple(_format_source_name(source) for source in sources)


def list_retweet_exclusions(sources: Sequence[Source]) -> tuple[bool, ...]:
    """Return for each source whether its retweets were not downloaded, so that their number is unknown."""
    return tuple(source.x is not None and source.x.exclude_retweets for source in sources)


def list_account_pages(
    sources: Sequence[Source], accounts: Sequence[CardAccount], subject: Subject
) -> tuple[tuple[str, str], ...]:
    """Return name and page of each account that a source is of.

    A fictional account has no page: the one under its name would be somebody else's.
    """
    handles = {account.source: account.handle for account in accounts}
    pages = [_find_page(source, handles.get(index)) for index, source in enumerate(sources)]
    return tuple(dict.fromkeys(filter(None, pages))) if subject.relation != "Fictional" else ()


def _find_page(source: Source, handle: str | None) -> tuple[str, str] | None:
    match source.kind:
        case XSource(handle=name):
            return f"@{name}", f"https://x.com/{name}"
        case BlueskySource(actor=actor) if account := actor or handle:
            shown = account if account.startswith("did:") else f"@{account}"
            return shown, f"https://bsky.app/profile/{account}"
        case MastodonSource() if handle and "@" in handle:
            user, _, server = handle.partition("@")
            return f"@{handle}", f"https://{server}/@{user}"
        case kind if handle and (page := _PAGES.get(type(kind))):
            shown, address = page
            return shown.format(handle), address.format(handle)
    return None


def _format_source_name(source: Source) -> str:
    match source.kind:
        case XSource(handle=handle):
            return f"@{handle} by the X API"
        case BlueskySource(actor=str(actor)):
            return f"{actor if actor.startswith('did:') else f'@{actor}'} on Bluesky"
        case kind:
            return f"{_FILES[type(kind)]} {PurePosixPath(kind.uri).name}"
