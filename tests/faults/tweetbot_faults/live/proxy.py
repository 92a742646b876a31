"""A proxy before the API server that strikes at one write of one namespace, and leaves all the others alone."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from harness.cutting_proxy import COUNTED, WRITES, CuttingProxy

Strike = Callable[..., Awaitable[web.StreamResponse]]
#: Longer than the operator waits for an answer.
_SILENCE = 15.0


@dataclass
class Rule:
    """What happens at the operator's effective write number `at` in a namespace, from 0."""

    at: int | None = None
    fault: str = ""
    kill: Callable[[], None] = lambda: None
    struck: bool = False
    trace: list[str] = field(default_factory=list)
    """The writes that took effect, as `VERB kind/name[/status]`."""

    def is_due(self) -> bool:
        return not self.struck and self.at == len(self.trace)


class StrikingProxy(CuttingProxy):
    """One rule per namespace; whatever has none passes."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.rules: dict[str, Rule] = {}

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path + "/"
        rule = self.rules.get(path.partition("/namespaces/")[2].partition("/")[0])
        counted = request.method in WRITES and any(part in path for part in COUNTED) and "dryRun" not in request.query
        if rule is None or not counted:
            return await super()._handle(request)
        if rule.is_due() and (strike := BEFORE.get(rule.fault)):
            rule.struck = True
            return await strike(request, rule)
        return await self._commit(request, rule)

    async def _commit(self, request: web.Request, rule: Rule) -> web.StreamResponse:
        body = await request.read()
        status, headers, content = await self._send(request, body)
        due = rule.is_due() and status < 300
        if status < 300:
            rule.trace.append(f"{request.method} {request.path.partition('/namespaces/')[2].partition('/')[2]}")
        if due and rule.fault == "sent-twice":
            rule.struck = True
            status, headers, content = await self._send(request, body)
        elif due and (strike := AFTER.get(rule.fault)):
            rule.struck = True
            return await strike(request, rule, content)
        return web.Response(status=status, headers=headers, body=content)

    async def _send(self, request: web.Request, body: bytes) -> tuple[int, dict[str, str], bytes]:
        kept = ("content-type", "accept", "authorization", "user-agent")
        headers = {name: value for name, value in request.headers.items() if name.lower() in kept}
        address = self._server + request.raw_path
        timeout = aiohttp.ClientTimeout(total=60)
        sent = self._session.request(request.method, address, headers=headers, data=body or None, timeout=timeout)
        async with sent as answer:
            shown = {name: value for name, value in answer.headers.items() if name.lower() in ("content-type",)}
            return answer.status, shown, await answer.read()


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport:
        request.transport.abort()
    return web.Response()  # nobody gets it


def _answer(status: int, reason: str, **headers: str) -> web.Response:
    document = {"kind": "Status", "status": "Failure", "code": status, "reason": reason, "message": f"it says {reason}"}
    return web.json_response(document, status=status, headers=headers)


async def _kill_before(request: web.Request, rule: Rule) -> web.StreamResponse:
    await asyncio.get_running_loop().run_in_executor(None, rule.kill)
    return _cut(request)


async def _kill_after(request: web.Request, rule: Rule, content: bytes) -> web.StreamResponse:
    return await _kill_before(request, rule)


async def _wait_before(request: web.Request, rule: Rule) -> web.StreamResponse:
    await asyncio.sleep(_SILENCE)
    return _cut(request)


async def _wait_after(request: web.Request, rule: Rule, content: bytes) -> web.StreamResponse:
    return await _wait_before(request, rule)


async def _reset_after(request: web.Request, rule: Rule, content: bytes) -> web.StreamResponse:
    return _cut(request)


async def _halve(request: web.Request, rule: Rule, content: bytes) -> web.StreamResponse:
    return web.Response(body=content[: len(content) // 2], content_type="application/json")


async def _say_html(request: web.Request, rule: Rule, content: bytes) -> web.StreamResponse:
    return web.Response(text="<html><body>Please log in</body></html>", content_type="text/html")


def _refuse(status: int, reason: str, **headers: str) -> Strike:
    async def strike(request: web.Request, rule: Rule) -> web.StreamResponse:
        return _answer(status, reason, **headers)

    return strike


#: Nothing is committed.
BEFORE: dict[str, Strike] = {
    "kill-before": _kill_before,
    "timeout-before": _wait_before,
    "409": _refuse(409, "Conflict"),
    "500": _refuse(500, "InternalError"),
    "503": _refuse(503, "ServiceUnavailable"),
    "429": _refuse(429, "TooManyRequests", **{"Retry-After": "1"}),
    "429-bare": _refuse(429, "TooManyRequests"),
}
#: The write is committed, its answer is not what it should be.
AFTER: dict[str, Strike] = {
    "kill-after": _kill_after,
    "timeout-after": _wait_after,
    "reset-after": _reset_after,
    "half-json": _halve,
    "html": _say_html,
}
LETHAL = ("kill-before", "kill-after")
SURVIVABLE = tuple(name for name in (*BEFORE, *AFTER, "sent-twice") if name not in LETHAL)
