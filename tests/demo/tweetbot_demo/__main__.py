"""`make demo`: one TweetBot from manifest to model, on a cluster of its own or on the one that KUBECONFIG names."""

import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from tweetbot_demo.places import DemoFailed, Place, embedded_place, given_place
from tweetbot_demo.screen import Screen
from tweetbot_demo.story import play

ROOT = Path(__file__).parents[3]


def main() -> int:
    """Play the demo; answers the exit code."""
    signal.signal(signal.SIGTERM, _stop)
    screen = Screen(sys.stdout)
    with ExitStack() as stack:
        try:
            play(_place(stack, screen), screen, ROOT)
        except DemoFailed as failure:
            screen.say(f"\nThe demo failed: {failure}")
            return 1
        except KeyboardInterrupt:
            screen.say("\nStopped.")
            return 130
        finally:
            screen.end()
    return 0


def _place(stack: ExitStack, screen: Screen) -> Place:
    if os.environ.get("DEMO_USE_KUBECONFIG") == "1":
        return given_place(os.environ)
    state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tweetbot-demo-", ignore_cleanup_errors=True)))
    return embedded_place(stack, state, screen)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
