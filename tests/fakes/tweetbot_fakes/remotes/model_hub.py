"""A Hugging Face Hub with one model, spoken to by the real client: names, commits, files, and nothing else."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

NAME, COMMIT = "harbour/gpt2", "607a30d783dfa663caf39e06633721c8d4cfcd7e"


#: Status, headers and body.
Answer = tuple[int, dict[str, str], bytes]


def refused(status: int, code: str, message: str = "") -> Answer:
    """Return a refusal as the hub sends it, with the name of the problem in a header."""
    headers = {"content-type": "application/json", "x-error-code": code, "x-error-message": message or code}
    return status, headers, json.dumps({"error": message or code}).encode()


@dataclass
class FakeHub:
    """`served` lists the files that were sent whole, in the order of the requests; the next `away` answers are 503.

    `ranges` has the file and the bytes of each part that was sent. So many next files are sent with a flipped bit as
    `damaged`. Without `knows_ranges` a part is asked for in vain, as of some mirrors: the whole file is sent.
    Without `knows_sizes` files are listed without their sizes. `faults` are answers given first, one a request. With a
    `token` the model is gated: it is shown to who has it.
    """

    folder: Path
    url: str = ""
    served: list[str] = field(default_factory=list)
    ranges: list[tuple[str, int]] = field(default_factory=list)
    knows_ranges: bool = True
    knows_sizes: bool = True
    away: int = 0
    damaged: int = 0
    faults: list[Answer] = field(default_factory=list)
    token: str = ""

    def sent(self, body: bytes) -> bytes:
        """Return what goes over the wire of a file."""
        if not self.damaged:
            return body
        self.damaged -= 1
        return body[:-1] + bytes([body[-1] ^ 1])

    def cut(self, name: str, wanted: str, body: bytes) -> tuple[int, bytes]:
        """Return the status and the bytes for a request of a part, such as `bytes=0-9`, or of the whole file."""
        if not wanted or not self.knows_ranges:
            self.served.append(name)
            return 200, body
        first, last = (int(number) for number in wanted.removeprefix("bytes=").split("-"))
        self.ranges.append((name, len(body[first : last + 1])))
        return 206, body[first : last + 1]

    def refusal(self, token: str) -> Answer | None:
        """Return the answer of a hub that refuses or is away, as often as it is to be."""
        if self.token and token != f"Bearer {self.token}":
            known = refused(401, "GatedRepo", "Access to model is restricted")
            return refused(401, "", "Invalid credentials in Authorization header") if token else known
        if self.faults:
            return self.faults.pop(0)
        if not self.away:
            return None
        self.away -= 1
        return 503, {}, b""

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@contextmanager
def model_hub(folder: Path) -> Iterator[FakeHub]:
    """Serve the files of a folder as the model NAME at COMMIT, also called `main`."""
    hub = FakeHub(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Tests stay quiet."""

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            status, headers, body = hub.refusal(self.headers.get("authorization", "")) or _answer_to(
                hub, self.path.partition("?")[0]
            )
            if with_body and status == 200 and "etag" in headers:
                status, body = hub.cut(self.path.rpartition("/")[2], self.headers.get("range", ""), hub.sent(body))
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if with_body:
                with suppress(ConnectionError):  # a client that wanted a part has gone
                    self.wfile.write(body)

    return Handler


def _answer_to(hub: FakeHub, path: str) -> Answer:
    api, files = f"/api/models/{NAME}", f"/{NAME}/resolve/{COMMIT}/"
    if path in (api, f"{api}/revision/main", f"{api}/revision/{COMMIT}"):
        siblings = [{"rfilename": name} | _size(hub, name) for name in hub.names()]
        return _json({"id": NAME, "sha": COMMIT, "siblings": siblings, "tags": [], "private": False})
    if path.startswith(f"{api}/tree/{COMMIT}"):
        return _json([_entry(name, (hub.folder / name).read_bytes()) for name in hub.names()])
    if path.startswith(files) and (name := path.removeprefix(files)) in hub.names():
        body = (hub.folder / name).read_bytes()
        tag = hashlib.sha256(body).hexdigest()
        return 200, {"x-repo-commit": COMMIT, "etag": f'"{tag}"'}, body
    return 404, {"x-error-code": "RevisionNotFound" if path.startswith(api) else "RepoNotFound"}, b"{}"


def _size(hub: FakeHub, name: str) -> dict[str, int]:
    return {"size": (hub.folder / name).stat().st_size} if hub.knows_sizes else {}


def _entry(name: str, body: bytes) -> dict[str, object]:
    """Return how a commit lists a file: by git's hash, and large ones, which git keeps as pointers, by sha256 too."""
    git = hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()
    lfs = {"oid": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 134}
    return {"type": "file", "path": name, "size": len(body), "oid": git} | (
        {"lfs": lfs, "oid": "0" * 40} if name.endswith(".safetensors") else {}
    )


def _json(content: object) -> Answer:
    return 200, {"content-type": "application/json"}, json.dumps(content).encode()
