"""A result as a JSON document: every field of it, in camelCase, whether it has a value or not."""

import json
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

#: Raised when a field of any document changes its name or meaning; further fields may come.
SCHEMA_VERSION = 1


def encode_document(result: object) -> str:
    """Return a result as JSON. Times are in RFC 3339."""
    document = {"schemaVersion": SCHEMA_VERSION, **build_document(result)}
    return json.dumps(document, ensure_ascii=False, indent=2)


def build_document(value: Any) -> Any:
    """Return a value in the types of JSON."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if is_dataclass(value):
        return {to_camel(each.name): build_document(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, dict):
        return {str(name): build_document(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [build_document(each) for each in value]
    return value
