"""The demo's export, read back by the product: what was written is what is counted."""

import io
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from builders.trainer import count_posts
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.spec.spec import Filter
from tweetbot_demo.archive import ACCOUNT_ID, DISPLAY_NAME, HANDLE, POSTS, WrittenArchive, draw_avatar, write_archive
from tweetbot_demo.grammar import JAPANESE
from tweetbot_trainer.data.cleaning import clean
from tweetbot_trainer.data.dataset.dataset import build_dataset
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.interface import Profile
from tweetbot_trainer.data.sources.x_archive.source import XArchiveSource
from tweetbot_trainer.store.folder import FolderStore


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> WrittenArchive:
    return write_archive(tmp_path_factory.mktemp("demo") / f"{HANDLE}.zip")


@pytest.fixture(scope="module")
def posts(written: WrittenArchive) -> list[Post]:
    return list(XArchiveSource(written.path.as_uri(), 0, FolderStore()).read_posts())


def test_a_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    contents = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_archive(tmp_path / name, seed=seed, posts=80)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1] != contents[2]


def test_every_post_is_found_once_and_edited_ones_in_both_versions(written: WrittenArchive, posts: list[Post]) -> None:
    assert written.posts == POSTS >= 1500
    assert len({post.id for post in posts}) == len(posts) == POSTS + written.kinds["edited"]


def test_every_wart_is_seen_for_what_it_is(written: WrittenArchive, posts: list[Post]) -> None:
    kinds = Counter(written.kinds)
    assert sum(post.retweet for post in posts) == kinds["retweet"] > 0
    assert sum(post.reply for post in posts) == kinds["reply"] > 0
    assert sum(post.quote for post in posts) == kinds["quote"] > 0
    assert sum(len(post.text) > 300 for post in posts) == kinds["note"] > 0
    assert sum(post.text in JAPANESE for post in posts) == kinds["japanese"] > 0
    assert (
        sum("<|endoftext|>" in post.text.replace("&lt;", "<").replace("&gt;", ">") for post in posts) == kinds["marker"]
    )
    assert sum(len(post.edits) == 2 for post in posts) == 2 * kinds["edited"] > 0
    assert all(post.edits for post in posts if "teh " in post.text)
    assert all(post.created_at for post in posts)


def test_the_demos_account_shows_itself(written: WrittenArchive) -> None:
    avatar = draw_avatar()
    profile = XArchiveSource(written.path.as_uri(), 0, FolderStore()).read_profile()
    assert profile == Profile(ACCOUNT_ID, HANDLE, DISPLAY_NAME, avatar)
    with Image.open(io.BytesIO(avatar)) as picture:
        picture.verify()
        assert picture.size == (48, 48)


def test_both_recipes_keep_most_of_it(written: WrittenArchive, posts: list[Post]) -> None:
    original, modern = (count_posts(clean(posts, Filter(recipe=recipe))) for recipe in ("huggingtweets", "modern"))
    assert original.retweets == written.kinds["retweet"]
    assert modern.retweets == written.kinds["retweet"] + written.kinds["old_retweet"]
    assert modern.redacted == written.kinds["personal"]
    assert modern.duplicates >= written.kinds["near_duplicate"]
    assert min(original.kept, modern.kept) > 1350


def test_the_demos_dataset_reads_well(written: WrittenArchive, posts: list[Post]) -> None:
    dataset = build_dataset(clean(posts, Filter()), Filter(), sources=1)
    assert isinstance(dataset.table, DataTable)
    assert dataset.table.edits == written.kinds["edited"]
    assert not any("http" in post.text or "&amp;" in post.text or "555-0143" in post.text for post in dataset.posts)
    assert sum(post.text.startswith("My dream is ") for post in dataset.posts) > 300
