"""Where posts come from: one module or folder per kind of source, each turning its input into posts.

archive   the account owner's X export         x_archive/
bluesky   Bluesky's public API                 bluesky/feed.py, client.py, records.py
          an exported repository               bluesky/repository.py, car.py, dag_cbor.py, records.py
mastodon  the account owner's export           mastodon/
threads   the account owner's export           meta/
instagram the account owner's export           meta/
reddit    the account owner's data             reddit/
posts     a jsonl, csv or txt file             posts_file.py
          one for OpenAI's fine-tuning         openai_file.py
x         the X API                            x_api/
"""

from collections.abc import Callable
from pathlib import Path

from tweetbot_contract.spec.sources import ArchiveSource as ArchiveSpec
from tweetbot_contract.spec.sources import BlueskySource as BlueskySpec
from tweetbot_contract.spec.sources import InstagramSource as InstagramSpec
from tweetbot_contract.spec.sources import MastodonSource as MastodonSpec
from tweetbot_contract.spec.sources import PostsSource as PostsSpec
from tweetbot_contract.spec.sources import RedditSource as RedditSpec
from tweetbot_contract.spec.sources import Source
from tweetbot_contract.spec.sources import ThreadsSource as ThreadsSpec
from tweetbot_contract.spec.sources import XSource as XSpec
from tweetbot_trainer.data.sources.bluesky.repository import BlueskyRepository
from tweetbot_trainer.data.sources.interface import ObjectReader, PageCache, PaidSource, PostSource
from tweetbot_trainer.data.sources.mastodon.source import MastodonExportSource
from tweetbot_trainer.data.sources.meta.source import MetaExportSource
from tweetbot_trainer.data.sources.posts_file import PostsFileSource
from tweetbot_trainer.data.sources.reddit.source import RedditExportSource
from tweetbot_trainer.data.sources.x_api.page_cache import StorePages, get_pages_folder
from tweetbot_trainer.data.sources.x_archive.source import XArchiveSource
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.retry_budget import RetryBudget

#: Kinds whose posts are in a file.
FileSpec = ArchiveSpec | BlueskySpec | MastodonSpec | PostsSpec | RedditSpec | ThreadsSpec | InstagramSpec

__all__ = ["ObjectReader", "PageCache", "PaidSource", "PostSource", "StorePages", "get_pages_folder", "open_source"]


def open_source(
    source: Source,
    index: int,
    *,
    store: ObjectReader,
    secrets: Path,
    pages: Callable[[str], PageCache],
    retry_budget: RetryBudget,
    log: Log | None = None,
) -> PostSource:
    """Open the source with this index in spec.sources.

    `pages` returns the cache for an X account's pages; `retry_budget` bounds the waits for APIs.
    Raises NotAuthorized if an X token is missing.
    """
    kept = log or Log()
    match source.kind:
        case BlueskySpec(car=None) as spec:
            # loads requests, which files do not need
            from tweetbot_trainer.data.sources.bluesky.feed import BlueskyFeed

            return BlueskyFeed(spec, index, retry_budget=retry_budget, log=kept)
        case XSpec() as spec:
            # loads tweepy, which files do not need
            from tweetbot_trainer.data.sources.x_api.source import XApiSource, read_token

            token, cache = read_token(secrets, index), pages(spec.handle)
            return XApiSource(
                spec,
                index,
                token=token,
                pages=cache,
                retry_budget=retry_budget,
                log=kept,
                max_missing_percent=source.max_missing_percent,
            )
        case spec:
            return _open_file(spec, index, store, kept)


def _open_file(spec: FileSpec, index: int, store: ObjectReader, log: Log) -> PostSource:
    match spec:
        case ArchiveSpec(uri=uri):
            return XArchiveSource(uri, index, store, log)
        case BlueskySpec():
            return BlueskyRepository(spec, index, reader=store, log=log)
        case MastodonSpec():
            return MastodonExportSource(spec, index, reader=store, log=log)
        case PostsSpec():
            return PostsFileSource(spec, index, store)
        case RedditSpec():
            return RedditExportSource(spec, index, reader=store, log=log)
        case ThreadsSpec() | InstagramSpec():
            return MetaExportSource(spec, index, reader=store, log=log)
