"""Parsing of a whole TweetBot manifest, from a file or from the API server."""

import json
import re
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Literal

from pydantic import ValidationError
from pydantic_core import to_json

from tweetbot_contract.handover import (
    FORCE_ANNOTATION,
    FORCE_TRIGGER,
    FORGET_ANNOTATION,
    GROUP,
    KIND,
    NAME_LIMIT,
    RETRAIN_ANNOTATION,
    TAKE_OVER_ANNOTATION,
    TAKE_OVER_TRIGGER,
    VERSION,
)
from tweetbot_contract.identity import dump_canonical
from tweetbot_contract.platform_class.resolve import apply_defaults
from tweetbot_contract.platform_class.run_class import RunClass
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_contract.status import TweetBotStatus

_NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
_NO_OUTPUT = "write where the model goes, as output.s3.uri, or name a TweetBotClass that says so in className"


class InvalidManifest(Exception):
    """The manifest is invalid; the message names the field's path and says what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseTweetBot:
    """The metadata of a TweetBot that we read, and its status."""

    namespace: str
    name: str
    uid: str
    generation: int
    resource_version: str
    status: TweetBotStatus
    written: str = field(default="", compare=False)
    """The spec as its author wrote it, in canonical JSON: without what a class gives."""
    class_name: str = ""
    """The class that the spec names."""
    retrain_at: str = ""
    force_at: str = ""
    take_over: str = ""
    forget_at: str = ""
    deleting: bool = False
    deleted_at: str = ""
    finalizers: tuple[str, ...] = ()

    @property
    def retrain_trigger(self) -> str:
        """What the annotations ask for, as a run's trigger; empty without them. Forced only if both have one value."""
        forced = self.retrain_at and self.force_at == self.retrain_at
        return f"{FORCE_TRIGGER}{self.retrain_at}"[:64] if forced else self.retrain_at


@dataclass(frozen=True, slots=True, kw_only=True)
class TweetBot(BaseTweetBot):
    """A TweetBot with a valid spec."""

    spec: TweetBotSpec
    """The spec, with what `run_class` gives."""
    run_class: RunClass | None = None
    """The class that the run has, or is to have."""

    @property
    def class_pods(self) -> dict[str, Any]:
        """What the class gives to Pods, as in its manifest; nothing without a class."""
        return self.run_class.pods if self.run_class else {}


def read_spec(raw: dict[str, Any], unknown: Literal["forbid", "ignore"] = "forbid") -> TweetBotSpec:
    """Parse a spec; `unknown` says whether to reject or ignore fields that no type knows, at any depth.

    Reject them in a manifest that a person wrote. Ignore them in one from an API server, which prunes fields that its
    schema does not know: those left belong to a newer version of the CRD. Raises InvalidManifest.
    """
    try:
        return TweetBotSpec.model_validate(raw, extra=unknown)
    except ValidationError as error:
        first = error.errors()[0]
        rule_field = first.get("ctx", {}).get("field")
        path = ".".join(str(step) for step in ("spec", *first["loc"], *([rule_field] if rule_field else [])))
        said = _NO_OUTPUT if path == "spec.output" and first["type"] == "missing" else first["msg"]
        raise InvalidManifest(f"{path}: {said.removeprefix('Value error, ')}") from None


def parse(manifest: dict[str, Any], *, stored: bool = False) -> TweetBot:
    """Parse a manifest. Unknown fields are dropped from its status and rejected in its spec. Raises InvalidManifest.

    One that is `stored` is the API server's: unknown fields of its spec are ignored, and what was parsed is kept.
    """
    _require_kind(manifest)
    name = str((manifest.get("metadata") or {}).get("name", ""))
    if not _NAME.match(name) or len(name) > NAME_LIMIT:
        raise InvalidManifest(f"metadata.name: write at most {NAME_LIMIT} lower-case letters, digits or hyphens")
    metadata = parse_metadata(manifest)
    run = metadata["status"].current_run
    return _build_bot(metadata, run.run_class if run else None, stored=stored)


def apply_class(bot: BaseTweetBot, run_class: RunClass | None) -> TweetBot:
    """Return the TweetBot with what a class gives where its author left something out. Raises InvalidManifest."""
    return _build_bot({each.name: getattr(bot, each.name) for each in fields(BaseTweetBot)}, run_class, stored=True)


def _build_bot(metadata: dict[str, Any], run_class: RunClass | None, *, stored: bool) -> TweetBot:
    given = run_class.spec.get("defaults") if run_class else None
    names = (metadata["namespace"], metadata["name"]) if given else ("", "")
    merged = (metadata["written"], to_json(given) if given else b"", *names)
    spec = _read_stored_spec(*merged) if stored else read_spec(_merge_defaults(*merged))
    return TweetBot(spec=spec, run_class=run_class, **metadata)


@lru_cache(maxsize=128)  # some 10 KiB each: a spec stays the same through many changes of the status
def _read_stored_spec(written: str, given: bytes, namespace: str, name: str) -> TweetBotSpec:
    return read_spec(_merge_defaults(written, given, namespace, name), unknown="ignore")


def _merge_defaults(written: str, given: bytes, namespace: str, name: str) -> dict[str, Any]:
    """Return a spec with what a class gives; both are JSON."""
    spec: dict[str, Any] = json.loads(written)
    return apply_defaults(spec, json.loads(given), namespace=namespace, name=name) if given else spec


def parse_metadata(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a BaseTweetBot. A status that does not parse was not written by us and counts as empty."""
    metadata = manifest.get("metadata") or {}
    annotations, spec = metadata.get("annotations") or {}, manifest.get("spec") or {}
    try:
        status = TweetBotStatus.model_validate(manifest.get("status") or {}, extra="ignore")
    except ValidationError:
        status = TweetBotStatus()
    return {
        "namespace": metadata.get("namespace", "default"),
        "name": str(metadata.get("name", "")),
        "uid": metadata.get("uid", ""),
        "generation": int(metadata.get("generation", 0)),
        "resource_version": metadata.get("resourceVersion", ""),
        "status": status,
        "written": dump_canonical(spec),
        "class_name": str(spec.get("className") or ""),
        "retrain_at": annotations.get(RETRAIN_ANNOTATION, "")[:64],
        "force_at": annotations.get(FORCE_ANNOTATION, "")[:64],
        "forget_at": annotations.get(FORGET_ANNOTATION, "")[:64],
        "take_over": annotations.get(TAKE_OVER_ANNOTATION, "")[: 64 - len(TAKE_OVER_TRIGGER)],
        "deleting": "deletionTimestamp" in metadata,
        "deleted_at": metadata.get("deletionTimestamp", ""),
        "finalizers": tuple(metadata.get("finalizers") or ()),
    }


def _require_kind(manifest: dict[str, Any]) -> None:
    expected = {"apiVersion": f"{GROUP}/{VERSION}", "kind": KIND}
    for name, value in expected.items():
        if manifest.get(name) != value:
            raise InvalidManifest(f"{name}: write {value}")
