"""The child that forwards a port: a kubectl of the test's own."""

from pathlib import Path

import pytest

from tweetbot_kubectl.cluster.port_forward import ForwardFailed, PortForward


def a_kubectl(folder: Path, script: str) -> str:
    program = folder / "kubectl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_the_local_port_is_the_one_that_kubectl_chose(tmp_path: Path) -> None:
    script = 'echo "$@" > arguments; echo "Forwarding from 127.0.0.1:40123 -> 20001"; exec sleep 60'
    forward = PortForward([a_kubectl(tmp_path, f"cd {tmp_path}; {script}"), "pod/gull"], 20001)
    assert forward.start() == 40123
    assert forward.alive
    forward.stop()
    assert not forward.alive
    assert (tmp_path / "arguments").read_text() == "pod/gull :20001\n"


def test_a_kubectl_that_ends_is_told_in_its_own_words(tmp_path: Path) -> None:
    forward = PortForward([a_kubectl(tmp_path, "echo 'error: pods is forbidden' >&2; exit 1")], 20001)
    with pytest.raises(ForwardFailed, match="pods is forbidden"):
        forward.start()
    assert not forward.alive


def test_a_second_start_keeps_the_local_port(tmp_path: Path) -> None:
    script = f'echo "$1" >> {tmp_path}/ports; echo "Forwarding from 127.0.0.1:40123 -> 20001"; exit 0'
    forward = PortForward([a_kubectl(tmp_path, script)], 20001)
    forward.start()
    forward.stop()
    assert forward.start() == 40123
    forward.stop()
    assert (tmp_path / "ports").read_text().split() == [":20001", "40123:20001"]
