"""What a container leaves as its last word."""

from pathlib import Path

import pytest

from tweetbot_cluster.node.pod.termination import MESSAGE_LIMIT, termination_message


def message_of(folder: Path, *, written: str = "", logged: str = "", policy: str = "File", failed: bool = True) -> str:
    (folder / "message").write_text(written)
    (folder / "log").write_text(logged)
    return termination_message(folder / "message", folder / "log", policy=policy, failed=failed)


def test_the_end_of_a_long_message_is_kept(tmp_path: Path) -> None:
    message = message_of(tmp_path, written="a" * 5000 + "end")
    assert (len(message), message[-4:]) == (MESSAGE_LIMIT, "aend")


def test_a_message_of_just_the_limit_is_whole(tmp_path: Path) -> None:
    assert message_of(tmp_path, written="b" + "a" * (MESSAGE_LIMIT - 1)).startswith("ba")


def test_a_message_that_was_never_written_is_empty(tmp_path: Path) -> None:
    assert termination_message(tmp_path / "no", tmp_path / "no", policy="File", failed=True) == ""


def test_a_failure_without_message_falls_back_to_the_log_where_asked(tmp_path: Path) -> None:
    lines = "".join(f"line {number}\n" for number in range(100))
    message = message_of(tmp_path, logged=lines, policy="FallbackToLogsOnError")
    assert message.splitlines() == [f"line {number}" for number in range(20, 100)]


@pytest.mark.parametrize(
    ("written", "policy", "failed", "expected"),
    [
        ("said", "FallbackToLogsOnError", True, "said"),
        ("", "FallbackToLogsOnError", False, ""),
        ("", "File", True, ""),
    ],
)
def test_the_log_is_no_message_otherwise(
    tmp_path: Path, written: str, policy: str, failed: bool, expected: str
) -> None:
    assert message_of(tmp_path, written=written, logged="logged", policy=policy, failed=failed) == expected
