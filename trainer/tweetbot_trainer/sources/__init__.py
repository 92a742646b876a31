"""Where posts come from: one small module a kind, each turning its input into canonical posts.

archive   the account owner's own X export    archive*.py, grailbird.py, notes.py, json_array.py
bluesky   Bluesky's public API                 bluesky_feed.py, bluesky_client.py, bluesky_records.py
          an exported repository               bluesky_repository.py, car.py, dag_cbor.py
mastodon  the owner's export of an account     mastodon*.py, tar_gz.py, json_array.py
posts     a jsonl, csv or txt file             posts_file.py
x         the X API                            x_*.py, patience.py, pages.py
"""

from collections.abc import Callable
from pathlib import Path

from tweetbot_contract.sources import ArchiveSource as ArchiveSpec
from tweetbot_contract.sources import BlueskySource as BlueskySpec
from tweetbot_contract.sources import MastodonSource as MastodonSpec
from tweetbot_contract.sources import PostsSource as PostsSpec
from tweetbot_contract.sources import Source
from tweetbot_contract.sources import XSource as XSpec
from tweetbot_trainer.log import Log
from tweetbot_trainer.sources.archive import ArchiveSource
from tweetbot_trainer.sources.bluesky_repository import BlueskyRepository
from tweetbot_trainer.sources.mastodon import MastodonSource
from tweetbot_trainer.sources.pages import StorePages, pages_folder
from tweetbot_trainer.sources.patience import Patience
from tweetbot_trainer.sources.posts_file import PostsFileSource
from tweetbot_trainer.sources.reading import ObjectReader, PageCache, PaidSource, PostSource

__all__ = [
    "ObjectReader",
    "PageCache",
    "PaidSource",
    "Patience",
    "PostSource",
    "StorePages",
    "open_source",
    "pages_folder",
]


def open_source(
    source: Source,
    index: int,
    *,
    store: ObjectReader,
    secrets: Path,
    pages: Callable[[str], PageCache],
    patience: Patience | None = None,
    log: Log | None = None,
) -> PostSource:
    """Return the source at this place of spec.sources.

    `pages` returns what keeps the billed pages of an account of X, `patience` bounds the waits for an API.
    Raises NotAuthorized when an X token is missing.
    """
    match source.kind:
        case ArchiveSpec(uri=uri):
            return ArchiveSource(uri, index, store, log)
        case PostsSpec() as spec:
            return PostsFileSource(spec, index, store)
        case MastodonSpec() as spec:
            return MastodonSource(spec, index, reader=store, log=log or Log())
        case BlueskySpec(car=str()) as spec:
            return BlueskyRepository(spec, index, reader=store, log=log or Log())
        case BlueskySpec() as spec:
            from tweetbot_trainer.sources.bluesky_feed import BlueskyFeed  # requests: not for those who read a file

            return BlueskyFeed(spec, index, patience=patience or Patience(), log=log or Log())
        case XSpec() as spec:
            from tweetbot_trainer.sources.x_api import XApiSource, read_token  # tweepy: not for those who read a file

            return XApiSource(
                spec,
                index,
                token=read_token(secrets, index),
                pages=pages(spec.handle),
                patience=patience or Patience(),
                log=log or Log(),
            )
