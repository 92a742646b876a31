"""The table of images."""

from pathlib import Path

import pytest

from tweetbot_cluster.node.images import PLAIN, PROGRAMS, ImageMissing, search_path, short_name


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("busybox", "busybox"),
        ("busybox:1.36", "busybox"),
        ("registry.example.org:5000/team/tweetbot-trainer:0.1.0", "tweetbot-trainer"),
        ("ghcr.io/x/tweetbot-trainer@sha256:abc", "tweetbot-trainer"),
        ("ghcr.io/x/tweetbot-trainer:1@sha256:abc", "tweetbot-trainer"),
    ],
)
def test_an_image_is_known_by_the_last_part_of_its_name(image: str, name: str) -> None:
    assert short_name(image) == name


def test_the_trainers_image_has_this_projects_programs() -> None:
    assert search_path("ghcr.io/x/tweetbot-trainer:1", {}).split(":")[0] == str(PROGRAMS)


def test_a_plain_image_has_none_of_them() -> None:
    assert search_path("busybox", {}) == PLAIN


def test_an_addition_goes_before_the_table() -> None:
    assert search_path("tweetbot-trainer", {"tweetbot-*": Path("/fake")}).startswith("/fake:")


def test_another_image_is_missing() -> None:
    with pytest.raises(ImageMissing, match=r"example\.org/gull:1"):
        search_path("example.org/gull:1", {})
