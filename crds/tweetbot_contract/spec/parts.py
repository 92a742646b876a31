"""The building block of every type in the contract, and rules that hold in the API server and in Python alike."""

import re
from collections.abc import Callable
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import CoreSchema

#: Scientific or plain notation, not negative; a spec holds no floats (Kubernetes API conventions). An exponent of two
#: digits keeps every text of twenty signs within what CEL's double holds.
NUMBER = "^[0-9]+([.][0-9]+)?([eE]-?[0-9]{1,2})?$"
#: A step of an address that leads elsewhere in a file system, and nowhere in S3.
DOT_SEGMENT = "/[.][.]?(/|$)"


class Rule:
    """One validation rule: a CEL expression for the API server, its Python twin for `tweetbot-trainer run`.

    The message says what to write instead. `field` places the refusal at that field's path.
    """

    def __init__(self, cel: str, message: str, holds: Callable[[Any], bool], field: str | None = None) -> None:
        self.cel, self.message, self.holds, self.field = cel, message, holds, field

    def render(self) -> dict[str, str]:
        """Return the entry of `x-kubernetes-validations`."""
        field_path = {"fieldPath": f".{self.field}"} if self.field else {}
        return {"rule": self.cel, "message": self.message, **field_path}


def make_matcher(pattern: str) -> Callable[[str | None], bool]:
    """Return a predicate: the text is absent or the pattern, from ^ to $, matches all of it, a last newline as well.

    To the API server's RE2 a $ is the text's end; Python's alone would let one newline follow.
    """
    compiled = re.compile(pattern)
    return lambda text: text is None or compiled.fullmatch(text) is not None


def has_no_dot_segments(address: str | None) -> bool:
    """Tell whether an address is absent, or has no step . or ..; those of one's own files lead where they like."""
    return address is None or address.startswith("file://") or re.search(DOT_SEGMENT, address) is None


class Part(BaseModel):
    """A frozen piece of the contract: camelCase outside, snake_case inside, unknown fields refused."""

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
        """Carry the rules into the JSON schema, from which the CRD is rendered."""
        schema = handler(core_schema)
        if cls.rules:
            resolved = handler.resolve_ref_schema(schema)
            resolved["x-kubernetes-validations"] = [rule.render() for rule in cls.rules]
        return schema

    def to_dict(self) -> dict[str, Any]:
        """Return the plain form as it stands in a manifest: camelCase keys, nothing that is unset."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
