"""An S3 server in memory on a real socket, spoken to by the real boto3, which refuses and lacks what a test says.

with FakeS3() as s3:
    s3.refuse(lambda asked: asked.method == "DELETE", refusal(403, "AccessDenied"))
    s3.ignores.add("if-none-match")
    ... s3.url ... s3.objects ... s3.requests
"""

import hashlib
import http.client
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from tweetbot_fakes.remotes.served import Served


@dataclass(frozen=True, slots=True)
class Asked:
    """A request; header names are in lower case, and `key` is the object's."""

    method: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    target: str = ""
    """Path and query as they were sent."""

    @property
    def conditional(self) -> bool:
        """Whether it is a write on a condition."""
        return self.method == "PUT" and not {"if-none-match", "if-match"}.isdisjoint(self.headers)

    @property
    def checked(self) -> bool:
        """Whether it is a write with a checksum, or asks for one."""
        return any(name.startswith(("x-amz-checksum", "x-amz-sdk-checksum")) for name in self.headers)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def refusal(status: int, code: str, words: str = "", **headers: str) -> Answer:
    """Return an error as S3 sends it."""
    xml = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{escape(words)}</Message></Error>'
    return Answer(status, xml.encode(), {"content-type": "application/xml", **headers})


def page(status: int, text: str = "<html><body>Sign in</body></html>", **headers: str) -> Answer:
    """Return a web page, as proxies and consoles send it."""
    return Answer(status, text.encode(), {"content-type": "text/html; charset=utf-8", **headers})


Fits = Callable[[Asked], bool]


class FakeS3(Served):
    """Every bucket exists. `ignores` names headers that the server passes over; `refuse` has what it refuses."""

    def __init__(self) -> None:
        self.reset()
        super().__init__(_handler(self))

    def reset(self) -> None:
        """Forget objects, requests and what is refused."""
        self.objects: dict[str, bytes] = {}
        self.ignores: set[str] = set()
        self.requests: list[Asked] = []
        self._parts: dict[str, list[bytes]] = {}
        self._refusals: list[tuple[Fits, Answer]] = []

    def refuse(self, fits: Fits, answer: Answer) -> None:
        """Answer requests that fit with this from now on."""
        self._refusals.append((fits, answer))

    def answer(self, asked: Asked) -> Answer:
        """Return what the server says."""
        self.requests.append(asked)
        for fits, answer in self._refusals:
            if fits(asked):
                return answer
        return self._serve(asked)

    def _serve(self, asked: Asked) -> Answer:
        if asked.method == "PUT":
            return self._write(asked)
        if asked.method == "POST":
            return self._finish_parts(asked)
        if asked.method == "DELETE":
            self.objects.pop(asked.key, None)
            return Answer(204)
        return self._list(asked) if "list-type" in asked.query else self._read(asked)

    def _write(self, asked: Asked) -> Answer:
        if "partNumber" in asked.query:
            self._parts[asked.query["uploadId"]].append(asked.body)
            return Answer(200, headers={"etag": etag_of(asked.body)})
        headers = {name: value for name, value in asked.headers.items() if name not in self.ignores}
        there = self.objects.get(asked.key)
        wanted = headers.get("if-match")
        if ("if-none-match" in headers and there is not None) or (wanted and there and etag_of(there) != wanted):
            return refusal(412, "PreconditionFailed")
        if wanted and there is None:
            return refusal(404, "NoSuchKey")
        self.objects[asked.key] = asked.body
        return Answer(200, headers={"etag": etag_of(asked.body), **_encrypted(headers)})

    def _finish_parts(self, asked: Asked) -> Answer:
        if "uploads" in asked.query:
            self._parts[upload := f"upload-{len(self._parts)}"] = []
            xml = f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            return Answer(200, xml.encode(), {"content-type": "application/xml", **_encrypted(asked.headers)})
        self.objects[asked.key] = body = b"".join(self._parts.pop(asked.query["uploadId"]))
        xml = f"<CompleteMultipartUploadResult><ETag>{etag_of(body)}</ETag></CompleteMultipartUploadResult>"
        return Answer(200, xml.encode(), {"content-type": "application/xml"})

    def _read(self, asked: Asked) -> Answer:
        body = self.objects.get(asked.key)
        if body is None:
            return refusal(404, "NoSuchKey")
        tag, wanted = etag_of(body), asked.headers.get("if-match")
        if wanted and wanted != tag and "if-match" not in self.ignores:
            return refusal(412, "PreconditionFailed")
        span = asked.headers.get("range", "").removeprefix("bytes=")
        if not span:
            return Answer(200, body, {"etag": tag})
        start, end = (int(part) for part in span.split("-"))
        return Answer(206, body[start : end + 1], {"etag": tag, "content-range": f"bytes {span}/{len(body)}"})

    def _list(self, asked: Asked) -> Answer:
        keys = sorted(key for key in self.objects if key.startswith(asked.query.get("prefix", "")))
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.objects[key])}</Size>"
            f"<ETag>{etag_of(self.objects[key])}</ETag></Contents>"
            for key in keys
        )
        xml = f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
        return Answer(200, xml.encode(), {"content-type": "application/xml"})


class S3Proxy(FakeS3):
    """Passes requests on to a real server, without the headers in `ignores`; `refuse` has what it answers itself."""

    def __init__(self, server: str) -> None:
        super().__init__()
        self._server_address = urlsplit(server).netloc

    def _serve(self, asked: Asked) -> Answer:
        upstream = http.client.HTTPConnection(self._server_address, timeout=30)
        upstream.putrequest(asked.method, asked.target, skip_host=True, skip_accept_encoding=True)
        for name, value in asked.headers.items():
            if name not in self.ignores | {"expect", "connection"}:
                upstream.putheader(name, value)
        upstream.endheaders(asked.body)
        answer = upstream.getresponse()
        body = answer.read()
        kept = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
        length = answer.getheader("content-length") if asked.method == "HEAD" else None
        upstream.close()
        return Answer(answer.status, body, {**kept, **({"content-length": length} if length else {})})


#: Headers of one connection, and the length, which is counted again.
_HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


def etag_of(body: bytes) -> str:
    """Return a body's ETag."""
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def _encrypted(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("x-amz-server-side-encryption")}


def _handler(fake: FakeS3) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def answer(self) -> None:
            url = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.wfile.flush()  # 100 Continue, which boto3 waits for
            body = self.rfile.read(int(headers.get("content-length", 0)))
            query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
            key = unquote(url.path).lstrip("/").partition("/")[2]
            answer = fake.answer(Asked(self.command, key, query, headers, body, self.path))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204 and "content-length" not in answer.headers:
                self.send_header("content-length", str(len(answer.body)))
            self.send_header("connection", "close")  # boto3 would leave it open, and tests warn of that
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer

        def log_message(self, *_: Any) -> None: ...

    return Handler
