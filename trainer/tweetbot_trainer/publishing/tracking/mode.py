"""Whether Weights & Biases is used Online or Offline: decided once, before the client starts.

The client cannot change its mind: after a failed online start an offline one may fail too (wandb#9865).
"""

import base64
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tweetbot_contract import handover
from tweetbot_contract.spec.spec import WandB

#: Seconds for one answer, how often the server is asked, and the seconds in between.
PROBE_TIMEOUT, PROBES, PROBE_PAUSE = 5.0, 3, 1.0
#: Bytes of an answer: the name of a user.
ANSWER_LIMIT = 1024 * 1024

#: Returns why a server with this address and key cannot be used, or None.
Probe = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class Decision:
    """How to start the client; `degraded` tells why it is less than was asked for."""

    mode: Literal["Online", "Offline"]
    degraded: str | None = None
    api_key: str | None = None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for an error: one would carry the key to another server, or lead where no endpoint may."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def choose_mode(spec: WandB, secrets: Path, base_url: str, *, probe: Probe) -> Decision:
    """Return Online where it is wished, a key is there and the server takes it, else Offline."""
    if spec.mode == "Offline":
        return Decision("Offline")
    key = _read_api_key(secrets)
    if key is None:
        return Decision("Offline", _describe_missing_key(spec))
    fault = probe(base_url, key)
    if fault:
        return Decision("Offline", f"{fault}; the run's files are in the output, `wandb sync` sends them later")
    return Decision("Online", api_key=key)


def check_api_key(
    base_url: str, key: str, *, pause: Callable[[float], None] = time.sleep, timeout: float = PROBE_TIMEOUT
) -> str | None:
    """Ask the server who the key belongs to; return what is wrong, in words that do not hold the key."""
    fault: str | None = None
    for attempt in range(PROBES):
        if attempt:
            pause(PROBE_PAUSE)
        try:
            return None if _query_viewer(base_url, key, timeout) else _describe_refusal(base_url)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (401, 403):
                return _describe_refusal(base_url)
            fault = f"{base_url} answered {error.code}"
        except OSError as error:
            fault = f"{base_url} does not answer ({type(error).__name__})"
        except (ValueError, RecursionError, http.client.HTTPException) as error:
            fault = f"{base_url} does not answer as Weights & Biases does ({type(error).__name__}): check baseURL"
    return fault


def _query_viewer(base_url: str, key: str, timeout: float) -> bool:
    token = base64.b64encode(f"api:{key}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310  # the CRD lets http and https through only
        f"{base_url.rstrip('/')}/graphql",
        data=json.dumps({"query": "query Viewer { viewer { id } }", "operationName": "Viewer"}).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Basic {token}"},
    )
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout) as answer:
        content = json.loads(_read_bounded(answer, timeout))
    data = content.get("data") or {} if isinstance(content, dict) else None
    if not isinstance(data, dict):
        raise ValueError("another kind of server")
    return bool(data.get("viewer"))


def _read_bounded(answer: http.client.HTTPResponse, timeout: float) -> bytes:
    """Return the answer. Raises TimeoutError where it drips for longer than one of its bytes may take."""
    content, until = b"", time.monotonic() + timeout
    while len(content) < ANSWER_LIMIT and (more := answer.read1(ANSWER_LIMIT)):
        content += more
        if time.monotonic() > until:
            raise TimeoutError
    return content


def _describe_refusal(base_url: str) -> str:
    return f"{base_url} refuses the API key: put a valid one into the Secret"


def _read_api_key(secrets: Path) -> str | None:
    file = secrets / handover.WANDB_FOLDER / handover.WANDB_FILE
    return file.read_text(encoding="utf-8").strip() or None if file.is_file() else None


def _describe_missing_key(spec: WandB) -> str | None:
    """Auto without a Secret asks for nothing, so it gets no less than it asked for."""
    if spec.api_key_secret is None:
        return None
    return f"the Secret {spec.api_key_secret.name} has no key {spec.api_key_secret.key}: create it"
