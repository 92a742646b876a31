"""Where the operator wants to hear of a training's progress, and how a report gets there."""

import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tweetbot_contract.handover import PROGRESS_CA_ENV, PROGRESS_TOKEN_ENV, PROGRESS_URL_ENV

#: Seconds that one report may take.
_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class ReportPlace:
    """Where reports go: the address, the file of the token, that of the certificates to trust (or the system's)."""

    url: str
    token: Path
    certificates: Path | None

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "ReportPlace | None":
        """Return what the environment says, None where nobody asks for reports."""
        url, token, certificates = (env.get(name) for name in (PROGRESS_URL_ENV, PROGRESS_TOKEN_ENV, PROGRESS_CA_ENV))
        return cls(url, Path(token), Path(certificates) if certificates else None) if url and token else None

    def post(self, body: bytes) -> None:
        """Send one report. Raises OSError (urllib's are), ValueError. The token file is read each time: it changes."""
        headers = {
            "Authorization": f"Bearer {self.token.read_text(encoding='ascii').strip()}",
            "Content-Type": "application/json",
        }
        request = urllib.request.Request(self.url, body, headers, method="POST")  # noqa: S310 - the operator's own URL
        with self._opener().open(request, timeout=_TIMEOUT):
            pass

    def _opener(self) -> urllib.request.OpenerDirector:
        """No proxy stands between Pod and operator, and no redirect may carry the token elsewhere."""
        context = ssl.create_default_context(cafile=str(self.certificates) if self.certificates else None)
        https = urllib.request.HTTPSHandler(context=context)
        return urllib.request.build_opener(urllib.request.ProxyHandler({}), https, _NoRedirects())


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *given: Any) -> None:
        """Follow nothing."""
