"""What goes on while the demo waits: kubectl's table line by line, and the trainer's progress events as a bar."""

import json
import subprocess
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tweetbot_contract.handover import BOT_LABEL
from tweetbot_demo.places import DemoFailed, Place
from tweetbot_demo.screen import Screen

PAUSE = 0.5  # seconds between two looks for a new Pod


class Followed:
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


def follow_table(place: Place, screen: Screen) -> Callable[[threading.Event], None]:
    """Print what `kubectl get tweetbots --watch` prints, a repeated line once."""

    def follow(stopped: threading.Event) -> None:
        process = place.follow("get", "tweetbots", "--watch")
        _end_with(process, stopped)
        last = ""
        for line in process.stdout or ():
            if line != last:
                screen.say(f"  {line.rstrip()}")
            last = line

    return follow


def follow_progress(place: Place, screen: Screen, bot: str) -> Callable[[threading.Event], None]:
    """Draw the bar from the progress events in the log of each Pod that the bot gets."""

    def follow(stopped: threading.Event) -> None:
        seen: set[str] = set()
        while not stopped.wait(PAUSE):
            for pod in _started_pods(place, bot) - seen:
                seen.add(pod)
                _follow_log(place, screen, pod, stopped)

    return follow


def _started_pods(place: Place, bot: str) -> set[str]:
    try:
        pods = json.loads(place.run("get", "pods", "-l", f"{BOT_LABEL}={bot}", "-o", "json"))["items"]
    except DemoFailed:  # the API server is busy: the next look will tell
        return set()
    return {pod["metadata"]["name"] for pod in pods if pod["status"].get("phase") != "Pending"}


def _follow_log(place: Place, screen: Screen, pod: str, stopped: threading.Event) -> None:
    process = place.follow("logs", "--follow", pod)
    _end_with(process, stopped)
    for line in process.stdout or ():
        if event := _progress_event(line):
            loss = event.get("trainLoss")
            note = f"loss {loss:.2f}, {event.get('etaSeconds') or 0:.0f} s left" if loss else ""
            screen.progress(str(event.get("stage", "")), float(event.get("percent", 0)), note)


def _progress_event(line: str) -> dict[str, float] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and event.get("event") == "progress" else None


def _end_with(process: subprocess.Popen[str], stopped: threading.Event) -> None:
    """End the process once the demo has seen enough."""

    def end() -> None:
        stopped.wait()
        process.terminate()
        process.wait()

    threading.Thread(target=end, daemon=True).start()
