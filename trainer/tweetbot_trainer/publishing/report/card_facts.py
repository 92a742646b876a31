"""Everything that a model card tells, as one value: the renderer looks nothing up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from tweetbot_contract.result import DataTable, Metrics, Sample
from tweetbot_contract.spec.sources import ArchiveSource, BlueskySource, MastodonSource, PostsSource, Source, XSource
from tweetbot_contract.spec.spec import Gates, Subject
from tweetbot_trainer.data.cleaning.languages import parse_label
from tweetbot_trainer.data.dataset.profiles import CardAccount
from tweetbot_trainer.data.dataset.splits import Order
from tweetbot_trainer.learning.evaluation.memorization import Memorization
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.sampling import SamplingParams
from tweetbot_trainer.learning.training.callbacks import TrainOutput
from tweetbot_trainer.learning.values import Hyperparameters

_FILES: dict[type, str] = {
    ArchiveSource: "X archive",
    PostsSource: "file",
    BlueskySource: "Bluesky repository",
    MastodonSource: "Mastodon export",
}
#: A language of fewer posts than this share does not describe the bot.
LANGUAGE_SHARE = 0.1


class HasLanguage(Protocol):
    """A post that may carry its language; `DatasetPost` does."""

    @property
    def lang(self) -> str | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class CardData:
    """What the card tells. `parts` counts train, validation and test posts.

    `accounts` are those that the sources name, `other_handle` is one of them that the subject does not have.

    `source_names` and `source_tables` stand in the order of the spec; links are relative to the card's directory,
    `models/<version>/model` (design, section 5). `interval` holds the bits per byte with 95 %, `ratio_interval` their
    ratio to the base's. `list_retweet_exclusions` tells of each source whether X was not asked for
    them.
    """

    subject: Subject
    model_name: str
    model_uri: str
    source_names: tuple[str, ...]
    source_tables: tuple[DataTable, ...]
    table: DataTable
    dataset_digest: str
    cleaning_recipe: str
    newest_post_at: str | None
    languages: tuple[str, ...]
    parts: tuple[int, int, int]
    ordered_by: Order
    base: BaseIdentity
    values: Hyperparameters
    outcome: TrainOutput
    metrics: Metrics
    memorization: Memorization | None
    interval: tuple[float, float]
    ratio_interval: tuple[float, float] | None
    gates: Gates
    sampling: SamplingParams
    samples: tuple[Sample, ...]
    prompts: tuple[str, ...]
    made_by: str
    without_retweets: tuple[bool, ...] = ()
    tracking_url: str | None = None
    accounts: tuple[CardAccount, ...] = ()
    other_handle: str | None = None
    loss_link: str = "../report/loss.png"
    predictions_link: str = "../report/predictions.png"
    badges_link: str = "../report/badges.svg"

    @property
    def name(self) -> str:
        """Return what the person is called, or the persons: by the spec, else by their accounts, else by the handle."""
        return self.subject.display_name or " & ".join(self.account_names) or self.subject.handle

    @property
    def account_names(self) -> tuple[str, ...]:
        """Return the accounts' names, each once: one person may be read from two networks."""
        return tuple(dict.fromkeys(one.display_name for one in self.accounts if one.display_name))

    @property
    def pictures(self) -> dict[str, bytes]:
        """Return the accounts' pictures by the names of their files in the report."""
        return {f"avatar-{one.source}.png": one.picture for one in self.accounts if one.picture}

    @property
    def stops_early(self) -> bool:
        """Tell whether the validation loss chose the weights: with few posts it is too uncertain for that."""
        return self.values.early_stopping and self.metrics.reliability == "Normal"

    @property
    def dataset_link(self) -> str:
        """Return where the dataset's summary lies."""
        return f"../../../datasets/{self.dataset_digest}/dataset.json"


def find_languages(posts: Sequence[HasLanguage]) -> tuple[str, ...]:
    """Return the languages of at least a tenth of the labelled posts, the commonest first; none where none is known."""
    labels = filter(None, (parse_label(post.lang) for post in posts))
    counts = Counter(label for label in labels if label.isalpha() and label.islower() and len(label) in (2, 3))
    total = counts.total()
    return tuple(label for label, count in counts.most_common() if count >= LANGUAGE_SHARE * total)


def get_source_names(sources: Sequence[Source]) -> tuple[str, ...]:
    """Return for each source what readers of the card call it; addresses of buckets stay out, names of files do not."""
    return tuple(_format_source_name(source) for source in sources)


def list_retweet_exclusions(sources: Sequence[Source]) -> tuple[bool, ...]:
    """Tell for each source whether its retweets were left where they are, so that nobody knows how many there were."""
    return tuple(source.x is not None and source.x.exclude_retweets for source in sources)


def _format_source_name(source: Source) -> str:
    match source.kind:
        case XSource(handle=handle):
            return f"@{handle} by the X API"
        case BlueskySource(actor=str(actor)):
            return f"{actor if actor.startswith('did:') else f'@{actor}'} on Bluesky"
        case kind:
            return f"{_FILES[type(kind)]} {PurePosixPath(kind.uri).name}"
