"""What the demo shows while it waits: kubectl's table line by line, and the trainer's progress events as a bar."""

import json
import subprocess
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tweetbot_contract.handover import BOT_LABEL
from tweetbot_demo.demo_cluster import DemoCluster, DemoFailed
from tweetbot_demo.screen import Screen

POLL_SECONDS = 0.5  # for new Pods


class Follower:
    """A thread that runs `follow(stopped)` until the block ends."""

    def __init__(self, follow: Callable[[threading.Event], None]) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=follow, args=(self._stopped,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join(timeout=5)


def follow_table(cluster: DemoCluster, screen: Screen) -> Callable[[threading.Event], None]:
    """Print the lines of `kubectl get tweetbots --watch`, repeated ones once."""

    def follow(stopped: threading.Event) -> None:
        process = cluster.follow("get", "tweetbots", "--watch")
        _terminate_when_stopped(process, stopped)
        last = ""
        for line in process.stdout or ():
            if line != last:
                screen.print_line(f"  {line.rstrip()}")
            last = line

    return follow


def follow_progress(cluster: DemoCluster, screen: Screen, bot: str) -> Callable[[threading.Event], None]:
    """Draw the bar from the progress events in the logs of the bot's Pods."""

    def follow(stopped: threading.Event) -> None:
        seen: set[str] = set()
        while not stopped.wait(POLL_SECONDS):
            for pod in _list_started_pods(cluster, bot) - seen:
                seen.add(pod)
                _follow_log(cluster, screen, pod, stopped)

    return follow


def _list_started_pods(cluster: DemoCluster, bot: str) -> set[str]:
    try:
        pods = json.loads(cluster.run("get", "pods", "-l", f"{BOT_LABEL}={bot}", "-o", "json"))["items"]
    except DemoFailed:  # the API server is busy: ask again
        return set()
    return {pod["metadata"]["name"] for pod in pods if pod["status"].get("phase") != "Pending"}


def _follow_log(cluster: DemoCluster, screen: Screen, pod: str, stopped: threading.Event) -> None:
    process = cluster.follow("logs", "--follow", pod)
    _terminate_when_stopped(process, stopped)
    for line in process.stdout or ():
        if event := _parse_progress_event(line):
            loss = event.get("trainLoss")
            note = f"loss {loss:.2f}, {event.get('etaSeconds') or 0:.0f} s left" if loss else ""
            screen.draw_progress(str(event.get("stage", "")), float(event.get("percent", 0)), note)


def _parse_progress_event(line: str) -> dict[str, float] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and event.get("event") == "progress" else None


def _terminate_when_stopped(process: subprocess.Popen[str], stopped: threading.Event) -> None:
    """Terminate the process once the block of its Follower ends."""

    def end() -> None:
        stopped.wait()
        process.terminate()
        process.wait()

    threading.Thread(target=end, daemon=True).start()
