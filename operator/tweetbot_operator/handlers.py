"""kopf's decorators and nothing else: what a watch shows goes to the intake."""

from collections.abc import Mapping
from typing import Any

import kopf

from tweetbot_contract.handover import GROUP, PLURAL, VERSION
from tweetbot_operator.cluster import Kind
from tweetbot_operator.intake import Intake
from tweetbot_operator.manifest_to_view import bot_of, job_of, pod_of


def register(registry: kopf.OperatorRegistry, intake: Intake) -> None:
    """Watch TweetBots, Jobs and Pods. Only `on.event`: every other decorator makes kopf write to the objects."""
    views: dict[Kind, Any] = {"tweetbots": bot_of, "jobs": job_of, "pods": pod_of}

    def take(kind: Kind, event: Mapping[str, Any]) -> None:
        item = views[kind](event["object"])
        intake.see(kind, item)
        if event["type"] == "DELETED":
            intake.bury(kind, item.uid, int(item.resource_version))
        else:
            intake.put(item)

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def on_bot(event: Mapping[str, Any], **_: Any) -> None:
        take("tweetbots", event)

    @kopf.on.event("batch", "v1", "jobs", registry=registry)
    async def on_job(event: Mapping[str, Any], **_: Any) -> None:
        take("jobs", event)

    @kopf.on.event("", "v1", "pods", registry=registry)
    async def on_pod(event: Mapping[str, Any], **_: Any) -> None:
        take("pods", event)
