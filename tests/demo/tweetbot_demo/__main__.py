"""`make demo`: one TweetBot from manifest to model, on its own cluster or on the one that KUBECONFIG names."""

import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from tweetbot_demo.demo_cluster import DemoCluster, DemoFailed, start_embedded_cluster, use_given_cluster
from tweetbot_demo.screen import Screen
from tweetbot_demo.story import run_demo

ROOT = Path(__file__).parents[3]


def main() -> int:
    """Run the demo and return the exit code."""
    signal.signal(signal.SIGTERM, _stop)
    screen = Screen(sys.stdout)
    with ExitStack() as stack:
        try:
            run_demo(_open_cluster(stack, screen), screen, ROOT)
        except DemoFailed as failure:
            screen.print_line(f"\nThe demo failed: {failure}")
            return 1
        except KeyboardInterrupt:
            screen.print_line("\nStopped.")
            return 130
        finally:
            screen.finish_bar()
    return 0


def _open_cluster(stack: ExitStack, screen: Screen) -> DemoCluster:
    if os.environ.get("DEMO_USE_KUBECONFIG") == "1":
        return use_given_cluster(os.environ)
    state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tweetbot-demo-", ignore_cleanup_errors=True)))
    return start_embedded_cluster(stack, state, screen)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
