"""HTTP below tweepy: another base URL, limits of time and size, and errors that tweepy can read.

tweepy 4.17 has a fixed host and no time limit, takes bodies of any size, and trusts the body of an error (reference
reliability-security, F6).
"""

import io
import json
import re
from typing import Any
from urllib.parse import urlsplit

import requests
import requests.adapters
import requests.utils

from tweetbot_trainer.data.posts import Json
from tweetbot_trainer.data.sources.http import LARGEST, LONGEST, TIMEOUT, parse_object, read_bounded
from tweetbot_trainer.data.sources.x_api.errors import TEXTS
from tweetbot_trainer.runtime.refusals import extract_words

HOST = "https://api.twitter.com"
RESET_HEADER = "x-rate-limit-reset"


class BoundedAdapter(requests.adapters.HTTPAdapter):
    """Sends requests for HOST to another base URL, and limits time and size of every answer."""

    def __init__(
        self, base: str, *, timeout: tuple[float, float] = TIMEOUT, longest: float = LONGEST, largest: int = LARGEST
    ) -> None:
        self._base, self._timeout = base.rstrip("/"), timeout
        self._longest, self._largest = longest, largest
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send the request through the proxy for its real address.

        Raises requests.RequestException, and UnicodeDecodeError if the answer is not UTF-8.
        """
        kwargs["timeout"] = kwargs.get("timeout") or self._timeout
        if self._base != HOST and request.url and request.url.startswith(f"{HOST}/"):
            request.url = self._base + request.url.removeprefix(HOST)
            kwargs["proxies"] = requests.utils.get_environ_proxies(request.url)
        with super().send(request, *args, **kwargs) as response:
            content = read_bounded(response, largest=self._largest, longest=self._longest)
        return _rebuild_response(response, content)


def get_server_name(base: str | None) -> str:
    """Turn host and path of a base URL into a name for an object's key, without credentials."""
    parts = urlsplit(base or HOST)
    port = f":{parts.port}" if parts.port else ""
    return re.sub(r"[^A-Za-z0-9.-]", "_", f"{parts.hostname}{port}{parts.path.rstrip('/')}")


def _rebuild_response(response: requests.Response, content: bytes) -> requests.Response:
    """Return the answer with its body, in the shape that tweepy expects if it is an error."""
    whole = requests.Response()
    whole.status_code, whole.reason, whole.url = response.status_code, response.reason, response.url
    whole.headers, whole.request = response.headers, response.request
    if not _is_seconds(whole.headers.get(RESET_HEADER, "")):
        whole.headers.pop(RESET_HEADER, None)  # tweepy calls int() on it without a check
    if whole.status_code >= 400:
        content = json.dumps(_clean_problem(content)).encode()
    content.decode()  # requests would guess another encoding, and garbled posts would be kept
    whole.raw = io.BytesIO(content)
    return whole


def _clean_problem(content: bytes) -> Json:
    """Return the texts of X's problems, or, of somebody else's answer, its words."""
    body = parse_object(content)
    errors = body.get("errors")
    listed = [_pick_texts(one) for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    problem = _pick_texts(body) | ({"errors": listed} if any(listed) else {})
    return problem or ({"message": words} if (words := extract_words(content)) else {})


def _pick_texts(problem: Json) -> Json:
    return {key: str(problem[key]) for key in TEXTS if problem.get(key)}


def _is_seconds(text: str) -> bool:
    """Tell whether a reset time is valid: eleven digits reach the year 5138, more may exceed Python's dates."""
    return text.isascii() and text.isdigit() and len(text) <= 11
