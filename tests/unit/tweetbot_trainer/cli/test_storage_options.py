"""The options of commands that people start reach the server as the fields of output.s3 do."""

import argparse
from pathlib import Path

import pytest

from tweetbot_fakes.remotes.s3_server import FakeS3, refusal
from tweetbot_trainer.cli.storage import add_storage_options, create_store_opener
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store import ObjectStore

URI = "s3://team-a/x"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a-key")


def opened(s3: FakeS3, *options: str) -> ObjectStore:
    parser = argparse.ArgumentParser()
    add_storage_options(parser)
    usual = ("--endpoint", s3.url, "--region", "us-east-1", "--addressing-style", "Path")
    return create_store_opener(URI, parser.parse_args([*usual, *options]), StopRequest())(URI)


def test_a_store_without_conditional_writes_can_be_written_to() -> None:
    with FakeS3() as s3:
        s3.refuse(lambda asked: asked.conditional, refusal(501, "NotImplemented"))
        with pytest.raises(SpecRefused):
            opened(s3).put_if_absent(URI, b"1")
        assert opened(s3, "--conditional-writes", "Unsupported").put_if_absent(URI, b"1")


def test_what_is_written_is_encrypted_by_the_key_that_is_given() -> None:
    with FakeS3() as s3:
        opened(s3, "--kms-key-id", "alias/gulls").put(URI, b"1")
        assert s3.requests[-1].headers["x-amz-server-side-encryption-aws-kms-key-id"] == "alias/gulls"


def test_a_wrong_key_is_refused() -> None:
    with FakeS3() as s3, pytest.raises(SpecRefused, match="write the key's id"):
        opened(s3, "--kms-key-id", "two words")


def test_in_a_pod_the_keys_are_those_of_the_mounted_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s3").mkdir()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        (tmp_path / "s3" / name).write_text("mounted-key\n")
    monkeypatch.setenv("TWEETBOT_SECRETS_DIR", str(tmp_path))
    with FakeS3() as s3:
        opened(s3).put(URI, b"1")
        assert "Credential=mounted-key/" in s3.requests[-1].headers["authorization"]
