"""The parent of a container's process."""

import os
import signal
from pathlib import Path

from tweetbot_cluster.node.pod.containers import Container
from tweetbot_cluster.node.pod.supervisor import Exit, Launch
from tweetbot_cluster.processes import read_record, record_of


def a_launch(folder: Path, *command: str) -> Container:
    container = Container(folder)
    env = {"PATH": os.environ["PATH"], "WORD": "gull"}
    container.launch(Launch(command=command, env=env, folder=str(folder), log=str(folder / "log")))
    return container


async def test_the_exit_code_and_the_output_are_kept(tmp_path: Path) -> None:
    ended = await a_launch(tmp_path, "sh", "-c", "echo $WORD; exit 7").wait()
    assert ended is not None
    assert (ended.code, ended.error, (tmp_path / "log").read_text()) == (7, None, "gull\n")


async def test_a_command_that_does_not_exist_is_told(tmp_path: Path) -> None:
    started = await a_launch(tmp_path, "no-such-program").started()
    assert isinstance(started, Exit)
    assert started.code == 128
    assert "no-such-program" in (started.error or "")


async def test_a_signal_becomes_128_and_its_number(tmp_path: Path) -> None:
    container = a_launch(tmp_path, "sleep", "60")
    await container.started()
    container.terminate()
    ended = await container.wait()
    assert ended is not None
    assert ended.code == 128 + signal.SIGTERM


async def test_what_is_killed_before_it_starts_does_not_live(tmp_path: Path) -> None:
    container = a_launch(tmp_path, "sleep", "60")
    container.kill()
    ended = await container.wait()
    assert ended is not None
    assert ended.code == 128 + signal.SIGKILL


async def test_the_end_of_the_first_process_ends_the_others(tmp_path: Path) -> None:
    await a_launch(tmp_path, "sh", "-c", "sleep 60 & echo $!").wait()
    other = int((tmp_path / "log").read_text())
    try:
        assert record_of(other).wait(50)  # killed, it may still have its last moments on a busy processor
    except ProcessLookupError:
        return


async def test_nobody_knows_the_exit_code_when_the_supervisor_was_killed(tmp_path: Path) -> None:
    container = a_launch(tmp_path, "sleep", "60")
    await container.started()
    supervisor, main = read_record(tmp_path / "supervisor"), read_record(tmp_path / "main")
    assert supervisor
    assert main
    os.kill(supervisor.pid, signal.SIGKILL)
    assert await container.wait() is None
    assert main.wait(5)


async def test_another_agent_finds_what_the_first_one_launched(tmp_path: Path) -> None:
    a_launch(tmp_path, "sh", "-c", "exit 3")
    later = Container(tmp_path)
    assert later.launched
    ended = await later.wait()
    assert ended is not None
    assert ended.code == 3
