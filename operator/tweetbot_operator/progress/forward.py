"""Hands a report on to the replica that leads: a Service sends trainers to any replica, and only the leader writes."""

import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

import aiohttp

from tweetbot_operator.progress.errors import NotNow
from tweetbot_operator.settings import OperatorSettings

#: On a report that was handed on: whoever gets it and does not lead either hands it on no further.
FORWARDED = "X-Tweetbot-Forwarded"
#: Seconds that the leader has for its answer; trainers wait for five.
_TIMEOUT = aiohttp.ClientTimeout(total=4)


class Forwarder:
    """Knows the leader by the address in its Lease, and by the certificate that the Service's name has."""

    def __init__(self, settings: OperatorSettings, leader_address: Callable[[], str]) -> None:
        url = urlsplit(settings.progress_url)
        self._scheme, self._name, self._leader_address = url.scheme, url.hostname or "", leader_address
        self._context = ssl.create_default_context(cadata=settings.progress_ca or None)
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, path: str, authorization: str, body: bytes) -> tuple[int, str]:
        """Return the leader's status and message. Raises NotNow while no leader is known or it does not answer."""
        address = self._leader_address()
        if not address:
            raise NotNow("this replica does not lead, and knows no address of the one that does")
        session = self._session = self._session or aiohttp.ClientSession(timeout=_TIMEOUT)
        url, headers = f"{self._scheme}://{address}{path}", {"Authorization": authorization, FORWARDED: "1"}
        try:
            async with session.post(
                url,
                data=body,
                headers=headers,
                ssl=self._context,
                server_hostname=self._name if self._scheme == "https" else None,
                allow_redirects=False,
            ) as answer:
                return answer.status, str((await answer.json())["message"])
        except (TimeoutError, aiohttp.ClientError, ValueError, KeyError) as fault:
            raise NotNow(f"the replica that leads does not answer: {type(fault).__name__}") from None

    async def close(self) -> None:
        """Close all connections."""
        if self._session:
            await self._session.close()
