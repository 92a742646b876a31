"""TODO."""

import json
import time
from typing import Any

import requests
import requests.adapters
import requests.utils

#: Seconds to connect, and between two bytes of an answer; and for the whole of it.
TIMEOUT, LONGEST = (10.0, 30.0), 120.0


#: A page of 100 long posts has about a megabyte.
LARGEST = 16 * 1024**2


_CHUNK = 64 * 1024


Json = dict[str, Any]


def read_bounded(response: requests.Response, *, largest: int, longest: float) -> bytes:
    """Return the whole body, unpacked. Raises requests.ReadTimeout, and ContentDecodingError when it is too large."""
    content, until = bytearray(), time.monotonic() + longest
    for chunk in response.iter_content(_CHUNK):
        content += chunk
        if len(content) > largest:
            raise requests.exceptions.ContentDecodingError(f"more than {largest} bytes")
        if time.monotonic() > until:
            raise requests.ReadTimeout(f"not whole after {longest:.0f} seconds")
    return bytes(content)


def parse_object(content: bytes) -> Json:
    """Return the JSON object that a body holds, an empty one where it holds none."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
