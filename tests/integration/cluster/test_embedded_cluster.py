"""The embedded cluster itself: up, down, and what is left."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from builders.cluster import Namespace, a_pod
from harness.operator_process import audited
from tweetbot_cluster.cluster import EVERYTHING, EmbeddedCluster
from tweetbot_cluster.processes import read_record

PACKAGES = Path(__file__).parents[2] / "cluster"


def test_writes_to_jobs_are_audited(namespace: str, home: EmbeddedCluster) -> None:
    bench = Namespace(home, namespace)
    bench("create", "job", "seen", "--image=busybox")
    mine = [line for line in audited(home.audit_log) if line.get("objectRef", {}).get("namespace") == namespace]
    created = [line for line in mine if (line["verb"], line["objectRef"]["resource"]) == ("create", "jobs")]
    assert [line["user"]["username"] for line in created] == ["tweetbot-admin"]


def test_up_and_down_on_the_command_line_leave_nothing_even_when_the_agent_was_killed(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    state = tmp_path / "cluster"
    request.addfinalizer(EmbeddedCluster(state).down)
    first = command_line("up", "--no-operator", "--state", str(state))
    assert first.stdout.splitlines()[-1] == f"export KUBECONFIG={state / 'kubeconfig'}"
    before = EmbeddedCluster(state).status()
    assert all(before[name] for name in EVERYTHING)
    second = command_line("up", "--no-operator", "--state", str(state))
    assert second.stdout == first.stdout
    assert "all of it runs" in second.stderr
    cluster = EmbeddedCluster(state)
    assert cluster.status() == before
    cluster.kill("kube-scheduler")
    command_line("up", "--no-operator", "--state", str(state))
    after = cluster.status()
    assert {name for name in EVERYTHING if after[name] != before[name]} == {"kube-scheduler"}
    cluster.kubectl("apply", "-f", "-", input=json.dumps(a_pod("left", "sleep 600 & sleep 600")))
    cluster.kubectl("wait", "pod/left", "--for=jsonpath={.status.phase}=Running", "--timeout=120s")
    cluster.kill("node")
    assert processes_that_name(state)
    command_line("down", "--state", str(state))
    assert processes_that_name(state) == []
    assert cluster.down() == []


def test_a_cluster_goes_with_the_program_that_held_it(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys; from tweetbot_cluster.cluster import EmbeddedCluster\n"
        "with EmbeddedCluster(pathlib.Path(sys.argv[1]), parts=['etcd']): print('up', flush=True); input()"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": str(PACKAGES)}
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "up\n"
        guardian = read_record(tmp_path / "pids" / "guardian")
        owner.kill()
    assert guardian is not None
    assert guardian.wait(30)
    assert processes_that_name(tmp_path) == []


def test_data_outlive_down_also_when_a_port_was_taken_meanwhile(tmp_path: Path) -> None:
    with EmbeddedCluster(tmp_path / "cluster", parts=("etcd", "kube-apiserver")) as cluster:
        assert cluster.up() == []
        cluster.kubectl("create", "configmap", "kept", "--from-literal=word=gull")
        port = cluster.settings.apiserver_port
    assert processes_that_name(tmp_path) == []
    with socket.create_server(("127.0.0.1", port)), cluster:
        assert cluster.kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.word}").stdout == "gull"
        assert cluster.settings.apiserver_port != port
    cluster.down(delete=True)
    assert not (tmp_path / "cluster").exists()


def command_line(*arguments: str) -> CompletedProcess[str]:
    command = [sys.executable, "-m", "tweetbot_cluster", *arguments]
    env = {**os.environ, "PYTHONPATH": str(PACKAGES)}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True)


def processes_that_name(folder: Path) -> list[str]:
    """Every process whose command line or environment names the folder, the Pods' own included."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in text:
            found.append(text.decode(errors="replace"))
    return found
