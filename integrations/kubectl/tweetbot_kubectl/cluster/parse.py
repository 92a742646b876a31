"""JSON of the API server → frozen views. What a server leaves out has its empty value."""

from datetime import UTC, datetime
from typing import Any

from tweetbot_contract.handover import RUN_LABEL, STAGE_LABEL, find_task
from tweetbot_contract.manifest import BaseTweetBot, InvalidManifest, parse, parse_metadata
from tweetbot_kubectl.cluster.objects import EventView, JobView, PodView
from tweetbot_kubectl.cluster.requests import Document

#: The container of a trainer's Pod; meshes add others.
CONTAINER = "trainer"


def parse_time(text: str | None) -> datetime:
    """Parse a time in RFC 3339, with or without fractions of a second; the epoch if there is none."""
    if not text:
        return datetime.fromtimestamp(0, UTC)
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def parse_bot(document: Document) -> BaseTweetBot:
    """Return a TweetBot, with its spec if that is valid."""
    try:
        return parse(document, stored=True)
    except InvalidManifest:
        return parse_summary(document)


def parse_summary(document: Document) -> BaseTweetBot:
    """Return a TweetBot without its spec, which lists do not need."""
    return BaseTweetBot(**parse_metadata(document))


def parse_job(document: Document) -> JobView:
    """Return a Job."""
    metadata, status = document["metadata"], document.get("status") or {}
    ended: Document = next(
        (each for each in status.get("conditions") or () if each["status"] == "True" and _is_end(each)), {}
    )
    return JobView(
        name=metadata["name"],
        run_id=_get_label(metadata, RUN_LABEL),
        stage=_name_task(metadata["name"], _get_label(metadata, STAGE_LABEL)),
        state=ended.get("type") or _describe_job(document["spec"], status),
        created_at=parse_time(metadata.get("creationTimestamp")),
        reason=ended.get("reason", ""),
        message=ended.get("message", ""),
    )


def _is_end(condition: dict[str, Any]) -> bool:
    return condition["type"] in ("Complete", "Failed")


def _describe_job(spec: Document, status: Document) -> str:
    if spec.get("suspend"):
        return "Suspended"
    return "Running" if status.get("active") else "Waiting"


def _name_task(job: str, stage: str) -> str:
    return find_task(job) or stage


def parse_pod(document: Document) -> PodView:
    """Return a Pod, as its trainer's container is."""
    metadata, spec, status = document["metadata"], document["spec"], document.get("status") or {}
    owners = metadata.get("ownerReferences") or ()
    state = _get_state(status)
    waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
    return PodView(
        name=metadata["name"],
        job=next((owner["name"] for owner in owners if owner["kind"] == "Job"), ""),
        run_id=_get_label(metadata, RUN_LABEL),
        stage=_get_label(metadata, STAGE_LABEL),
        phase="Terminating" if "deletionTimestamp" in metadata else status.get("phase", "Pending"),
        created_at=parse_time(metadata.get("creationTimestamp")),
        node=spec.get("nodeName", ""),
        reason=status.get("reason") or waiting.get("reason") or ended.get("reason") or _find_scheduling(status),
        exit_code=ended.get("exitCode"),
        started=not {"running", "terminated"}.isdisjoint(state),
    )


def _get_state(status: Document) -> Document:
    containers = status.get("containerStatuses") or ()
    found: Document = next((each for each in containers if each["name"] == CONTAINER), {})
    state: Document = found.get("state") or {}
    return state


def _find_scheduling(status: Document) -> str:
    conditions = status.get("conditions") or ()
    return next((str(each.get("reason", "")) for each in conditions if _is_unscheduled(each)), "")


def _is_unscheduled(condition: dict[str, Any]) -> bool:
    return bool(condition["type"] == "PodScheduled" and condition["status"] == "False")


def parse_event(document: Document) -> EventView:
    """Return an Event of either form: with a count, or with a series."""
    series, about = document.get("series") or {}, document["involvedObject"]
    times = (series.get("lastObservedTime"), document.get("lastTimestamp"), document.get("eventTime"))
    at = next(filter(None, times), document["metadata"].get("creationTimestamp"))
    return EventView(
        at=parse_time(at),
        kind=about.get("kind", ""),
        name=about.get("name", ""),
        type=document.get("type", "Normal"),
        reason=document.get("reason", ""),
        message=document.get("message", ""),
        count=int(series.get("count") or document.get("count") or 1),
    )


def _get_label(metadata: Document, label: str) -> str:
    labels: dict[str, str] = metadata.get("labels") or {}
    return labels.get(label, "")
