"""A proxy before the S3 server that strikes at one request of a trainer, or at all from then on."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import ClassVar

import aiohttp
from aiohttp import web

from tweetbot_fakes.server_thread import ServerThread

_HOP = ("transfer-encoding", "connection")
#: Longer than the trainers of this laboratory wait for an answer.
_SILENCE = 8.0
CONDITIONS = ("if-none-match", "if-match")
_ERROR = '<?xml version="1.0"?><Error><Code>{code}</Code><Message>it says {code}</Message></Error>'


@dataclass
class Rule:
    """What happens at request number `at`, from 0; an outage lasts from there until it is lifted."""

    at: int | None = None
    fault: str = ""
    hit: Callable[[], None] = lambda: None
    """Called where the fault is a kill, or lets somebody else go first."""
    struck: bool = False
    trace: list[str] = field(default_factory=list)
    conditional: list[int] = field(default_factory=list)
    """Numbers of the writes that carry a condition."""


class S3Proxy(ServerThread):
    """Passes everything on, signatures and all; `rule` is that of the trainer at work."""

    runner_options: ClassVar = {"auto_decompress": False}

    def __init__(self, server: str) -> None:
        super().__init__()
        self._server, self.rule = server, Rule()

    def _open_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(auto_decompress=False)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        rule, number = self.rule, len(self.rule.trace)
        rule.trace.append(f"{request.method} {request.path.rpartition('/')[2]}")
        if any(name in request.headers for name in CONDITIONS) and request.method == "PUT":
            rule.conditional.append(number)
        body = await request.read()
        due = rule.at == number or (rule.fault == "outage" and rule.at is not None and rule.at <= number)
        if due and (strike := BEFORE.get(rule.fault)):
            rule.struck = True
            return await strike(request, rule)
        if due and rule.fault == "hold":
            rule.struck = True
            await asyncio.get_running_loop().run_in_executor(None, rule.hit)
        answer = await self._send(request, body)
        if due and (strike := AFTER.get(rule.fault)):
            rule.struck = True
            return await strike(request, rule)
        if due and rule.fault == "short":
            rule.struck = True
            return _shorten(answer)
        return answer

    async def _send(self, request: web.Request, body: bytes) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        target = self._server + request.raw_path
        async with self._session.request(
            request.method, target, headers=headers, data=body or None, skip_auto_headers=["Content-Type"]
        ) as answer:
            shown = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            if request.method != "HEAD":
                shown.pop("Content-Length", None)
            return web.Response(status=answer.status, headers=shown, body=await answer.read())


def _cut(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()  # nobody gets it


def _shorten(answer: web.Response) -> web.Response:
    body = answer.body if isinstance(answer.body, bytes) else b""
    return web.Response(status=answer.status, headers=answer.headers, body=body[: len(body) // 2])


async def _hit(request: web.Request, rule: Rule) -> web.StreamResponse:
    await asyncio.get_running_loop().run_in_executor(None, rule.hit)
    return _cut(request)


async def _stall(request: web.Request, rule: Rule) -> web.StreamResponse:
    await asyncio.sleep(_SILENCE)
    return _cut(request)


async def _reset(request: web.Request, rule: Rule) -> web.StreamResponse:
    return _cut(request)


def _refuse(status: int, code: str) -> Callable[[web.Request, Rule], Awaitable[web.StreamResponse]]:
    async def strike(request: web.Request, rule: Rule) -> web.StreamResponse:
        return web.Response(status=status, text=_ERROR.format(code=code), content_type="application/xml")

    return strike


Strike = Callable[[web.Request, Rule], Awaitable[web.StreamResponse]]
#: Nothing arrives at the server.
BEFORE: dict[str, Strike] = {
    "kill-before": _hit,
    "500": _refuse(500, "InternalError"),
    "slow-down": _refuse(503, "SlowDown"),
    "409": _refuse(409, "ConditionalRequestConflict"),
    "412": _refuse(412, "PreconditionFailed"),
    "stall": _stall,
    "outage": _refuse(503, "ServiceUnavailable"),
}
#: The server has done it, and its answer is lost.
AFTER: dict[str, Strike] = {"kill-after": _hit, "reset-after": _reset, "500-after": _refuse(500, "InternalError")}
