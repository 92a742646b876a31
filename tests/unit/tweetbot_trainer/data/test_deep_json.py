"""JSON nested a hundred thousand times is damage like any other, in every file that the trainer reads back."""

import hashlib
from pathlib import Path

import pytest
import zstandard

from tweetbot_contract.spec.id_lists import parse_id_list
from tweetbot_trainer.data.dataset.dataset import is_whole, read_dataset
from tweetbot_trainer.data.dataset.ids import read_ids
from tweetbot_trainer.data.posts import BadPost, parse_json
from tweetbot_trainer.data.sources.http import parse_object
from tweetbot_trainer.learning.checkpoints.files import BadCheckpoint, read_checkpoint
from tweetbot_trainer.learning.generation.generation import read_generation_config
from tweetbot_trainer.publishing.registry.latest import read_latest
from tweetbot_trainer.publishing.registry.manifest import decode_manifest
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store.folder import FolderStore

DEEP = '{"id":' * 100_000


def test_it_is_no_post_no_id_and_no_answer() -> None:
    with pytest.raises(BadPost):
        parse_json(DEEP, 1)
    with pytest.raises(ValueError, match="write an id"):
        parse_id_list(DEEP.encode(), "a list")
    with pytest.raises(ValueError, match="names no post"):
        list(read_ids([DEEP.encode()]))
    assert (parse_object(DEEP.encode()), decode_manifest(DEEP.encode())) == ({}, None)


def test_it_is_a_damaged_dataset() -> None:
    packed, digest = zstandard.compress(DEEP.encode()), hashlib.sha256(DEEP.encode()).hexdigest()
    for posts, summary in ((packed, b"{}"), (zstandard.compress(b"{}"), DEEP.encode())):
        with pytest.raises(SpecRefused, match="is damaged"):
            read_dataset(posts, summary, digest=digest)
    assert not is_whole(packed, DEEP.encode(), digest=digest)


def test_it_is_a_damaged_checkpoint_model_or_pointer(tmp_path: Path) -> None:
    for name in ("course.json", "generation_config.json", "latest.json"):
        (tmp_path / name).write_text(DEEP, encoding="utf-8")
    with pytest.raises(BadCheckpoint):
        read_checkpoint(tmp_path)
    with pytest.raises(SpecRefused, match="lacks values"):
        read_generation_config(tmp_path)
    assert read_latest(FolderStore(), f"file://{tmp_path}/latest.json") == {}
