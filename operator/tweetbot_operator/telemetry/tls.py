"""HTTPS for health and metrics, with a certificate that is renewed while the operator runs."""

import logging
import ssl
from pathlib import Path

from tweetbot_operator.telemetry.logs import with_fields

LOG = logging.getLogger(__name__)
_CERTIFICATE, _KEY, _CLIENT_CA = "tls.crt", "tls.key", "ca.crt"


class ServerCertificate:
    """A folder as a Secret of type kubernetes.io/tls is mounted; its files are read again once they have changed."""

    def __init__(self, folder: Path, asks_clients: bool = False) -> None:
        """Read the files. Raises OSError (or its kind ssl.SSLError) if one is missing or cannot be used."""
        self._folder, self._asks_clients = folder, asks_clients
        self._loaded: tuple[int, ...] = ()
        self._current = self._load()
        self.context = self._create_context()
        self.context.sni_callback = self._choose

    def _create_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._asks_clients:  # the kubelet's probes have no certificate, so that one is asked for and not required
            context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def _load(self) -> ssl.SSLContext:
        """Return the context of the files as they are: the same one as before if none has changed."""
        names = (_CERTIFICATE, _KEY, *([_CLIENT_CA] if self._asks_clients else []))
        found = tuple((self._folder / name).stat().st_mtime_ns for name in names)
        if found == self._loaded:
            return self._current
        context = self._create_context()
        context.load_cert_chain(self._folder / _CERTIFICATE, self._folder / _KEY)
        if self._asks_clients:
            context.load_verify_locations(self._folder / _CLIENT_CA)
        self._loaded = found
        return context

    def _choose(self, connection: ssl.SSLObject, server_name: str | None, context: ssl.SSLContext) -> None:
        """Give a connection what the files say now; what cannot be read leaves the certificate as it was."""
        try:
            self._current = self._load()
        except OSError as fault:
            fields = with_fields(folder=str(self._folder), fault=str(fault))
            LOG.warning("the new certificate cannot be read", extra=fields)
        connection.context = self._current
