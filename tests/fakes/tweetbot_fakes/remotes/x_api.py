"""A fake of the X API's two read endpoints that a timeline needs, on a real socket, spoken to by the real client.

with FakeX() as x:
    x.add_account("harbour_gull", posts=250)
    x.fault(html(503), on="timeline", after=1)
    x.fault_pages("empty", after=1, times=7)
    ... x.url ... x.requests, x.cost, x.billed
"""

import base64
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from tweetbot_fakes.remotes import x_api_answers as answers
from tweetbot_fakes.remotes.served import Served
from tweetbot_fakes.remotes.x_api_answers import Answer, Json

Vocabulary = Literal["tweet", "post"]
Place = Literal["user", "timeline", "picture", "any"]
#: What X does to a page: sends none of its posts, with a token that leads to them or past them, or without one; ends
#: with it; sends a token that leads to it again; sends its records without their texts.
PageTrouble = Literal["empty", "skipped", "empty end", "end", "circle", "unreadable"]
#: Tenths of a cent: a post read, a user read (X's price list of 2026).
POST_PRICE, USER_PRICE = 5, 10
#: How many of the newest posts X serves, fewer without replies; a rate limit's window in seconds.
HISTORY, HISTORY_WITHOUT_REPLIES, WINDOW = 3200, 800, 900
#: The endpoint's bounds for max_results.
SMALLEST_PAGE, LARGEST_PAGE = 5, 100
#: The keys that OpenAPI 2.167 renames.
RENAMED = {
    "note_tweet": "note_post",
    "referenced_tweets": "referenced_posts",
    "edit_history_tweet_ids": "edit_history_post_ids",
}
DEFAULT_FIELDS = {"id", "text", "edit_history_tweet_ids"}
#: One pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked."""

    path: str
    query: dict[str, str]
    authorization: str

    @property
    def place(self) -> Place:
        """Return which endpoint was asked."""
        parts = self.path.strip("/").split("/")
        if parts[0] == "pictures":
            return "picture"
        if parts[:2] != ["2", "users"]:
            return "any"
        return "timeline" if parts[3:] == ["tweets"] else "user"


@dataclass(slots=True)
class Account:
    """An account with its posts, the newest first; tests change both."""

    id: str
    handle: str
    posts: list[Json]
    state: Literal["public", "protected", "suspended"] = "public"
    more: Json = field(default_factory=dict)


@dataclass(slots=True)
class Fault:
    """An answer in place of the truth, or trouble with a page: after a number of requests, a number of times."""

    answer: Answer | PageTrouble
    on: Place
    after: int
    times: int

    def strikes(self, place: Place) -> bool:
        """Tell whether the fault answers this request, and count it."""
        if self.on not in ("any", place) or not self.times:
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True


class FakeX(Served):
    """The server. `cost` is in tenths of a cent, `billed` counts every post by its id; `now` is its clock.

    `cuts_before_filter` cuts pages before it leaves retweets out, as X does; a page without posts then has no token
    unless `token_on_empty`.
    """

    def __init__(self, *, vocabulary: Vocabulary = "tweet", token: str = "token") -> None:
        self.vocabulary, self.token = vocabulary, token
        self.now: Callable[[], float] = time.time
        self.requests_a_window = 900
        self.accounts: dict[str, Account] = {}
        self.faults: list[Fault] = []
        self.page_faults: list[Fault] = []
        self.cuts_before_filter = self.token_on_empty = False
        self.requests: list[Request] = []
        self.cost = 0
        self.billed: Counter[str] = Counter()
        self.tokens: dict[str, tuple[Json, int | None]] = {}
        self._window = (0.0, 0)
        super().__init__(_handler(self))

    def add_account(self, handle: str, *, posts: int = 0, **fields: Any) -> Account:
        """Add an account with this many plain posts, or put another one behind the handle."""
        number = fields.pop("id", str(len(self.accounts) + 1))
        timeline = [tweet(number) for number in range(posts, 0, -1)]
        self.accounts[handle.lower()] = Account(number, handle, timeline, **fields)
        return self.accounts[handle.lower()]

    def fault(self, *given: Answer, on: Place = "any", after: int = 0, times: int = 1) -> None:
        """Let requests to an endpoint meet these answers, one after the other, each a number of times."""
        self.faults += [Fault(answer, on, after if index == 0 else 0, times) for index, answer in enumerate(given)]

    def fault_pages(self, trouble: PageTrouble, *, after: int = 0, times: int = 1) -> None:
        """Let X have trouble with pages: after a number of them, a number of times."""
        self.page_faults.append(Fault(trouble, "timeline", after, times))

    def asked(self, place: Place) -> list[dict[str, str]]:
        """Return the queries to an endpoint."""
        return [request.query for request in self.requests if request.place == place]

    def answer(self, request: Request) -> Answer:
        """Return what the request gets: a fault's answer if one strikes, else the truth."""
        self.requests.append(request)
        place = request.place
        if struck := next((fault for fault in self.faults if fault.strikes(place)), None):
            assert isinstance(struck.answer, Answer)
            return struck.answer
        if place == "picture":
            return Answer(200, PNG, {"content-type": "image/png"})
        if request.authorization != f"Bearer {self.token}":
            return answers.UNAUTHORIZED
        if place == "any":
            return answers.NO_PATH
        reset, left = self._allowance()
        if left < 0:
            return answers.rate_limited(reset)
        parts = request.path.strip("/").split("/")
        found = self._timeline(parts[2], request.query) if place == "timeline" else self._user(parts[-1], request.query)
        headers = {"x-rate-limit-limit": str(self.requests_a_window), "x-rate-limit-remaining": str(left)}
        return Answer(found.status, found.body, {**headers, "x-rate-limit-reset": reset})

    def _allowance(self) -> tuple[str, int]:
        """Return when the window ends, and how many requests are left in it after this one."""
        began, used = self._window
        if self.now() >= began + WINDOW:
            began, used = self.now(), 0
        self._window = (began, used + 1)
        return str(int(began) + WINDOW), self.requests_a_window - used - 1

    def _user(self, handle: str, query: dict[str, str]) -> Answer:
        account = self.accounts.get(handle.lower())
        if account is None:
            return answers.not_found(handle)
        if account.state == "suspended":
            return answers.suspended(handle)
        self.cost += USER_PRICE
        every: Json = {
            "profile_image_url": f"{self.url}/pictures/{handle}_normal.png",
            "public_metrics": {f"{self.vocabulary}_count": len(account.posts)},
            **account.more,
        }
        asked = query.get("user.fields", "").split(",")
        more = {key: value for key, value in every.items() if key in asked}
        return answers.said({"data": {"id": account.id, "name": handle.title(), "username": account.handle, **more}})

    def _timeline(self, user_id: str, query: dict[str, str]) -> Answer:
        account = next((one for one in self.accounts.values() if one.id == user_id), None)
        size = int(query.get("max_results", "10"))
        token = query.get("pagination_token")
        asked = {key: query.get(key) for key in ("since_id", "until_id", "exclude")}
        if (
            account is None
            or not SMALLEST_PAGE <= size <= LARGEST_PAGE
            or (token and self.tokens.get(token, (None,))[0] != asked)
        ):
            return answers.BAD_REQUEST
        if account.state == "protected":
            return answers.protected(user_id)
        before = self.tokens[token][1] if token else None
        rest = [one for one in _served(account.posts, asked) if before is None or int(one["id"]) < before]
        excluded = "retweets" in (asked["exclude"] or "")
        if excluded and not self.cuts_before_filter:
            rest = [one for one in rest if not is_retweet(one)]
        cut, next_one = rest[:size], int(rest[size - 1]["id"]) if len(rest) > size else None
        struck = next((fault.answer for fault in self.page_faults if fault.strikes("timeline")), None)
        page = [one for one in cut if not (excluded and is_retweet(one))]
        if struck in ("empty", "skipped", "empty end"):
            page = []
        if struck in ("end", "empty end") or (not page and not self.token_on_empty and struck is None):
            return self._page(page, query, None)
        if struck in ("empty", "circle"):
            return self._page(page, query, (asked, before))
        following = (asked, next_one) if next_one is not None else None
        return self._page(page, query, following, texts=struck != "unreadable")

    def _page(
        self, page: list[Json], query: dict[str, str], following: tuple[Json, int | None] | None, *, texts: bool = True
    ) -> Answer:
        self.cost += POST_PRICE * len(page)
        self.billed.update(record["id"] for record in page)
        meta: Json = {"result_count": len(page)}
        if page:
            meta |= {"newest_id": page[0]["id"], "oldest_id": page[-1]["id"]}
        if following:
            meta["next_token"] = f"token{len(self.tokens)}"
            self.tokens[meta["next_token"]] = following
        fields = {*DEFAULT_FIELDS, *query.get("tweet.fields", "").split(",")} - (set() if texts else {"text"})
        data = [self._worded(record, fields) for record in page]
        return answers.said({"data": data, "meta": meta} if data else {"meta": meta})

    def _worded(self, record: Json, fields: set[str]) -> Json:
        names = RENAMED if self.vocabulary == "post" else {}
        return {names.get(key, key): value for key, value in record.items() if key in fields}


def _served(posts: list[Json], asked: Json) -> list[Json]:
    """Return what X serves of a timeline: of its newest posts those in the window, which its end may push aside."""
    exclude = (asked["exclude"] or "").split(",")
    history = posts[: HISTORY_WITHOUT_REPLIES if "replies" in exclude else HISTORY]
    oldest = int(history[-1]["id"]) if history else 0
    since, until = int(asked["since_id"] or 0), int(asked["until_id"] or 0)
    if until and until <= oldest:
        until = 0  # "the until_id will be forced to the most recent ID available"
    return [one for one in history if int(one["id"]) > since and (not until or int(one["id"]) < until)]


def is_retweet(record: Json) -> bool:
    """Tell whether a post passes on another's."""
    return any(one["type"] == "retweeted" for one in record.get("referenced_tweets", []))


def tweet(number: int, text: str | None = None, **more: Any) -> Json:
    """Return a post of the API; `number` gives its id and its day."""
    at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(1_600_000_000 + 3600 * number))
    record = {"id": str(10**18 + number), "text": text or f"post number {number} of the gull", "created_at": at}
    return record | {"lang": "en", "edit_history_tweet_ids": [record["id"]], **more}


def retweet(number: int) -> Json:
    """Return a post of the API that passes on another's."""
    text = f"RT @ferry: news number {number}"
    return tweet(number, text, referenced_tweets=[{"type": "retweeted", "id": str(number)}])


def _handler(fake: FakeX) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet, or each answer takes 40 ms of delayed acknowledgement

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            answer = fake.answer(Request(url.path, query, self.headers.get("Authorization", "")))
            time.sleep(answer.delay)
            self.close_connection = answer.end != "whole"
            if answer.end == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if answer.end in ("whole", "half"):
                self._send(answer)

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            headers = {"content-type": "application/json"} | answer.headers | {"content-length": str(len(answer.body))}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(answer.body if answer.end == "whole" else answer.body[: len(answer.body) // 2])
            except OSError:
                self.close_connection = True  # the client has read enough

        def log_message(self, format: str, *args: Any) -> None:
            """Keep quiet: requests are recorded."""

    return Handler
