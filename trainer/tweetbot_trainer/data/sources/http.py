"""HTTP with limits of time and size, for the APIs that are read."""

import json
from functools import partial
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import DecodeError, HTTPError

from tweetbot_contract import reasons
from tweetbot_trainer.data.posts import Json
from tweetbot_trainer.runtime import http
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log

#: Seconds to connect and between two bytes of an answer, and seconds for the whole answer.
TIMEOUT, LONGEST = (10.0, 30.0), 120.0
#: A page of 100 long posts has about a megabyte.
LARGEST = 16 * 1024**2
LARGEST_PICTURE = 2 * 1024**2


def read_bounded(response: requests.Response, *, largest: int, longest: float) -> bytes:
    """Read and unpack the whole body. Raises requests.ReadTimeout, and ContentDecodingError if it is too large."""
    try:
        return http.read_bounded(partial(response.raw.read1, decode_content=True), largest=largest, longest=longest)
    except TimeoutError as error:
        raise requests.ReadTimeout(str(error)) from error
    except (ValueError, DecodeError) as error:
        raise requests.exceptions.ContentDecodingError(str(error)) from error
    except HTTPError as error:
        raise requests.ConnectionError(str(error)) from error


def parse_object(content: bytes) -> Json:
    """Parse a JSON object; anything else gives an empty one."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def check_address(base: str, field: str) -> str:
    """Return the address if requests can be sent to it. Raises SpecRefused."""
    try:
        requests.Request("GET", base).prepare()
    except ValueError as error:  # among them the errors of requests for addresses
        message = f"{field} {base} is no valid address ({type(error).__name__})"
        raise SpecRefused(reasons.SPEC_REFUSED, message) from None
    return base


def download_picture(address: str | None, *, hosts: tuple[str, ...], event: str, log: Log) -> bytes | None:
    """Download an account's picture if it is on one of these hosts, without any token.

    Logs `event` and returns None if that fails: no run fails for lack of a picture.
    """
    if address is None:
        return None
    if _get_origin(address) not in map(_get_origin, hosts):
        log.warning(event, message=f"the picture is on another host than {hosts[0]} and was left out")
        return None
    try:
        with requests.get(address, stream=True, timeout=TIMEOUT, allow_redirects=False) as response:
            response.raise_for_status()
            if response.status_code != requests.codes.ok:
                raise requests.HTTPError(f"status {response.status_code}")
            return read_bounded(response, largest=LARGEST_PICTURE, longest=LONGEST)
    except (requests.RequestException, ValueError) as error:
        log.warning(event, message=f"the picture could not be fetched ({type(error).__name__})")
        return None


def _get_origin(address: str) -> tuple[str, str] | None:
    """Return scheme and host with port in lower case, None if the address has none."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return (parts.scheme.lower(), parts.netloc.lower()) if parts.netloc else None
