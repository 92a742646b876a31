"""The process node seen from outside: how its agent is started, its Pods' logs, and the end of its Pods."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path

from tweetbot_cluster.kubernetes.api_server import ApiServer
from tweetbot_cluster.kubernetes.control_plane import NODE_NAME
from tweetbot_cluster.processes import ProcessRecord, read_record
from tweetbot_cluster.servers import Server
from tweetbot_cluster.state import StateFolder

PACKAGES = Path(__file__).resolve().parents[1]  # tests/cluster, which is not installed anywhere
POD_GRACE = 5.0  # seconds that Pods get to end when the whole cluster goes down


class NodePods:
    """The Pods of the process node: logs, which stay after a Pod is deleted, and processes."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state

    def logs(self, pod: str, namespace: str = "default", container: str = "*") -> str:
        """Return the logs of every Pod that had this name, the oldest first."""
        files = self._state.pod_logs.glob(f"{namespace}_{pod}_*/{container}.log")
        return "".join(
            file.read_text(errors="replace") for file in sorted(files, key=lambda each: each.stat().st_ctime)
        )

    def kill(self, prefix: str, namespace: str = "default") -> int:
        """Send SIGKILL to the processes of every Pod whose name begins so, as a crash would; answers how many ran."""
        uids = [folder.name.rpartition("_")[2] for folder in self._state.pod_logs.glob(f"{namespace}_{prefix}*")]
        files = [file for uid in uids for file in self._state.pods.glob(f"{uid}/containers/*/main")]
        alive = [record for file in files if (record := read_record(file)) and record.alive]
        for record in alive:
            record.signal_group(signal.SIGKILL)
        return len(alive)


def node_server(state: StateFolder) -> Server:
    """Return the process node's agent; it is ready when its Node is."""
    api = ApiServer(state.kubeconfig)
    command = (sys.executable, "-m", "tweetbot_cluster.node", "--state", str(state.root))
    return Server(
        "node",
        command,
        lambda: api.node_is_ready(NODE_NAME),
        env={"PYTHONPATH": str(PACKAGES), "PYTHONUNBUFFERED": "1"},
    )


def end_pods(state: StateFolder) -> list[str]:
    """End the processes of every Pod by their records, also when the agent is gone; answers which ran."""
    records = {file: read_record(file) for file in state.pods.glob("*/containers/*/main")}
    alive = {file: record for file, record in records.items() if record and record.alive}
    for record in alive.values():
        record.signal_group(signal.SIGTERM)
    for record in alive.values():
        if not record.wait(POD_GRACE):
            record.signal_group(signal.SIGKILL)
            record.wait(POD_GRACE)
    for supervisor in _supervisors(state):
        supervisor.wait(POD_GRACE)
    return [f"pod {file.parents[2].name} container {file.parent.name}" for file in alive]


def _supervisors(state: StateFolder) -> list[ProcessRecord]:
    return [record for file in state.pods.glob("*/containers/*/supervisor") if (record := read_record(file))]


def remove(folder: Path) -> None:
    """Remove a folder, also one that holds read-only folders of a volume."""
    for each in folder.rglob("*"):
        if each.is_dir() and not each.is_symlink():
            each.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
