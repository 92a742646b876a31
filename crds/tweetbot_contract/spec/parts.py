"""The base class of every type in the contract, and validation rules for both the API server (CEL) and Python."""

import ast
import inspect
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel, to_snake
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import CoreSchema

#: A number that is not negative, plain or scientific, as text: a spec holds no floats (Kubernetes API conventions).
#: With two digits of exponent, 20 characters cannot exceed CEL's double.
NUMBER = "^[0-9]+([.][0-9]+)?([eE]-?[0-9]{1,2})?$"
#: A . or .. segment: it leads elsewhere in a file system and nowhere in S3.
DOT_SEGMENT = "/[.][.]?(/|$)"
HTTP_URL = "^https?://[^ ]+$"


class Rule:
    """A validation rule: CEL for the API server, and the same predicate in Python for `tweetbot-trainer run`.

    The message says what to write instead; `field` is the path that the error points to. Where CEL cannot see a field,
    `cel` is None, and the field's schema refuses what the predicate does.
    """

    def __init__(self, cel: str | None, message: str, holds: Callable[[Any], bool], field: str | None = None) -> None:
        self.cel, self.message, self.holds, self.field = cel, message, holds, field

    def render(self) -> dict[str, str]:
        """Return the rule as an entry of `x-kubernetes-validations`, empty without CEL."""
        if self.cel is None:
            return {}
        field_path = {"fieldPath": f".{self.field}"} if self.field else {}
        return {"rule": self.cel, "message": self.message, **field_path}


def build_pattern_rule(field: str, pattern: str, message: str, optional: bool = False) -> Rule:
    """Build the rule that a text field matches `pattern`; an optional field may be unset."""
    matches, attribute = make_matcher(pattern), to_snake(field)
    unset = f"!has(self.{field}) || " if optional else ""
    return Rule(
        f"{unset}self.{field}.matches('{pattern}')", message, lambda part: matches(getattr(part, attribute)), field
    )


def build_s3_rule(field: str, path: str, message: str, optional: bool = False) -> Rule:
    """Build the rule that a field is s3://bucket with a `path` without . and .. segments; Python also takes file://."""
    bucket, unset = "^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", f"!has(self.{field}) || " if optional else ""
    matches = make_matcher(f"{bucket}{path}|^file:///.+")
    return Rule(
        f"{unset}self.{field}.matches('{bucket}{path}') && !self.{field}.matches('{DOT_SEGMENT}')",
        message,
        lambda part: matches(address := getattr(part, field)) and has_no_dot_segments(address),
        field,
    )


def make_matcher(pattern: str) -> Callable[[str | None], bool]:
    """Return a predicate: text is None, or `pattern` matches all of it (Python's $ would allow a last newline)."""
    compiled = re.compile(pattern)
    return lambda text: text is None or compiled.fullmatch(text) is not None


def has_no_dot_segments(address: str | None) -> bool:
    """Tell whether an address is None, a local file:// address, or free of . and .. segments."""
    return address is None or address.startswith("file://") or re.search(DOT_SEGMENT, address) is None


def read_field_docstrings(cls: type) -> dict[str, str]:
    """Return the docstring under each field of a class, on one line: Python itself drops them.

    pydantic's use_attribute_docstrings would parse the source at every import; this is done for the CRD alone.
    """
    try:
        source = inspect.getsource(cls)
    except OSError:  # made by create_model
        return {}
    (definition,) = ast.parse(source).body
    return {
        ast.unparse(field.target): " ".join(str(ast.literal_eval(doc.value)).split())
        for field, doc in pairwise(getattr(definition, "body", ()))
        if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr)
    }


class Part(BaseModel):
    """A frozen piece of the contract: camelCase in manifests, snake_case in Python, unknown fields rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)
    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        if not self.rules:
            return self
        broken = [rule for rule in self.rules if not rule.holds(self)]
        if broken:
            context = {"field": broken[0].field} if broken[0].field else {}
            raise PydanticCustomError("rule", broken[0].message, context)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add the rules and the fields' docstrings to the JSON schema, from which the CRD is rendered."""
        schema = handler(core_schema)
        resolved = handler.resolve_ref_schema(schema)
        if cls.rules:
            resolved["x-kubernetes-validations"] = [entry for rule in cls.rules if (entry := rule.render())]
        for owner in reversed(cls.__mro__[: cls.__mro__.index(Part)]):
            for name, text in read_field_docstrings(owner).items():
                resolved["properties"][cls.model_fields[name].alias]["description"] = text
        return schema

    def to_dict(self) -> dict[str, Any]:
        """Return the part as in a manifest: camelCase keys, unset fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
