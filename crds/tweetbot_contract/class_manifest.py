"""Parsing of a whole TweetBotClass, as the API server has it."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from tweetbot_contract.handover import DEFAULT_CLASS_ANNOTATION
from tweetbot_contract.manifest import InvalidManifest, read_spec
from tweetbot_contract.platform_class.class_spec import TweetBotClassSpec
from tweetbot_contract.platform_class.resolve import apply_defaults

_SAMPLE: dict[str, Any] = {
    "subject": {"handle": "sample", "relation": "Self"},
    "sources": [{"posts": {"uri": "s3://sample/posts.jsonl"}}],
}
_SAMPLE_OUTPUT = {"output": {"s3": {"uri": "s3://sample"}}}


@dataclass(frozen=True, slots=True)
class TweetBotClass:
    """A TweetBotClass, or why it cannot be used."""

    name: str
    uid: str
    generation: int
    created_at: str
    is_default: bool
    spec: TweetBotClassSpec
    error: str = ""
    """What is wrong with its spec, with the field's path; then `spec` is empty."""


def parse_class(manifest: dict[str, Any]) -> TweetBotClass:
    """Parse a TweetBotClass. One that is invalid is returned with its error, as TweetBots may name it."""
    metadata = manifest["metadata"]
    error = ""
    try:
        spec = read_class_spec(manifest.get("spec") or {})
    except InvalidManifest as fault:
        spec, error = TweetBotClassSpec(), str(fault)
    return TweetBotClass(
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        generation=int(metadata.get("generation", 0)),
        created_at=metadata.get("creationTimestamp") or "",
        is_default=(metadata.get("annotations") or {}).get(DEFAULT_CLASS_ANNOTATION) == "true",
        spec=spec,
        error=error,
    )


def choose_class(name: str, classes: tuple[TweetBotClass, ...]) -> TweetBotClass | None:
    """Return the class of this name; without a name the default class, of several the newest."""
    if name:
        return next((each for each in classes if each.name == name), None)
    defaults = [each for each in classes if each.is_default]
    return max(defaults, key=lambda each: (each.created_at, each.name), default=None)


def read_class_spec(raw: dict[str, Any]) -> TweetBotClassSpec:
    """Parse a class's spec, and try its defaults on a sample TweetBot. Raises InvalidManifest with the field's path."""
    try:
        spec = TweetBotClassSpec.model_validate(raw, extra="ignore")
    except ValidationError as error:
        first = error.errors()[0]
        rule_field = first.get("ctx", {}).get("field")
        path = ".".join(str(step) for step in ("spec", *first["loc"], *([rule_field] if rule_field else [])))
        raise InvalidManifest(f"{path}: {first['msg']}") from None
    given = apply_defaults(_SAMPLE, spec.defaults, namespace="sample", name="sample")
    try:
        read_spec(apply_defaults(given, _SAMPLE_OUTPUT, namespace="sample", name="sample"))
    except InvalidManifest as fault:
        raise InvalidManifest(str(fault).replace("spec.", "spec.defaults.", 1)) from None
    _check_time_zone(spec)
    return spec


def _check_time_zone(spec: TweetBotClassSpec) -> None:
    hours = spec.limits.schedule_hours
    try:
        ZoneInfo(hours.time_zone if hours else "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidManifest(
            "spec.limits.scheduleHours.timeZone: write a name of the time zone database such as Europe/Berlin"
        ) from None
