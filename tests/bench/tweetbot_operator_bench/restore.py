"""TweetBots whose run ended long ago: created with the status of one that ran here, with their own ids.

Ten thousand runs would take most of an hour on two cores, and leave the same fleet at rest.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from tweetbot_contract.handover import GROUP, KIND, PLURAL, VERSION
from tweetbot_contract.identity import compute_run_id, hash_identity
from tweetbot_contract.manifest import read_spec
from tweetbot_operator.client.cluster import FIELD_MANAGER
from tweetbot_operator_bench import fleet
from tweetbot_operator_bench.api import Api, Manifest

_AT_ONCE = 16
_PATH = f"/apis/{GROUP}/{VERSION}/namespaces/{fleet.NAMESPACE}/{PLURAL}"


async def restore_bots(api: Api, names: Sequence[str], example: str) -> None:
    """Create TweetBots whose run ended like that of `example`; the operator must not run meanwhile."""
    original, gate = await api.requests.get(f"{_PATH}/{example}"), asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> None:
        async with gate:
            made = await api.requests.post(_PATH, fleet.build_bot(name))
            metadata = {"name": name, "namespace": fleet.NAMESPACE}
            body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": KIND, "metadata": metadata}
            status = copy_status(original, made)
            await api.requests.apply(f"{_PATH}/{name}/status", {**body, "status": status}, FIELD_MANAGER)

    await asyncio.gather(*(one(name) for name in names))


def copy_status(original: Manifest, other: Manifest) -> dict[str, Any]:
    """Copy a TweetBot's status, with another one's name, uid and hashes."""
    text = json.dumps(original["status"])
    for mine, theirs in zip(_collect_names(original), _collect_names(other), strict=True):
        text = text.replace(mine, theirs)
    return dict(json.loads(text))


def _collect_names(manifest: Manifest) -> tuple[str, ...]:
    spec, metadata = read_spec(manifest["spec"]), manifest["metadata"]
    run = compute_run_id(spec)
    return (run, run[:8], hash_identity(spec), metadata["uid"], metadata["name"])
