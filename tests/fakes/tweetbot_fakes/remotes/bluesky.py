"""A fake of Bluesky's public API, as far as one account's feed needs it, on a real socket.

with FakeBluesky() as bluesky:
    bluesky.add_account("gull.example.com", posts=250)
    bluesky.faults.append(error(502, "UpstreamFailure"))
    ... bluesky.url ... bluesky.requests
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tweetbot_fakes.remotes.served import Served

Json = dict[str, Any]
DID = "did:plc:harbourgull00000000000ab"
PNG = b"\x89PNG\r\n\x1a\n of a gull"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says; `cut` ends the connection instead."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass(slots=True)
class Account:
    """An account: what getProfile says beside its names, and its feed, the newest first. Tests change both."""

    handle: str
    profile: Json
    feed: list[Json]


def error(status: int, name: str, message: str = "", **headers: str) -> Answer:
    """Return an error as XRPC sends it; headers are written with underscores."""
    body = json.dumps({"error": name, "message": message}).encode()
    return Answer(status, body, {key.replace("_", "-"): value for key, value in headers.items()})


def plain(status: int, body: bytes) -> Answer:
    """Return an answer that is no JSON of ours."""
    return Answer(status, body, {"content-type": "text/html"})


NOT_FOUND = error(400, "InvalidRequest", "Profile not found")
NO_HANDLE = error(400, "InvalidRequest", "Error: actor must be a valid did or a handle")
TAKEN_DOWN = error(400, "AccountTakedown", "Account has been suspended")
DEACTIVATED = error(400, "AccountDeactivated", "Account is deactivated")
BAD_CURSOR = error(400, "InvalidRequest", "Malformed cursor")
CUT = Answer(cut=True)


def key_of(number: int) -> str:
    """Return the key of the record made in this second of 2024."""
    signs, value, key = "234567abcdefghijklmnopqrstuvwxyz", (1_704_067_200_000_000 + number * 1_000_000) << 10, ""
    for _ in range(13):
        value, key = value >> 5, signs[value & 31] + key
    return key


def record(number: int, text: str | None = None, **more: Any) -> Json:
    """Return a post's record, made on day `number` of 2024."""
    created = f"2024-{1 + number // 28 % 12:02}-{1 + number % 28:02}T12:00:00.000Z"
    text = text if text is not None else f"the gull sees ship number {number}"
    return {"$type": "app.bsky.feed.post", "text": text, "createdAt": created, "langs": ["en"], **more}


def view(number: int, text: str | None = None, *, author: str = DID, **more: Any) -> Json:
    """Return a post as a feed holds it."""
    uri = f"at://{author}/app.bsky.feed.post/{key_of(number)}"
    made = record(number, text, **more)
    return {
        "post": {"uri": uri, "cid": "bafy", "author": {"did": author}, "record": made, "indexedAt": made["createdAt"]}
    }


def reposted(number: int, *, uri: bool = True) -> Json:
    """Return another's post, passed on; older servers do not say under which address."""
    reason = {"$type": "app.bsky.feed.defs#reasonRepost", "by": {"did": DID}, "indexedAt": "2024-05-05T05:05:05.000Z"}
    place = {"uri": f"at://{DID}/app.bsky.feed.repost/{key_of(number)}"} if uri else {}
    return view(number, "somebody else's words", author="did:plc:another") | {"reason": reason | place}


class FakeBluesky(Served):
    """The server. `faults` are answers given first, one a request; then it behaves."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.faults: list[Answer] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        super().__init__(_handler(self))

    def add_account(self, handle: str, *, posts: int = 0) -> Account:
        """Add an account with this many plain posts."""
        profile = {"displayName": "Harbour Gull", "avatar": f"{self.url}/img/gull@png", "labels": []}
        self.accounts[handle] = Account(handle, profile, [view(number) for number in range(posts, 0, -1)])
        return self.accounts[handle]

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        """Return what the server says."""
        self.requests.append((path, query))
        if self.faults:
            return self.faults.pop(0)
        if path == "/img/gull@png":
            return Answer(200, PNG, {"content-type": "image/png"})
        account = self.accounts.get(query.get("actor", ""))
        if account is None:
            return NOT_FOUND
        if path == "/xrpc/app.bsky.actor.getProfile":
            return Answer(200, json.dumps({"did": DID, "handle": account.handle, **account.profile}).encode())
        return _page(account.feed, query) if path == "/xrpc/app.bsky.feed.getAuthorFeed" else NOT_FOUND


def _page(feed: list[Json], query: dict[str, str]) -> Answer:
    """Return up to `limit` posts from the cursor on; like the real one, only the last page lacks a cursor."""
    start = int(query.get("cursor", "0"))
    end = start + int(query.get("limit", "50"))
    more = {"cursor": str(end)} if end < len(feed) else {}
    return Answer(200, json.dumps({"feed": feed[start:end], **more}).encode())


def _handler(fake: FakeBluesky) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet, or each answer takes 40 ms of delayed acknowledgement

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            answer = fake.answer(url.path, {key: values[0] for key, values in parse_qs(url.query).items()})
            if answer.cut:
                self.close_connection = True
                return
            self.send_response(answer.status)
            headers = {"content-type": "application/json", "content-length": str(len(answer.body))} | answer.headers
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep quiet: requests are recorded."""

    return Handler
