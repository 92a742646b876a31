"""What the fake of the X API says: answers as X writes them, and every way in which X or a proxy fails to.

Each fault is a row of the shapes and of tweepy's table in what was found out about X (issue 4).
"""

import gzip
import json
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
PROBLEMS = "https://api.x.com/2/problems"
#: More than the client takes.
TOO_LARGE = 17 * 1024**2


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says, `delay` seconds late; `end` tells how its connection ends."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    end: Literal["whole", "half", "closed", "reset"] = "whole"


def said(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Return this body as JSON."""
    return Answer(status, json.dumps(body).encode(), headers or {})


def problem(code: int, kind: str, title: str, detail: str = "") -> Answer:
    """Return a problem as the body of an error status; `about:blank` is the type of those without a type."""
    address = kind if kind == "about:blank" else f"{PROBLEMS}/{kind}"
    return said({"title": title, "detail": detail or title, "type": address, "status": code}, status=code)


def invalid(parameter: str, value: str) -> Answer:
    """Return what X says about a parameter that it does not take; what is wrong is in `message`."""
    words = f"The `{parameter}` query parameter value [{value}] is not valid"
    return said(
        {
            "errors": [{"parameters": {parameter: [value]}, "message": words}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": f"{PROBLEMS}/invalid-request",
        },
        status=400,
    )


def partial_error(kind: str, title: str, detail: str, *, status: int = 200) -> Answer:
    """Return errors without data: X's way to say not found, suspended and protected, mostly with status 200."""
    return said({"errors": [{"title": title, "detail": detail, "type": f"{PROBLEMS}/{kind}"}]}, status=status)


def html(code: int) -> Answer:
    """Return a page for people, as proxies and failing front ends send."""
    return Answer(code, b"<!doctype html><title>Something went wrong</title>", {"content-type": "text/html"})


def rate_limited(reset: str | None) -> Answer:
    """Return 429 with this reset header, or with none."""
    headers = {} if reset is None else {"x-rate-limit-reset": reset, "x-rate-limit-remaining": "0"}
    return said({"title": "Too Many Requests", "type": "about:blank", "status": 429}, status=429, headers=headers)


def not_found(handle: str) -> Answer:
    """Return what X says about a handle that nobody has."""
    return partial_error("resource-not-found", "Not Found Error", f"Could not find user with username: [{handle}].")


def suspended(handle: str) -> Answer:
    """Return what X says about an account that it has suspended."""
    return partial_error("resource-not-found", "Forbidden", f"User has been suspended: [{handle}].")


def protected(user_id: str, *, status: int = 200) -> Answer:
    """Return what X says about the posts of an account that shows them to followers only."""
    detail = f"Sorry, you are not authorized to see the user with id: [{user_id}]."
    return partial_error("not-authorized-for-resource", "Authorization Error", detail, status=status)


NOT_FOUND, SUSPENDED, PROTECTED = not_found("nobody"), suspended("harbour_gull"), protected("1")
PROTECTED_403 = protected("1", status=403)
BAD_REQUEST = invalid("max_results", "7")
UNAUTHORIZED = problem(401, "about:blank", "Unauthorized")
CREDITS_DEPLETED = problem(402, "credits", "CreditsDepleted", "Your account does not have any credits left.")
FORBIDDEN = problem(403, "client-forbidden", "Client Forbidden")
NO_PATH = problem(404, "about:blank", "Not Found")
USAGE_CAPPED = problem(429, "usage-capped", "UsageCapExceeded", "Usage cap exceeded: Monthly product cap")

#: What passes by itself, and is XUnavailable where it does not.
AWAY: dict[str, Answer] = {
    "a server's error": problem(500, "about:blank", "Internal Server Error"),
    "a server's error in HTML": html(503),
    "a server's error without a body": Answer(502),
    "an error whose body is a list": Answer(500, b"[]"),
    "an error whose errors are a text": Answer(500, b'{"errors": "all", "detail": 7}'),
    "no answer": Answer(end="closed"),
    "a connection that is reset": Answer(end="reset"),
    "an answer that breaks off": Answer(200, b'{"data": []}', end="half"),
}
#: Errors that name no problem of the account, the token or the request, as outages and proxies have them.
UNNAMED: dict[str, Answer] = {
    "a bare 404, as in X's outage of eight hours": problem(404, "about:blank", "Not Found"),
    "a 404 without a body": Answer(404),
    "a 404 in HTML": html(404),
    "a gateway's 404": said({"code": 404, "message": "no Route matched with those values"}, status=404),
    "a 403 without a type": problem(403, "about:blank", "Forbidden"),
    "a firewall's 403": html(403),
    "a 401 in HTML": html(401),
    "a 401 whose body is a list": Answer(401, b"[]"),
    "a gateway's 401": said({"error": "Unauthorized", "status": 401}, status=401),
    "a 400 without a body": Answer(400),
    "a 402 without a type": problem(402, "about:blank", "Payment Required"),
    "a 407 of a proxy": html(407),
    "a 451 of a firewall": html(451),
    "a type that nobody knows": problem(418, "teapot", "Teapot"),
    "a post that was not found": said(
        {"errors": [{"title": "Not Found Error", "type": f"{PROBLEMS}/resource-not-found", "resource_type": "tweet"}]},
        status=404,
    ),
    "an old API's error": said({"errors": [{"code": 34, "message": "Sorry, that page does not exist."}]}, status=404),
}
#: What is no answer of X's, and is XBadPayload where it does not pass.
UNREADABLE: dict[str, Answer] = {
    "a page for people with status 200": html(200),
    "a list": Answer(200, b"[1]"),
    "nothing": Answer(200, b""),
    "half a character": Answer(200, b'{"data": "\xc3"}'),
    "a pit of brackets": Answer(200, b"[" * 200_000),
    "a number of 5000 digits": Answer(200, b'{"data": ' + b"9" * 5000 + b"}"),
    "a body without end": Answer(200, b" " * TOO_LARGE),
    "a small body that unpacks without end": Answer(200, gzip.compress(b" " * TOO_LARGE), {"content-encoding": "gzip"}),
    "a body packed wrongly": Answer(200, b"{}", {"content-encoding": "gzip"}),
}
