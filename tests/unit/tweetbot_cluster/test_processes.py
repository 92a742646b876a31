"""Processes by pid and start time."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tweetbot_cluster.processes import ProcessRecord, end, read_record, record_of, spawn, write_record

ENV = {"PATH": os.environ["PATH"]}


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[ProcessRecord]:
    record = spawn(["sleep", "60"], tmp_path / "pid", log=tmp_path / "log", env=ENV)
    yield record
    end(record, grace=5)


def test_a_recycled_pid_is_never_signalled(sleeper: ProcessRecord) -> None:
    former = replace(sleeper, ticks=sleeper.ticks - 1)
    former.signal_group(signal.SIGKILL)
    assert (former.alive, sleeper.alive) == (False, True)


def test_a_pid_of_another_boot_is_not_alive(sleeper: ProcessRecord) -> None:
    assert not replace(sleeper, boot="another").alive


def test_a_record_survives_its_file(sleeper: ProcessRecord, tmp_path: Path) -> None:
    assert read_record(tmp_path / "pid") == sleeper


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}', '"x"'])
def test_a_record_that_was_cut_off_names_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / "pid").write_text(content)
    assert read_record(tmp_path / "pid") is None


def test_a_missing_record_names_nobody(tmp_path: Path) -> None:
    assert read_record(tmp_path / "pid") is None


def test_ending_takes_the_whole_group_and_leaves_no_zombie(tmp_path: Path) -> None:
    script = "sleep 60 & echo $!; trap '' TERM; wait; wait"
    record = spawn(["sh", "-c", script], tmp_path / "pid", log=tmp_path / "log", env=ENV)
    end(record, grace=0.2)
    assert not record.alive
    assert not (Path("/proc") / str(record.pid)).exists()


def test_an_ended_process_is_not_alive() -> None:
    process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    record = record_of(process.pid)
    process.communicate(b"\n")
    assert not record.alive
    assert record.wait(1)


def test_nobody_has_no_record() -> None:
    with pytest.raises(ProcessLookupError):
        record_of(2**22 + 1)


def test_a_record_is_replaced_whole(sleeper: ProcessRecord, tmp_path: Path) -> None:
    write_record(tmp_path / "pid", replace(sleeper, pid=7))
    assert read_record(tmp_path / "pid") == replace(sleeper, pid=7)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["log", "pid"]
