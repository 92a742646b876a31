"""What an address says, and what is not one."""

from pathlib import Path

import pytest

from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store.address import S3Address, join, parse_file_uri, parse_s3_uri, quote_name, unquote_name


@pytest.mark.parametrize("uri", ["gs://team-a/models", "team-a/models", "s3://", "s3:///models", ""])
def test_what_names_no_bucket_of_s3_is_refused(uri: str) -> None:
    with pytest.raises(SpecRefused, match="write s3://bucket/key"):
        parse_s3_uri(uri)


def test_an_address_of_s3_is_taken_as_it_is_written() -> None:
    assert parse_s3_uri("s3://team-a/a%2Fb/s3://c") == S3Address("team-a", "a%2Fb/s3://c")
    assert parse_s3_uri("s3://team-a") == S3Address("team-a", "")
    assert str(S3Address("team-a", "a/b")) == "s3://team-a/a/b"


@pytest.mark.parametrize("uri", ["file://host/a", "/a", "file:/a", "s3://a/b", "file:///a%00b", "file:///a\0b"])
def test_what_names_no_file_of_this_machine_is_refused(uri: str) -> None:
    with pytest.raises(SpecRefused, match="write file:///path"):
        parse_file_uri(uri)


def test_a_name_comes_back_from_its_address_whatever_its_bytes() -> None:
    name = "50% möwe\udcff"
    assert unquote_name(quote_name(name)) == name
    assert parse_file_uri(f"file:///a/{quote_name(name)}") == Path("/a") / name


def test_names_are_joined_with_one_slash_each() -> None:
    assert join("s3://team-a/models/", "gull", "latest.json") == "s3://team-a/models/gull/latest.json"
