"""Each network's export, given as each other's: the sentence names the kind of source that reads it."""

from pathlib import Path

import pytest

from archives import meta, reddit, ytd
from archives.writing import make_zip
from builders.mastodon import a_note, an_outbox, members_of
from builders.trainer import ObjectsInMemory, Pages, a_tweet, tweets_js
from tweetbot_contract.spec.sources import Source
from tweetbot_trainer.data.sources import PostSource, open_source
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.retry_budget import RetryBudget

EXPORTS = {
    "archive": make_zip(ytd.make_current_export()),
    "mastodon": make_zip(members_of(a_note())),
    "threads": make_zip(meta.make_threads_export()),
    "instagram": make_zip(meta.make_instagram_export()),
    "reddit": make_zip(reddit.make_export()),
}
#: Meta packs both into one export, and its source says what to choose.
APART = ("threads", "instagram")
SINGLE = {"archive": tweets_js(a_tweet()), "mastodon": an_outbox(a_note())}


def source_of(kind: str, content: bytes) -> PostSource:
    uri = "s3://bucket/export"
    spec, store = Source.model_validate({kind: {"uri": uri}}), ObjectsInMemory(**{uri: content})
    return open_source(
        spec, 0, store=store, secrets=Path("none"), pages=lambda handle: Pages(), retry_budget=RetryBudget(0)
    )


@pytest.mark.parametrize("kind", EXPORTS)
def test_an_export_is_read_by_its_own_kind(kind: str) -> None:
    assert list(source_of(kind, EXPORTS[kind]).read_posts())


@pytest.mark.parametrize(
    ("kind", "other", "content"),
    [(kind, other, EXPORTS[other]) for kind in EXPORTS for other in EXPORTS if kind != other and (kind, other) != APART]
    + [(kind, other, SINGLE[other]) for kind in EXPORTS for other in SINGLE if kind != other],
)
def test_an_export_of_another_network_is_named(kind: str, other: str, content: bytes) -> None:
    with pytest.raises(SpecRefused, match=rf"give it as a source of the kind {other}$") as failure:
        list(source_of(kind, content).read_posts())
    assert failure.value.reason.name == "SourceNotAnExport"
