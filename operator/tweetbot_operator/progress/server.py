"""The endpoint that trainers report their progress to: KEP-2779 on the wire, one POST a report, nothing to read.

Every replica serves it, as a Service knows no leader. Only the leader keeps reports, since only it writes; the others
check who reports, and hand good reports on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from tweetbot_contract.handover import build_progress_path
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.progress.authorize import ReportedRun, trainer_pod
from tweetbot_operator.progress.errors import NotAuthenticated, NotNow, ReportRefused, TooMany
from tweetbot_operator.progress.forward import FORWARDED
from tweetbot_operator.progress.rate_limit import Limits
from tweetbot_operator.progress.report import BODY_LIMIT, parse_report
from tweetbot_operator.progress.store import ProgressStore
from tweetbot_operator.progress.tls import ServingCertificate
from tweetbot_operator.progress.tokens import Tokens
from tweetbot_operator.telemetry.metrics import PROGRESS_REPORTS

LOG = logging.getLogger(__name__)
#: Seconds that a body may take to arrive.
_BODY_SECONDS = 10.0
#: Seconds after which the sender of a refused report may try again.
_RETRY_AFTER = {TooMany.status: "5", NotNow.status: "5"}


@dataclass(frozen=True, slots=True)
class ProgressDesk:
    """What a report meets on its way: who sent it, may they, how often, and where it is kept."""

    tokens: Tokens
    cache: Cache
    limits: Limits
    board: ProgressStore
    leads: Callable[[], bool]
    forward: Callable[[str, str, bytes], Awaitable[tuple[int, str]]]
    """Hands path, authorization and body on to the replica that leads; answers its status and message."""


class ProgressServer:
    """Takes reports. Whatever becomes of one, the trainer goes on."""

    def __init__(self, desk: ProgressDesk) -> None:
        self._desk = desk
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int, certificate: ServingCertificate | None) -> None:
        """Listen; without a certificate in plain text, for the loopback. Raises OSError when the port is taken."""
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_post(build_progress_path("{namespace}", "{bot}", "{run}"), self.report)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        context = certificate.context if certificate else None
        await web.TCPSite(self._runner, host, port, ssl_context=context).start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    async def report(self, request: web.Request) -> web.Response:
        """Answer 200 to a report that was taken; else what `progress_refusals` says."""
        try:
            status, told = await self._take(request)
        except ReportRefused as refusal:
            status, told = refusal.status, str(refusal)
        except web.HTTPRequestEntityTooLarge:
            status, told = 413, f"a report has at most {BODY_LIMIT} bytes"
        except (web.RequestPayloadError, ConnectionError):
            status, told = 400, "the body did not arrive whole, or is not encoded as its header says"
        except TimeoutError:
            status, told = 408, f"the body did not arrive within {_BODY_SECONDS:.0f} s"
        PROGRESS_REPORTS.labels(code=str(status)).inc()
        headers = {"Retry-After": _RETRY_AFTER[status]} if status in _RETRY_AFTER else {}
        return web.json_response({"message": told}, status=status, headers=headers)

    async def _take(self, request: web.Request) -> tuple[int, str]:
        desk, run = self._desk, ReportedRun(**request.match_info)
        bearer = await desk.tokens.bearer(_token_of(request), run.audience)
        pod = trainer_pod(desk.cache, bearer, run)
        desk.limits.spend(pod.uid)
        async with asyncio.timeout(_BODY_SECONDS):
            body = await request.read()
        if not desk.leads():
            desk.board.clear()
            return await self._hand_on(request, body)
        desk.board.take(run, pod, parse_report(body))
        return 200, "ok"

    async def _hand_on(self, request: web.Request, body: bytes) -> tuple[int, str]:
        if FORWARDED in request.headers:
            raise NotNow("neither this replica leads nor the one that handed the report on")
        return await self._desk.forward(request.path, request.headers["Authorization"], body)


def _token_of(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("the request carries no bearer token")
    return token.strip()
