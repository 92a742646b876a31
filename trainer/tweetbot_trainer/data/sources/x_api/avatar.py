"""The picture of an X account, from X's image host and nowhere else: no token goes there, and it costs nothing."""

from urllib.parse import urlsplit

import requests

from tweetbot_trainer.data.sources.http import TIMEOUT, read_bounded
from tweetbot_trainer.data.sources.interface import Avatar
from tweetbot_trainer.runtime.log import Log

#: X's host of profile pictures.
PICTURES = "https://pbs.twimg.com"
LARGEST, LONGEST = 2 * 1024**2, 30.0


def fetch_avatar(address: str | None, *, base: str | None, log: Log) -> Avatar | None:
    """Return the picture at this address in 400 by 400 pixels; None, and a log line, where that cannot be.

    `base` is apiBaseURL: a server that stands in for X may hold the pictures, too.
    """
    if address is None:
        return None
    if _get_origin(address) not in {_get_origin(PICTURES), _get_origin(base or PICTURES)}:
        log.warning("x.avatar", message="the picture lies on a host that is not X's and was left")
        return None
    try:
        return Avatar(_download(address.replace("_normal.", "_400x400.")))
    except (requests.RequestException, ValueError) as error:
        log.warning("x.avatar", message=f"the picture could not be fetched ({type(error).__name__})")
        return None


def _download(address: str) -> bytes:
    with requests.get(address, stream=True, timeout=TIMEOUT, allow_redirects=False) as response:
        response.raise_for_status()
        if response.status_code != requests.codes.ok:
            raise requests.HTTPError(f"status {response.status_code}")
        return read_bounded(response, largest=LARGEST, longest=LONGEST)


def _get_origin(address: str) -> tuple[str, str] | None:
    """Return scheme and host with port, in lower case; None where there is no telling."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return (parts.scheme.lower(), parts.netloc.lower()) if parts.netloc else None
