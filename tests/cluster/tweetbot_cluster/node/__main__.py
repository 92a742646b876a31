"""Run the agent: `python -m tweetbot_cluster.node --state DIR`."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from tweetbot_cluster.kubernetes.control_plane import NODE_NAME
from tweetbot_cluster.node.agent import Agent
from tweetbot_cluster.node.api import NodeApi
from tweetbot_cluster.node.images import read_additions
from tweetbot_cluster.node.log_server import serve_logs
from tweetbot_cluster.node.node_object import keep_alive, register
from tweetbot_cluster.node.pod.container_start import Surroundings
from tweetbot_cluster.node.pod.worker import Node
from tweetbot_cluster.object_store import endpoint
from tweetbot_cluster.state import LOOPBACK, Settings, StateFolder


async def serve(state: StateFolder) -> None:
    """Register the node and run Pods until SIGTERM; their processes go on without us, as the kubelet's do."""
    settings = state.read_settings()
    if settings is None:
        raise SystemExit(f"no cluster was ever started in {state.root}")
    api = NodeApi(state.certificates / "node.kubeconfig")
    surroundings = Surroundings(variables_for_pods(settings), read_additions(state.root / "images.json"))
    node = Node(NODE_NAME, api, state.pods, state.pod_logs, surroundings)
    logs = await serve_logs(state.certificates, settings.kubelet_port, pods=state.pods, logs=state.pod_logs)
    await register(api, NODE_NAME, settings.kubelet_port)
    tasks = [
        asyncio.create_task(keep_alive(api, NODE_NAME, settings.kubelet_port)),
        asyncio.create_task(Agent(api, node).run()),
        asyncio.create_task(_terminated()),
    ]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await logs.cleanup()
    await api.close()
    for task in done:
        task.result()


def variables_for_pods(settings: Settings) -> dict[str, str]:
    """Return what every container finds set: the API server, as the kubelet gives it, and the S3 endpoint.

    The endpoint's port is free-chosen, and so static manifests cannot name it; boto3 reads this variable.
    """
    return {
        "KUBERNETES_SERVICE_HOST": LOOPBACK,
        "KUBERNETES_SERVICE_PORT": str(settings.apiserver_port),
        "AWS_ENDPOINT_URL_S3": endpoint(settings),
    }


async def _terminated() -> None:
    """Wait for the signal to end."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    await asked.wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the cluster's state folder")
    asyncio.run(serve(StateFolder(parser.parse_args().state)))


if __name__ == "__main__":
    main()
