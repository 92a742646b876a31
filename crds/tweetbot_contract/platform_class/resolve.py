"""What a class gives to a TweetBot's spec: each field that its author left out.

Maps are merged field by field. A part in ATOMIC is taken whole, from the author if it is there at all: its fields
depend on each other, or its keys are the author's own. Lists are taken whole, too.
"""

from typing import Any

from tweetbot_contract.spec.spec import TweetBotSpec

#: Parts of the spec that a class may give; the others are the author's alone.
DEFAULTABLE = frozenset(str(field.alias) for field in TweetBotSpec.model_fields.values()) - {
    "subject", "sources", "className", "suspend", "pin",
}  # fmt: skip
_PLACEMENT = ("nodeSelector", "affinity")
ATOMIC = frozenset([
    "filter", "model", "training", "schedule", "caBundle", "output.s3.credentialsSecret", "tracking.wandb.apiKeySecret",
    "output.huggingFace.tokenSecret",
    *(f"scheduling.{field}" for field in _PLACEMENT), *(f"scheduling.prepare.{field}" for field in _PLACEMENT),
])  # fmt: skip


def apply_defaults(written: dict[str, Any], defaults: dict[str, Any], *, namespace: str, name: str) -> dict[str, Any]:
    """Return the spec as its author wrote it, with what the class gives where it has nothing.

    {namespace} and {name} in a class's texts are those of the TweetBot.
    """
    given = {part: value for part, value in defaults.items() if part in DEFAULTABLE}
    filled = _fill_in(given, {"{namespace}": namespace, "{name}": name})
    return _merge(written, filled if _names_repository(written, filled) else _drop_hub(filled), "")


def _names_repository(written: dict[str, Any], given: dict[str, Any]) -> bool:
    """Whether a copy on the Hub is asked for: a class that gives no repository says how for those who name one."""
    own, default = (_get_hub(part) for part in (written, given))
    return own is not None or "repo" in (default or {})


def _get_hub(spec: dict[str, Any]) -> dict[str, Any] | None:
    output = spec.get("output")
    return output.get("huggingFace") if isinstance(output, dict) else None


def _drop_hub(given: dict[str, Any]) -> dict[str, Any]:
    output = given.get("output") or {}
    return (
        {**given, "output": {name: value for name, value in output.items() if name != "huggingFace"}}
        if output
        else given
    )


def _merge(written: dict[str, Any], given: dict[str, Any], path: str) -> dict[str, Any]:
    merged = {**given, **written}
    for key in written.keys() & given.keys():
        here, own, default = f"{path}.{key}".lstrip("."), written[key], given[key]
        if isinstance(own, dict) and isinstance(default, dict) and here not in ATOMIC:
            merged[key] = _merge(own, default, here)
    return merged


def _fill_in(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _fill_in(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill_in(inner, names) for inner in value]
    if isinstance(value, str):
        for placeholder, name in names.items():
            value = value.replace(placeholder, name)
    return value
