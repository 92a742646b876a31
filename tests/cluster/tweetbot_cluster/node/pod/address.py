"""A Pod's own address: processes of one machine share the loopback, which has sixteen million of them."""

from __future__ import annotations

import hashlib
from typing import Any

NODE_IP = "127.0.0.1"


def get_pod_ip(pod: dict[str, Any]) -> str:
    """Return the Pod's address in 127.0.0.0/8, by its uid: the same after an agent's restart, another in each cluster.

    The second number is 1 to 254, so that neither the node's address nor a local resolver's is met.
    """
    if pod["spec"].get("hostNetwork"):
        return NODE_IP
    second, third, fourth = hashlib.sha256(pod["metadata"]["uid"].encode()).digest()[:3]
    return f"127.{1 + second % 254}.{third}.{1 + fourth % 254}"
