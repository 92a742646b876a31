"""Trace one event through the operator: `python tests/trace_event.py` prints what it enters as JSON.

The event is a new TweetBot, from the watch to its Job and status on a fake cluster. It counts the product's files, the
functions in them, and the moves from one file to another.
"""

import asyncio
import json
import sys
from pathlib import Path
from types import FrameType
from typing import Any

TESTS = Path(__file__).parent
sys.path[:0] = [str(TESTS), str(TESTS / "fakes"), str(TESTS / "cluster")]
ROOMS = ("crds/tweetbot_contract/", "operator/tweetbot_operator/")


class Trace:
    """What a profiled call enters."""

    def __init__(self) -> None:
        self.functions: dict[str, set[str]] = {}
        """Names of the functions entered, by file, in the order of entry."""
        self.moves = 0
        self._file = ""

    def profile(self, frame: FrameType, event: str, argument: Any) -> None:
        """Count a call of ours; the hook of sys.setprofile."""
        file = frame.f_code.co_filename.removeprefix(f"{TESTS.parent}/")
        if event != "call" or not file.startswith(ROOMS):
            return
        self.moves += file != self._file
        self._file = file
        self.functions.setdefault(file, set()).add(frame.f_code.co_qualname)

    def to_json(self) -> dict[str, Any]:
        """Return the counts, and the functions of each file."""
        return {
            "files": len(self.functions),
            "functions": sum(map(len, self.functions.values())),
            "moves": self.moves,
            "entered": {file: sorted(names) for file, names in self.functions.items()},
        }


def trace_new_tweetbot() -> Trace:
    """Trace the first `kubectl apply` of a TweetBot."""
    from harness.stage_operator import Stage  # imports the product, whose import is no part of the event

    async def apply() -> None:
        stage = Stage()
        sys.setprofile(trace.profile)
        try:
            await stage.apply()
        finally:
            sys.setprofile(None)

    trace = Trace()
    asyncio.run(apply())
    return trace


if __name__ == "__main__":
    sys.stdout.write(json.dumps(trace_new_tweetbot().to_json(), indent=2) + "\n")
