"""The certificate that the progress endpoint shows, read again when its files change: cert-manager renews them."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

from tweetbot_operator.telemetry.logs import with_fields

LOG = logging.getLogger(__name__)
#: Seconds between two looks at the files; certificates are renewed weeks before they end.
_LOOK_AGAIN = 60.0


class ServingCertificate:
    """A certificate and its key, from files."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises OSError (ssl.SSLError is one) when the files cannot be read or do not belong together."""
        self._certificate, self._key = certificate, key
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._shown = self._files()
        self.context.load_cert_chain(certificate, key)

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Look for ever."""
        while True:
            await sleep(_LOOK_AGAIN)
            self.look()

    def look(self) -> None:
        """Take files that have changed; connections made from now on see them. Bad ones are left, and told of."""
        try:
            found = self._files()
            if found == self._shown:
                return
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(self._certificate, self._key)
            self.context.load_cert_chain(self._certificate, self._key)
        except OSError as fault:
            LOG.warning("the new serving certificate cannot be used", extra=with_fields(fault=str(fault)))
            return
        self._shown = found
        LOG.info("the serving certificate was renewed")

    def _files(self) -> tuple[bytes, bytes]:
        return self._certificate.read_bytes(), self._key.read_bytes()
