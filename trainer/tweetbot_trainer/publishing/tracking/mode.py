"""The choice between Online and Offline, made once, before the client of Weights & Biases starts.

The client cannot change its mode: after a failed online start an offline one may fail too (wandb#9865).
"""

import base64
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tweetbot_contract import handover
from tweetbot_contract.spec.spec import WandB
from tweetbot_trainer.runtime.certificates import find_server_fault
from tweetbot_trainer.runtime.http import read_bounded

#: Seconds that one answer may take, number of probes, and seconds between two of them.
PROBE_TIMEOUT, PROBES, PROBE_PAUSE = 5.0, 3, 1.0
#: Largest answer, in bytes. A normal one is the id of a user.
ANSWER_LIMIT = 1024 * 1024

#: Takes a server's address and a key; returns why they cannot be used, or None.
Probe = Callable[[str, str], str | None]


@dataclass(frozen=True, slots=True)
class Decision:
    """How to start the client. `degraded` says why that is less than the spec asks for."""

    mode: Literal["Online", "Offline"]
    degraded: str | None = None
    api_key: str | None = None


def choose_mode(spec: WandB, secrets: Path, base_url: str, *, probe: Probe) -> Decision:
    """Choose Online if the spec allows it, there is a key, and the server accepts it; else Offline."""
    if spec.mode == "Offline":
        return Decision("Offline")
    file = secrets / handover.WANDB_FOLDER / handover.WANDB_FILE
    key = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    if not key:
        secret = spec.api_key_secret  # mode Auto without a Secret asks for nothing, and so is not degraded
        message = f"the Secret {secret.name} has no key {secret.key}: create it" if secret else None
        if spec.report and not secret:
            message = "a report is made at W&B, and there is no API key: name one in spec.tracking.wandb.apiKeySecret"
        return Decision("Offline", message)
    fault = probe(base_url, key)
    if fault:
        return Decision("Offline", fault)
    return Decision("Online", api_key=key)


def describe_refusal(base_url: str) -> str:
    """Return what is said of a server that does not know the key."""
    return f"{base_url} refuses the API key: put a valid one into the Secret"


def check_api_key(
    base_url: str, key: str, *, pause: Callable[[float], None] = time.sleep, timeout: float = PROBE_TIMEOUT
) -> str | None:
    """Ask the server whose key it is. Return what is wrong, in words that do not contain the key."""
    refusal = describe_refusal(base_url)
    fault: str | None = None
    for attempt in range(PROBES):
        if attempt:
            pause(PROBE_PAUSE)
        try:
            return None if _query_viewer(base_url, key, timeout) else refusal
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (401, 403):
                return refusal
            fault = f"{base_url} answered {error.code}"
        except OSError as error:
            if untrusted := find_server_fault(error, base_url):
                return untrusted.message
            fault = f"{base_url} does not answer ({type(error).__name__})"
        except (ValueError, RecursionError, http.client.HTTPException) as error:
            fault = f"{base_url} is not Weights & Biases ({type(error).__name__}): check spec.tracking.wandb.baseURL"
    return fault


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Treats a redirect as an error: it could send the key to another server, or lead to a forbidden address."""

    def redirect_request(self, *_: Any) -> None: ...


def _query_viewer(base_url: str, key: str, timeout: float) -> bool:
    """Return whether the server knows the key's user."""
    content = query_server(base_url, key, "query Viewer { viewer { id } }", "Viewer", timeout=timeout)
    return bool((content.get("data") or {}).get("viewer"))


def query_server(
    base_url: str, key: str, query: str, name: str, variables: Mapping[str, Any] | None = None, *, timeout: float
) -> dict[str, Any]:
    """Send a query of GraphQL and return the answer. Raises OSError, HTTPException, ValueError."""
    token = base64.b64encode(f"api:{key}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310  # the CRD lets http and https through only
        f"{base_url.rstrip('/')}/graphql",
        data=json.dumps({"query": query, "operationName": name, "variables": variables or {}}).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Basic {token}"},
    )
    with urllib.request.build_opener(_NoRedirects).open(request, timeout=timeout) as answer:
        content = json.loads(read_bounded(answer.read1, largest=ANSWER_LIMIT, longest=timeout))
    if not isinstance(content, dict) or not isinstance(content.get("data") or {}, dict):
        raise ValueError("another kind of server")
    return content
