"""Paths of a Pod on the host."""

from pathlib import Path

import pytest

from tweetbot_cluster.node.pod.paths import PathMap, clean

PATHS = PathMap(
    {
        "/work": Path("/pod/work"),
        "/work/secrets": Path("/pod/secrets"),
        "/dev/termination-log": Path("/pod/log"),
    }
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/work", "/pod/work"),
        ("/work/home", "/pod/work/home"),
        ("/work/", "/pod/work/"),
        ("/work/secrets/token", "/pod/secrets/token"),
        ("/dev/termination-log", "/pod/log"),
        ("--out=/work/x", "--out=/pod/work/x"),
        ("/usr/bin:/work/bin:/work/secrets", "/usr/bin:/pod/work/bin:/pod/secrets"),
    ],
)
def test_a_path_below_a_mount_is_rewritten(value: str, expected: str) -> None:
    assert PATHS.rewrite(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "/workers",
        "/worker/x",
        "work",
        "s3://bucket/work",
        "file:///work",
        "see /work",
        '{"dir":"/work"}',
        "a=/work",
        "",
    ],
)
def test_other_text_stays_as_it_is(value: str) -> None:
    assert PATHS.rewrite(value) == value


def test_a_mount_path_is_compared_without_needless_slashes() -> None:
    assert clean("/work//home/") == "/work/home"
