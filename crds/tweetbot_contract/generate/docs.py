"""Render docs/api-reference.md from the types and docs/troubleshooting.md from the table of reasons."""

import json
from collections.abc import Iterator
from typing import Any

from tweetbot_contract.generate.class_crd import build_class_schema
from tweetbot_contract.generate.crd import build_root_schema
from tweetbot_contract.handover import GROUP, VERSION
from tweetbot_contract.identity import CLASSES
from tweetbot_contract.reasons import ALL, Actor, Reason
from tweetbot_contract.reasons.known_cause import FOREIGN, KnownCause
from tweetbot_contract.reasons.known_causes import KNOWN_CAUSES

_NOTE = "<!-- Generated from crds/tweetbot_contract by `make generate`: edit the types, not this file. -->\n"
_AUDIENCE: dict[Actor, str] = {
    "Nobody": "",
    "Author": "*For the author of the manifest.* ",
    "Platform": "*For the platform team.* ",
}


def render_api_reference() -> str:
    """Return the reference of every field of spec and status, as Markdown."""
    root = build_root_schema()
    schema = root["properties"]
    parts = [
        f"{_NOTE}# API reference: `{GROUP}/{VERSION}`\n",
        "`kubectl explain tweetbot.spec --recursive` shows the same in a terminal. A field is optional unless it is "
        "marked required. The fields of a TweetBot come first, then those of a [TweetBotClass](#tweetbotclass).\n",
        f"## spec\n\n{_render_table(schema['spec'])}\n{_render_rules(root)}",
        f"## What an edit does\n\n{_render_edits()}",
        f"## status\n\nOnly the operator writes the status.\n\n{_render_table(schema['status'])}",
        _render_class(build_class_schema()["properties"]["spec"]),
    ]
    return "\n".join(parts)


def _render_class(spec: dict[str, Any]) -> str:
    """Render the spec of a TweetBotClass; its defaults have the fields of a TweetBot's spec, which stand above."""
    fields = spec["properties"]
    parts = list(fields["defaults"].pop("properties"))
    return (
        "## TweetBotClass\n\n[Classes](classes.md) says how a platform uses it. The fields of its spec:\n\n"
        f"{_render_table(spec)}\n`defaults` has these parts of [a TweetBot's spec](#spec), with the same fields: "
        f"{', '.join(f'`{name}`' for name in parts)}.\n\n{_render_rules(spec)}"
    )


def _render_table(schema: dict[str, Any]) -> str:
    lines = "".join(f"| `{path}` | {kind} | {text} |\n" for path, kind, text in _list_fields(schema, ""))
    return f"| field | form | meaning |\n| --- | --- | --- |\n{lines}"


def _list_fields(schema: dict[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        here = f"{path}{name}"
        text = _escape_cell(field.get("description", "")) + _describe_constraints(field, name in required)
        yield here, _describe_type(field), text
        inner = field.get("items", field)
        yield from _list_fields(inner, f"{here}[]." if "items" in field else f"{here}.")


def _describe_type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return " \\| ".join(f"`{choice}`" for choice in field["enum"])
    if "items" in field:
        return f"list of {field['items']['type']}"
    return "map" if "additionalProperties" in field else str(field.get("type", "quantity"))


def _describe_constraints(field: dict[str, Any], required: bool) -> str:
    default, low, high = (field.get(key) for key in ("default", "minimum", "maximum"))
    facts = [
        "**Required.**" if required else "",
        f"Default `{json.dumps(default)}`." if default not in (None, []) and not isinstance(default, dict) else "",
        f"{low} to {high}." if low is not None and high is not None else "",
    ]
    return "".join(f" {fact}" for fact in facts if fact)


def _escape_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _render_rules(schema: dict[str, Any]) -> str:
    rules = "".join(
        f"- `{path.lstrip('.')}`: {_escape_cell(message)}\n" for path, message in _list_messages(schema, "")
    )
    return f"### Rules\n\nA manifest that breaks a rule is rejected with the field's path and this message.\n\n{rules}"


def _list_messages(schema: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for rule in schema.get("x-kubernetes-validations", ()):
        yield path + rule.get("fieldPath", ""), rule["message"]
    for name, field in schema.get("properties", {}).items():
        yield from _list_messages(field.get("items", field), f"{path}.{name}{'[]' if 'items' in field else ''}")


def _render_edits() -> str:
    meaning = {
        "IDENTITY": "starts a new run",
        "EXECUTION": "recreates the Job of an unfinished or failed run, under the same run id",
        "LIFECYCLE": "starts no run",
    }
    lines = "".join(f"| `{path}` | {meaning[class_]} |\n" for path, class_ in CLASSES.items())
    return f"The longest matching prefix decides.\n\n| fields below | an edit |\n| --- | --- |\n{lines}"


def render_troubleshooting() -> str:
    """Return every reason with its meaning and advice, as Markdown."""
    head = (
        f"{_NOTE}# Troubleshooting by reason\n\n"
        "`kubectl get tb` shows the reason, `kubectl get tb -o wide` also how the message begins, "
        "and `kubectl describe tb NAME` all conditions and Events.\n\n"
        "A message names the field that caused it, where its words are known: they are listed below with their reason, "
        "{name} standing for a name. Where no field of the TweetBot is the cause, a TweetBotClass, a policy or a "
        "webhook has changed Job or Pod: have that corrected, then set the annotation tweetbot.dev/retrain-at.\n"
    )
    return head + "".join(_render_section(reason) for reason in sorted(ALL, key=lambda reason: reason.name))


def _render_section(reason: Reason) -> str:
    known = "".join(f"| {_render_sentences(cause)} | {_render_advice(cause)} |\n" for cause in _list_causes(reason))
    table = f"\n| the message says | what to do |\n| --- | --- |\n{known}" if known else ""
    return f"\n## {reason.name}\n\n{reason.meaning}\n\n{_AUDIENCE[reason.actor]}{reason.advice}\n{table}"


def _list_causes(reason: Reason) -> list[KnownCause]:
    return [cause for cause in KNOWN_CAUSES if reason in cause.reasons]


def _render_sentences(cause: KnownCause) -> str:
    said = ", ".join(f"`{part.strip()}`" for part in cause.says).replace("{{", "{").replace("}}", "}")
    return _escape_cell(f"{said} ({cause.stage.lower()} stage)" if cause.stage else said)


def _render_advice(cause: KnownCause) -> str:
    advice = cause.advice.replace("{fields}", " or ".join(cause.fields))
    if cause.otherwise not in ("", FOREIGN):  # the page's head says that once
        advice += f" Otherwise: {cause.otherwise[0].lower()}{cause.otherwise[1:]}"
    return _escape_cell(advice)
