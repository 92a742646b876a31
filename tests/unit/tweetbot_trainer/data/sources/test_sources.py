"""Opening a source by its spec."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from builders.trainer import ObjectsInMemory, Pages
from tweetbot_contract.spec.sources import Source
from tweetbot_trainer.data.sources import PostSource, StorePages, get_pages_folder, open_source
from tweetbot_trainer.data.sources.bluesky.feed import BlueskyFeed
from tweetbot_trainer.data.sources.bluesky.repository import BlueskyRepository
from tweetbot_trainer.data.sources.mastodon.source import MastodonExportSource
from tweetbot_trainer.data.sources.meta.source import MetaExportSource
from tweetbot_trainer.data.sources.posts_file import PostsFileSource
from tweetbot_trainer.data.sources.reddit.source import RedditExportSource
from tweetbot_trainer.data.sources.x_api.source import XApiSource, read_token
from tweetbot_trainer.data.sources.x_archive.source import XArchiveSource
from tweetbot_trainer.runtime.errors import NotAuthorized
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store.folder import FolderStore

X = {"x": {"handle": "gull", "tokenSecret": {"name": "x", "key": "token"}, "acceptTerms": True}}


def opened(spec: dict[str, Any], secrets: Path, index: int = 0) -> PostSource:
    source, budget = Source.model_validate(spec), RetryBudget(0)
    return open_source(
        source, index, store=ObjectsInMemory(), secrets=secrets, pages=lambda handle: Pages(), retry_budget=budget
    )


def a_token(secrets: Path, content: bytes, index: int = 0) -> Path:
    (secrets / f"x-{index}").mkdir()
    (secrets / f"x-{index}" / "token").write_bytes(content)
    return secrets


def test_each_kind_has_its_source(tmp_path: Path) -> None:
    a_token(tmp_path, b"secret\n")
    assert isinstance(opened({"archive": {"uri": "s3://team-a/gull.zip"}}, tmp_path), XArchiveSource)
    assert isinstance(opened({"posts": {"uri": "s3://team-a/posts.jsonl"}}, tmp_path), PostsFileSource)
    assert isinstance(opened(X, tmp_path), XApiSource)
    assert isinstance(opened({"bluesky": {"actor": "gull.example.com"}}, tmp_path), BlueskyFeed)
    assert isinstance(opened({"bluesky": {"car": "s3://team-a/gull.car"}}, tmp_path), BlueskyRepository)
    assert isinstance(opened({"mastodon": {"uri": "s3://team-a/outbox.json"}}, tmp_path), MastodonExportSource)
    assert isinstance(opened({"threads": {"uri": "s3://team-a/meta.zip"}}, tmp_path), MetaExportSource)
    assert isinstance(opened({"instagram": {"uri": "s3://team-a/meta.zip"}}, tmp_path), MetaExportSource)
    assert isinstance(opened({"reddit": {"uri": "s3://team-a/reddit.zip"}}, tmp_path), RedditExportSource)


def test_the_token_is_the_one_of_the_sources_place(tmp_path: Path) -> None:
    assert read_token(a_token(tmp_path, b" secret \n", index=2), 2) == "secret"


@pytest.mark.parametrize("content", [None, b"", b" \n", b"two words", b"two\nlines", "tökén".encode(), b"\xff\xfe"])
def test_a_secret_without_a_token_is_reported(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        a_token(tmp_path, content)
    with pytest.raises(NotAuthorized, match=r"sources\[0\]\.x\.tokenSecret holds no bearer token"):
        opened(X, tmp_path)


def test_pages_are_kept_in_the_accounts_folder_and_never_change(tmp_path: Path) -> None:
    pages = StorePages(FolderStore(), get_pages_folder(tmp_path.as_uri(), "Harbour_Gull"), "run1")
    assert pages.load("x/2.json") is None
    assert pages.list_names("x") == []
    pages.save("x/2.json", b"{}")
    pages.save("x/1.json", b"{}")
    pages.save("x/2.json", b"another")
    assert pages.load("x/2.json") == b"{}"
    assert pages.list_names("x") == ["1.json", "2.json"]
    assert (tmp_path / "raw/x/harbour_gull/x/2.json").read_bytes() == b"{}"


def test_reading_a_file_loads_no_client_of_an_api() -> None:
    program = (
        "import sys, tweetbot_trainer.data.sources\nprint(sorted({'requests', 'tweepy', 'boto3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout == "[]\n"


def test_preparing_loads_no_machine_learning() -> None:
    program = (
        "import sys, tweetbot_trainer.data.sources.x_api.source\n"
        "import tweetbot_trainer.data.dataset.dataset, tweetbot_trainer.cli.clean\n"
        "import tweetbot_trainer.data.cleaning.duplicates\n"
        "print(sorted({'torch', 'transformers', 'tokenizers', 'wandb', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout == "[]\n"
