"""The progress endpoint put together from the settings, or its absence, told of once."""

import logging
import time
from pathlib import Path

from tweetbot_operator.client.leader_election import Leadership
from tweetbot_operator.client.requests import ApiRequests
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.progress.forward import Forwarder
from tweetbot_operator.progress.rate_limit import Limits
from tweetbot_operator.progress.server import ProgressDesk, ProgressServer
from tweetbot_operator.progress.store import ProgressStore
from tweetbot_operator.progress.tls import ServingCertificate
from tweetbot_operator.progress.tokens import ApiKeys, Tokens
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.telemetry.logs import with_fields

LOG = logging.getLogger(__name__)


class CannotServe(Exception):
    """Whoever runs the operator must change a setting; the message names it."""


class ProgressEndpoint:
    """Serves while the operator runs, on every replica."""

    def __init__(self, settings: OperatorSettings, cache: Cache, board: ProgressStore, api: ApiRequests) -> None:
        self._settings, self._cache, self._board, self._api = settings, cache, board, api
        self._server: ProgressServer | None = None
        self._certificate: ServingCertificate | None = None
        self._forwarder: Forwarder | None = None

    async def start(self, leadership: Leadership) -> None:
        """Listen, if the settings allow it. Raises CannotServe."""
        settings = self._settings
        if not settings.takes_progress:
            missing = "TWEETBOT_PROGRESS_CERTIFICATE" if settings.progress_url else "TWEETBOT_PROGRESS_URL"
            LOG.info("trainers report no progress", extra=with_fields(unset=missing))
            return
        self._certificate = _certificate(settings)
        tokens = Tokens(ApiKeys(self._api), time.monotonic)
        forwarder = self._forwarder = Forwarder(settings, leadership.get_leader_address)
        leads = leadership.leading.is_set
        desk = ProgressDesk(tokens, self._cache, Limits(time.monotonic), self._board, leads, forwarder)
        server = ProgressServer(desk)
        try:
            await server.start(settings.http_host, settings.progress_port, self._certificate)
        except OSError as fault:
            message = f"TWEETBOT_PROGRESS_PORT: cannot listen on {settings.progress_port}: {fault.strerror}"
            raise CannotServe(message) from None
        self._server = server
        LOG.info("trainers report their progress", extra=with_fields(url=settings.progress_url))

    async def run(self) -> None:
        """Keep the certificate fresh, as long as there is one."""
        if self._certificate:
            await self._certificate.run()

    async def stop(self) -> None:
        """Stop listening."""
        if self._server:
            await self._server.stop()
        if self._forwarder:
            await self._forwarder.close()


def _certificate(settings: OperatorSettings) -> ServingCertificate | None:
    if not settings.progress_certificate:
        return None
    try:
        return ServingCertificate(Path(settings.progress_certificate), Path(settings.progress_key))
    except OSError as fault:
        message = f"TWEETBOT_PROGRESS_CERTIFICATE, TWEETBOT_PROGRESS_KEY: they cannot be used: {fault}"
        raise CannotServe(message) from None
