"""Ask a Pod for its progress: one bounded GET, nothing sent along and no redirect followed."""

from typing import Self

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from tweetbot_contract.progress import PROGRESS_PATH, PROGRESS_PORT, REPORT_LIMIT, ProgressReport, parse_report


class NoReport(Exception):
    """The Pod gave no report that can be used; the message says why, and quotes nothing of the answer."""


class PodClient:
    """A client without cookies, proxies or kept connections, as a context manager."""

    def __init__(self, port: int = PROGRESS_PORT, seconds: float = 3.0) -> None:
        """`seconds` are for the connection and the whole answer."""
        self._port, self._timeout = port, aiohttp.ClientTimeout(total=seconds)

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,
        )
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Close the session."""
        await self._session.close()

    async def fetch_report(self, ip: str) -> ProgressReport:
        """Fetch the report of the Pod at this address. Raises NoReport."""
        host = f"[{ip}]" if ":" in ip else ip
        try:
            url = f"http://{host}:{self._port}{PROGRESS_PATH}"
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status != 200:
                    raise NoReport(f"it answered {response.status}")
                return parse_report(await _read_bounded(response))
        except (TimeoutError, OSError, aiohttp.ClientError, HttpProcessingError) as error:
            raise NoReport(f"it does not answer ({type(error).__name__})") from None
        except ValueError:
            raise NoReport("its answer is not a report") from None


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > REPORT_LIMIT:
            raise NoReport(f"its answer is longer than {REPORT_LIMIT} bytes")
    return bytes(body)
