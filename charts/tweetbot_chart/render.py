"""Render values.yaml, values.schema.json and the README's table of values from the types."""

import json
import textwrap
from collections.abc import Iterator
from typing import Annotated, Any, get_args

import yaml
from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from tweetbot_chart.settings_values import build_settings_type
from tweetbot_chart.values import ChartValues
from tweetbot_contract.spec.parts import Part

NOTE = "Generated from charts/tweetbot_chart by `make generate`: edit the types, not this file."
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def build_values_type() -> type[Part]:
    """Return the type of all values: those of the chart and the operator's settings."""
    settings = build_settings_type()
    text = "The operator's settings. Each becomes the environment variable TWEETBOT_<NAME>; see docs/operations.md."
    entry: Any = (Annotated[settings, Field(description=text)], settings())
    return create_model("Values", __base__=ChartValues, settings=entry)


def render_schema() -> str:
    """Return values.schema.json, which rejects unknown keys."""
    schema = _name_keys(build_values_type().model_json_schema(by_alias=True))
    document = {"$schema": _DRAFT, "$comment": NOTE, **schema}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _name_keys(schema: Any) -> Any:
    """Write the form of a map's keys so that helm names a wrong one by its path: for propertyNames it names another."""
    if isinstance(schema, list):
        return [_name_keys(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _name_keys(each) for name, each in schema.items()}
    if keys := found.pop("propertyNames", None):
        found["patternProperties"] = {keys["if"]["pattern"]: found["additionalProperties"]}
        found["additionalProperties"] = {"const": f"under {keys['else']['const']}"}
    return found


def render_values_yaml() -> str:
    """Return values.yaml: every value with its default, below its description."""
    return f"# {NOTE}\n" + "\n".join(_render_lines(build_values_type()(), "")) + "\n"


def _render_lines(part: Part, indent: str) -> Iterator[str]:
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        yield from _wrap_comment(_get_description(field), indent)
        if isinstance(value, Part):
            yield f"{indent}{get_yaml_key(name, field)}:"
            yield from _render_lines(value, indent + "  ")
        else:
            yield f"{indent}{get_yaml_key(name, field)}: {_dump_inline(part, name, field)}"


def _get_description(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())


def _wrap_comment(text: str, indent: str) -> list[str]:
    return [f"{indent}# {line}" for line in textwrap.wrap(text, 116 - len(indent), break_long_words=False)]


def _dump_inline(part: Part, name: str, field: FieldInfo) -> str:
    """Return a value as YAML on one line."""
    value = part.model_dump(mode="json", by_alias=True, include={name})[get_yaml_key(name, field)]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False)
    return text.removesuffix("...\n").strip()


def get_yaml_key(name: str, field: FieldInfo) -> str:
    """Return the key of a value in values.yaml."""
    return field.alias or name


def render_table() -> str:
    """Return a Markdown table of all values with default and description, and one of a tenant's values."""
    values = build_values_type()
    lines = [f"| `{path}` | {default} | {text} |" for path, default, text in _list_values(values(), "")]
    head = "| value | default | description |\n| --- | --- | --- |\n"
    tenant = next(kind for kind in get_args(ChartValues.model_fields["tenants"].annotation))
    return head + "\n".join(lines) + "\n\n### A tenant\n\n" + head + "\n".join(_render_tenant_lines(tenant)) + "\n"


def _list_values(part: Part, path: str) -> Iterator[tuple[str, str, str]]:
    for name, field in type(part).model_fields.items():
        value, here = getattr(part, name), path + get_yaml_key(name, field)
        if isinstance(value, Part):
            yield from _list_values(value, here + ".")
        else:
            yield here, f"`{_dump_inline(part, name, field)}`", _escape_cell(_get_description(field))


def _render_tenant_lines(tenant: type[Part]) -> Iterator[str]:
    """Render a tenant's values; its namespace has no default, so an example stands in."""
    for path, default, text in _list_values(tenant(namespace="team-a"), ""):  # type: ignore[call-arg]
        yield f"| `tenants[].{path}` | {'**required**' if path == 'namespace' else default} | {text} |"


def _escape_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
