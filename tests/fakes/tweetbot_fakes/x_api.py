"""A fake of the X API's two read endpoints that a timeline needs, on a real socket, spoken to by the real client.

with FakeX() as x:
    x.add_account("harbour_gull", posts=250)
    ... x.url ...; x.faults.append(status(503)); x.requests; x.cost
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
Vocabulary = Literal["tweet", "post"]
PROBLEMS = "https://api.x.com/2/problems"
#: Tenths of a cent: a post read, a user read (X's price list of 2026).
POST_PRICE, USER_PRICE = 5, 10
#: The keys that OpenAPI 2.167 renames.
RENAMED = {
    "note_tweet": "note_post",
    "referenced_tweets": "referenced_posts",
    "edit_history_tweet_ids": "edit_history_post_ids",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a fault makes the server say; `delay` in seconds comes before, `cut` ends the connection instead."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked."""

    path: str
    query: dict[str, str]
    authorization: str


def problem(code: int, kind: str, title: str, detail: str = "", *, headers: dict[str, str] | None = None) -> Answer:
    """Return a problem as the body of an error status."""
    body = {"title": title, "detail": detail or title, "type": f"{PROBLEMS}/{kind}", "status": code}
    return Answer(code, json.dumps(body).encode(), headers or {})


def partial_error(kind: str, title: str, detail: str) -> Answer:
    """Return status 200 with errors and without data: X's way to say not found, suspended and protected."""
    return Answer(
        200, json.dumps({"errors": [{"title": title, "detail": detail, "type": f"{PROBLEMS}/{kind}"}]}).encode()
    )


def html(code: int) -> Answer:
    """Return a page for people, as proxies and failing front ends send."""
    return Answer(code, b"<!doctype html><title>Something went wrong</title>", {"content-type": "text/html"})


NOT_FOUND = partial_error("resource-not-found", "Not Found Error", "Could not find user with username: [nobody].")
SUSPENDED = partial_error("resource-not-found", "Forbidden", "User has been suspended: [harbour_gull].")
PROTECTED = partial_error(
    "not-authorized-for-resource", "Authorization Error", "Sorry, you are not authorized to see the user with id: [1]."
)
BAD_REQUEST = problem(400, "invalid-request", "Invalid Request", "One or more parameters to your request was invalid.")
UNAUTHORIZED = problem(401, "about:blank", "Unauthorized")
CREDITS_DEPLETED = problem(402, "credits", "CreditsDepleted", "Your account does not have any credits left.")
FORBIDDEN = problem(403, "client-forbidden", "Client Forbidden")
USAGE_CAPPED = problem(429, "usage-capped", "UsageCapExceeded", "Usage cap exceeded: Monthly product cap")


def rate_limited(reset: str | None) -> Answer:
    """Return 429 with this reset header, or with none."""
    headers = {} if reset is None else {"x-rate-limit-reset": reset, "x-rate-limit-remaining": "0"}
    return Answer(
        429, json.dumps({"title": "Too Many Requests", "type": "about:blank", "status": 429}).encode(), headers
    )


class FakeX:
    """The server. `faults` are answers given first, one a request; then it behaves. `cost` is in tenths of a cent."""

    def __init__(self, *, vocabulary: Vocabulary = "tweet", token: str = "token") -> None:
        self.vocabulary, self.token = vocabulary, token
        self.accounts: dict[str, list[Json]] = {}
        self.faults: list[Answer] = []
        self.requests: list[Request] = []
        self.cost = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Return the base URL to give as apiBaseURL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def add_account(self, handle: str, *, posts: int = 0) -> list[Json]:
        """Add an account with so many plain posts, newest first, and return them for a test to change."""
        self.accounts[handle.lower()] = [tweet(number) for number in range(posts, 0, -1)]
        return self.accounts[handle.lower()]

    def answer(self, request: Request) -> Answer:
        """Return what the request gets: the next fault if there is one, else the truth."""
        self.requests.append(request)
        if self.faults:
            return self.faults.pop(0)
        if request.authorization != f"Bearer {self.token}":
            return UNAUTHORIZED
        parts = request.path.strip("/").split("/")
        if parts[:4] == ["2", "users", "by", "username"] and len(parts) == 5:
            return self._user(parts[4])
        if parts[:2] == ["2", "users"] and parts[3:] == ["tweets"]:
            return self._timeline(parts[2], request.query)
        return problem(404, "about:blank", "Not Found")

    def _user(self, handle: str) -> Answer:
        if handle.lower() not in self.accounts:
            return NOT_FOUND
        self.cost += USER_PRICE
        user = {"id": str(list(self.accounts).index(handle.lower()) + 1), "name": handle, "username": handle}
        return _json({"data": user})

    def _timeline(self, user_id: str, query: dict[str, str]) -> Answer:
        timeline = list(self.accounts.values())[int(user_id) - 1]
        size = int(query.get("max_results", "10"))
        if not 5 <= size <= 100:
            return BAD_REQUEST
        start = int(query.get("pagination_token", "0"))
        page = timeline[start : start + size]
        self.cost += POST_PRICE * len(page)
        if not page:
            return _json({"meta": {"result_count": 0}})
        meta: Json = {"result_count": len(page), "newest_id": page[0]["id"], "oldest_id": page[-1]["id"]}
        if start + size < len(timeline):
            meta["next_token"] = str(start + size)
        return _json({"data": [self._worded(record) for record in page], "meta": meta})

    def _worded(self, record: Json) -> Json:
        if self.vocabulary == "tweet":
            return record
        return {RENAMED.get(key, key): value for key, value in record.items()}


def tweet(number: int, text: str | None = None, **more: Any) -> Json:
    """Return a post of the API; `number` gives its id and its day."""
    at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(1_600_000_000 + 3600 * number))
    record = {"id": str(10**18 + number), "text": text or f"post number {number} of the gull", "created_at": at}
    return record | {"lang": "en", "edit_history_tweet_ids": [record["id"]], **more}


def _json(body: Json) -> Answer:
    headers = {"x-rate-limit-limit": "900", "x-rate-limit-remaining": "899", "x-rate-limit-reset": "1700000900"}
    return Answer(200, json.dumps(body).encode(), headers)


def _handler(fake: FakeX) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet, or each answer takes 40 ms of delayed acknowledgement

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            answer = fake.answer(Request(url.path, query, self.headers.get("Authorization", "")))
            time.sleep(answer.delay)
            if answer.cut:
                self.close_connection = True
                return
            self.send_response(answer.status)
            headers = {"content-type": "application/json"} | answer.headers | {"content-length": str(len(answer.body))}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep quiet: requests are recorded."""

    return Handler
