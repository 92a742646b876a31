"""What surrounds every route: access, the bound on the body, and headers that keep a page to this server."""

import asyncio
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tweetbot_trainer.serving.access import COOKIE, Access, Asked, LoggedIn, Refused, decide_access
from tweetbot_trainer.serving.api.errors import build_error
from tweetbot_trainer.serving.headers import HEADERS
from tweetbot_trainer.serving.templates import render_template

#: Most bytes of a body, and the seconds in which it must come.
BODY, BODY_SECONDS = 16 * 1024, 10.0


class Guard:
    """Asks the rules before each request, and answers those that are refused."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif answer := self._answer_outsider(scope):
            await answer(scope, receive, _add_headers(send))
        else:
            await self._pass_on(scope, receive, _add_headers(send))

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read_body(receive)
        if body is None:
            await build_error(f"the body is larger than {BODY} bytes, or slow", status=413)(scope, receive, send)
        else:
            await self._app(scope, _replay(body, receive), send)

    def _answer_outsider(self, scope: Scope) -> Response | None:
        """Return the answer to a request that is not let in, or not yet; None for others."""
        asked = _describe(scope)
        match decide_access(self._access, asked):
            case Refused(status, message):
                return _build_refusal(asked, status, message)
            case LoggedIn(location):
                # A redirect would be followed without the cookie where a link on another site led here.
                answer = HTMLResponse(render_template("token.html", location=location))
                secure = scope.get("scheme") == "https"
                answer.set_cookie(COOKIE, self._access.cookie, httponly=True, samesite="strict", secure=secure)
                return answer
            case None:
                return None


def _build_refusal(asked: Asked, status: int, message: str) -> Response:
    """Return the answer to a program, or to a person, who can give the token."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    if status == 401 and asked.method == "GET" and "text/html" in asked.headers.get("accept", ""):
        return HTMLResponse(render_template("token.html", wrong="token=" in asked.query), status, headers)
    return build_error(message, status=status, headers=headers)


def _describe(scope: Scope) -> Asked:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        cookie = None
    query = scope["query_string"].decode("latin-1")
    return Asked(scope["method"], scope["path"], query, headers, cookie.value if cookie else "")


async def _read_body(receive: Receive) -> bytes | None:
    """Read the whole body; None if it is too large, or comes too slowly."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > BODY:
                    return None
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        return None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return the body as one message, then what comes after it: that the client is gone."""
    first = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return first.pop() if first else await receive()

    return receive_again


def _add_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
