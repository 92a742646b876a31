"""A Weights & Biases server as far as the client of 0.31 needs one, with a switch for each way of failing.

It records what arrives: runs, history rows, artifacts, and the edges between runs and artifacts.
"""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tweetbot_fakes.remotes.wandb_graphql import answer
from tweetbot_fakes.remotes.wandb_state import FakeWandb, Fault, Json, Refused

#: The client refuses keys under forty characters.
KEY = "0123456789abcdef0123456789abcdef01234567"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: FakeWandb

    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""

    def do_GET(self) -> None:
        self._answered(lambda body: {})

    def do_POST(self) -> None:
        self._answered(self._posted)

    def do_PUT(self) -> None:
        self._answered(self._uploaded)

    def _answered(self, work: Callable[[bytes], Json]) -> None:
        body = self._body()
        with self.state.lock:
            self.state.received += body
        if not self._failed(body):
            try:
                with self.state.lock:
                    answer = work(body)
            except Refused as refused:
                self._reply(403, {"errors": [{"message": str(refused)}]})
            else:
                self._reply(200, answer)

    def _failed(self, body: bytes) -> bool:
        match self.state.fault:
            case "refuse":
                self.close_connection = True
            case "hang":
                self.state.ended.wait()
                self.close_connection = True
            case "unavailable":
                self._reply(503, {})
            case "401":
                self._reply(401, {"errors": [{"message": "user is not logged in"}]})
            case "reports" if b"ProjectViews" in body:
                self.state.ended.wait()
                self.close_connection = True
            case "stream" if self.path.endswith("/file_stream"):
                self._reply(500, {})
            case _:
                return False
        return True

    def _posted(self, body: bytes) -> Json:
        if self.path == "/graphql":
            return self._graphql(json.loads(body))
        if self.path.endswith("/file_stream"):
            self._streamed(self.path.split("/")[-2], json.loads(body))
        return {}

    def _graphql(self, request: Json) -> Json:
        operation = request.get("operationName") or request["query"].split("(")[0].split("{")[0].split()[-1]
        data = answer(self.state, operation, request.get("variables") or {})
        if data is not None:
            return {"data": data}
        self.state.unknown.append(operation)
        return {"data": {}, "errors": [{"message": f"unknown operation {operation}"}]}

    def _streamed(self, name: str, content: Json) -> None:
        run, files = self.state.run(name), content.get("files") or {}
        lines = files.get("wandb-history.jsonl", {"content": [], "offset": 0})
        for place, line in enumerate(lines["content"], start=lines["offset"]):
            run.history[place] = json.loads(line)
        for line in files.get("wandb-summary.json", {"content": []})["content"]:
            run.summary = json.loads(line)
        if content.get("complete"):
            run.exit_code = content.get("exitcode")

    def _uploaded(self, body: bytes) -> Json:
        _, _, kind, owner, *rest = self.path.split("/")
        if kind == "manifest":
            self.state.artifacts[owner].manifest = json.loads(body)
        elif kind == "run":
            self.state.run(owner).files["/".join(rest)] = body
        return {}

    def _body(self) -> bytes:
        body = b"".join(self._chunks()) if self.headers.get("Transfer-Encoding") == "chunked" else self._sized()
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _sized(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _reply(self, status: int, content: Json) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


@contextmanager
def wandb_server(fault: Fault = "none") -> Iterator[FakeWandb]:
    """Run the server on a free port of this machine."""
    state = FakeWandb(fault=fault)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state}))
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
