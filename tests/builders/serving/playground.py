"""`kubectl tweetbot try` as a person has it in a terminal, and the page that it opens."""

import json
import signal
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import parse_qs, urlsplit

#: Seconds that the Pod has to serve, and the plugin to end.
_PATIENCE = 300


@dataclass(frozen=True)
class Playground:
    """A page that is served; `document` is what the plugin printed."""

    document: dict[str, Any]
    process: "subprocess.Popen[str]"

    def read_page(self) -> str:
        """Open the address as a browser does, which keeps a cookie in place of the token."""
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        )
        opener.open(self.document["url"], timeout=_PATIENCE).close()  # a page that leads on, without the token
        with opener.open(f"http://{urlsplit(self.document['url']).netloc}/", timeout=_PATIENCE) as answer:
            return str(answer.read().decode())

    def write_posts(self, **wish: Any) -> list[str]:
        """Ask for posts as a program does."""
        address = urlsplit(self.document["url"])
        (token,) = parse_qs(address.query)["token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        url = f"http://{address.netloc}/api/posts"
        asked = urllib.request.Request(url, json.dumps(wish).encode(), headers)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=_PATIENCE) as answer:
            return [post["text"] for post in json.loads(answer.read())["posts"]]


@contextmanager
def try_bot(command: Sequence[str], env: Mapping[str, str]) -> Iterator[Playground]:
    """Run `kubectl tweetbot try … -o json` and press Ctrl-C after; raises RuntimeError if it shows no page."""
    # A shell's job in the background ignores Ctrl-C, and so does what it starts: the tests may be such a job.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    # Where this is set, what a command forgets to flush comes all the same.
    own = {name: value for name, value in env.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(command, env=own, stdout=subprocess.PIPE, text=True, preexec_fn=heed) as process:
        try:
            yield Playground(_read_document(process), process)
            process.send_signal(signal.SIGINT)
            if process.wait(_PATIENCE):
                raise RuntimeError(f"try ended with {process.returncode}")
        finally:
            process.kill()


def _read_document(process: "subprocess.Popen[str]") -> dict[str, Any]:
    lines: list[str] = []
    for line in process.stdout or ():
        lines.append(line)
        if line == "}\n":
            document: dict[str, Any] = json.loads("".join(lines))
            return document
    raise RuntimeError("try ended without a page")
