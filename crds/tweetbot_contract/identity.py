"""Which edits of a spec start a new run, which only change how it is executed, and which do neither.

A run's id is a hash of the IDENTITY fields in canonical form. That form leaves out values equal to their default, so a
field added later changes no existing id, and an upgrade of the operator retrains no fleet. For the same reason a
default never changes within an API version. Amounts count as such, however they are written: 98304Ki is 96Mi.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from tweetbot_contract.spec.quantities import canonicalize_cpu, canonicalize_memory
from tweetbot_contract.spec.spec import TweetBotSpec

Class = Literal["IDENTITY", "EXECUTION", "LIFECYCLE"]

#: The class of each leaf of the spec, by longest matching prefix; a test walks all leaves.
CLASSES: dict[str, Class] = {
    "sources": "IDENTITY",
    "sources.x.tokenSecret": "EXECUTION",
    "filter": "IDENTITY",
    "model": "IDENTITY",
    "model.tokenSecret": "EXECUTION",
    "training": "IDENTITY",
    "output.s3.uri": "IDENTITY",
    "output.s3": "EXECUTION",
    "output.huggingFace": "EXECUTION",
    "evaluation": "EXECUTION",
    "tracking": "EXECUTION",
    "resources": "EXECUTION",
    "scheduling": "EXECUTION",
    "serviceAccountName": "EXECUTION",
    "caBundle": "EXECUTION",
    "run": "EXECUTION",
    "suspend": "LIFECYCLE",
    "pin": "LIFECYCLE",
    "schedule": "LIFECYCLE",
    "history": "LIFECYCLE",
    "deletionPolicy": "LIFECYCLE",
    "subject": "LIFECYCLE",
    "className": "LIFECYCLE",
}


def get_field_class(path: str) -> Class:
    """Return the class of a leaf such as `output.s3.uri`, without list indices. KeyError for an unknown leaf."""
    steps = path.split(".")
    prefixes = (".".join(steps[:length]) for length in range(len(steps), 0, -1))
    return CLASSES[next((prefix for prefix in prefixes if prefix in CLASSES), path)]


def hash_identity(spec: TweetBotSpec) -> str:
    """Hash the fields that decide what is trained; 16 hex digits."""
    return _hash_text(_canonicalize(_SpecKey(spec)).identity)


def hash_execution(spec: TweetBotSpec, pods: dict[str, Any] | None = None) -> str:
    """Hash the fields that decide how the run is executed, and what a class gives to its `pods`; 16 hex digits."""
    execution = _canonicalize(_SpecKey(spec)).execution
    return _hash_text(execution + dump_canonical(pods) if pods else execution)


def has_execution(spec: TweetBotSpec, execution: str, pods: dict[str, Any] | None = None) -> bool:
    """Tell whether a run with this execution does what the spec says.

    Version 0.1 hashed amounts as they were written; a run that it began goes on under the hash that it recorded.
    """
    if execution == hash_execution(spec, pods):
        return True
    return execution == _hash_text(_canonicalize(_SpecKey(spec)).execution_as_written)


def compute_run_id(spec: TweetBotSpec, trigger: str = "") -> str:
    """Return the id of the run that a spec asks for; another `trigger` makes another run of the same spec."""
    return _hash_text(f'{{"identity":{_canonicalize(_SpecKey(spec)).identity},"trigger":{dump_canonical(trigger)}}}')


class _SpecKey:
    """A spec as a cache key, compared by object identity; specs are frozen, so cached results stay valid."""

    def __init__(self, spec: TweetBotSpec) -> None:
        self.spec = spec

    def __hash__(self) -> int:
        return id(self.spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SpecKey) and other.spec is self.spec


@dataclass(frozen=True, slots=True)
class _CanonicalSpec:
    """The IDENTITY and EXECUTION fields of a spec in canonical JSON."""

    identity: str
    execution: str
    execution_as_written: str


@lru_cache(maxsize=128)  # a reconcile asks several times; without the cache this took a third of its time
def _canonicalize(key: _SpecKey) -> _CanonicalSpec:
    spec = _canonicalize_amounts(key.spec)
    fields = _dump_fields(spec)
    execution = dump_canonical(_prune(fields, "EXECUTION", ""))
    written = execution if spec is key.spec else dump_canonical(_prune(_dump_fields(key.spec), "EXECUTION", ""))
    return _CanonicalSpec(dump_canonical(_prune(fields, "IDENTITY", "")), execution, written)


def _canonicalize_amounts(spec: TweetBotSpec) -> TweetBotSpec:
    """Return the spec itself if its amounts are in canonical form."""
    written = spec.resources
    amounts = {"cpu": canonicalize_cpu(written.cpu), "memory": canonicalize_memory(written.memory)}
    if amounts == {"cpu": written.cpu, "memory": written.memory}:
        return spec
    return spec.model_copy(update={"resources": written.model_copy(update=amounts)})


def _dump_fields(spec: TweetBotSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _prune(value: Any, wanted: Class, path: str) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_prune(item, wanted, path) or {} for item in value]
    if isinstance(value, dict) and value and not path.endswith(".nodeSelector"):  # its keys are the user's, not fields
        inner = {key: _prune(item, wanted, f"{path}.{key}".lstrip(".")) for key, item in value.items()}
        return {key: item for key, item in inner.items() if item is not None} or None
    return value if get_field_class(path) == wanted else None


def dump_canonical(value: Any) -> str:
    """Return a part of a manifest as canonical JSON, by which it is compared and cached."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _hash_text(canonical: str) -> str:
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
