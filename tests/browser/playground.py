"""A playground for tests and pictures: `tweetbot-trainer serve`, and Debian's Chromium to look at it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Page, sync_playwright

#: What the server of two models asks for.
TOKEN = "a token of the tests"
#: Opens a page of its own: the address, then how the browser is set up, in Playwright's words.
Open = Callable[..., Page]


@dataclass(frozen=True, slots=True)
class Playground:
    """Where a server shows one model, and where one with a token shows two."""

    one: str
    closed: str

    @property
    def two(self) -> str:
        """The address with the token."""
        return f"{self.closed}/?token={quote(TOKEN)}"


@contextmanager
def start_server(*models: Path, token: str = "") -> Iterator["subprocess.Popen[str]"]:
    """Start `tweetbot-trainer serve` on a free port."""
    options = [option for model in models for option in ("--model", str(model))]
    command = [sys.executable, "-m", "tweetbot_trainer", "serve", *options, "--port", "0"]
    environment = os.environ | {"TWEETBOT_SERVE_TOKEN": token}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as server:
        try:
            yield server
        finally:
            server.terminate()


def read_address(server: "subprocess.Popen[str]") -> str:
    """Return the address that a server prints once it answers."""
    assert server.stdout is not None
    printed = []
    for line in server.stdout:
        if match := re.search(r"http://[\w.:\[\]]+", line):
            return match.group()
        printed.append(line)
    raise AssertionError(f"the server ended: {''.join(printed)}")


@contextmanager
def launch_browser() -> Iterator[Browser]:
    """Launch the Chromium that Debian's package installed; Playwright downloads none."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=shutil.which("chromium"))
