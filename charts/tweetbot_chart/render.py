"""The types become values.yaml, values.schema.json and the chart's table of values."""

import json
import textwrap
from collections.abc import Iterator
from typing import Annotated, Any, get_args

import yaml
from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from tweetbot_chart.settings_values import settings_values
from tweetbot_chart.values import ChartValues
from tweetbot_contract.spec.parts import Part

NOTE = "Generated from charts/tweetbot_chart by `make generate`: edit the types, not this file."
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def all_values() -> type[Part]:
    """Return the type of everything that may be set."""
    settings = settings_values()
    said = "The operator's settings; each becomes an environment variable, TWEETBOT_ and the name (docs/operations.md)."
    entry: Any = (Annotated[settings, Field(description=said)], settings())
    return create_model("Values", __base__=ChartValues, settings=entry)


def schema() -> str:
    """Return values.schema.json: unknown keys are refused."""
    document = {"$schema": _DRAFT, "$comment": NOTE, **all_values().model_json_schema(by_alias=True)}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def values_yaml() -> str:
    """Return values.yaml: every value with its default, below what it means."""
    return f"# {NOTE}\n" + "\n".join(_lines(all_values()(), "")) + "\n"


def _lines(part: Part, indent: str) -> Iterator[str]:
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        yield from _comment(field.description or "", indent)
        if isinstance(value, Part):
            yield f"{indent}{key_of(name, field)}:"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{key_of(name, field)}: {_flow(part, name, field)}"


def _comment(text: str, indent: str) -> list[str]:

    return [f"{indent}# {line}" for line in textwrap.wrap(text, 116 - len(indent), break_long_words=False)]


def _flow(part: Part, name: str, field: FieldInfo) -> str:
    """Return a value on one line, as YAML."""
    value = part.model_dump(mode="json", by_alias=True, include={name})[key_of(name, field)]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False)
    return text.removesuffix("...\n").strip()


def key_of(name: str, field: FieldInfo) -> str:
    """Return a value's name in YAML."""
    return field.alias or name


def table() -> str:
    """Return every value with its default and meaning, as Markdown; what is in a tenant comes after."""
    values = all_values()
    rows = [f"| `{path}` | {default} | {text} |" for path, default, text in _rows(values(), "")]
    head = "| value | default | meaning |\n| --- | --- | --- |\n"
    tenant = next(kind for kind in get_args(ChartValues.model_fields["tenants"].annotation))
    return head + "\n".join(rows) + "\n\n### A tenant\n\n" + head + "\n".join(_tenant_rows(tenant)) + "\n"


def _rows(part: Part, path: str) -> Iterator[tuple[str, str, str]]:
    for name, field in type(part).model_fields.items():
        value, here = getattr(part, name), path + key_of(name, field)
        if isinstance(value, Part):
            yield from _rows(value, here + ".")
        else:
            yield here, f"`{_flow(part, name, field)}`", _cell(field.description or "")


def _tenant_rows(tenant: type[Part]) -> Iterator[str]:
    """A tenant's namespace has no default, so that one with any name stands for it."""
    for path, default, text in _rows(tenant(namespace="team-a"), ""):  # type: ignore[call-arg]
        yield f"| `tenants[].{path}` | {'**required**' if path == 'namespace' else default} | {text} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
