"""Wrong values for each leaf of a JSON schema of values, so that none is forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
Schema = dict[str, Any]
#: It has no form that a text may have, is in no list of texts, and is neither number, list nor map.
NONSENSE = "¿ so, or so ?"


@dataclass(frozen=True)
class Wrong:
    """A value that is wrong at a path. `free`: any text, or any number, is right there: only its type can be wrong."""

    path: Path
    value: Any
    free: bool = False

    def __str__(self) -> str:
        return "/" + "/".join(str(part) for part in self.path)


class Walk:
    """Through a schema and what it refers to."""

    def __init__(self, root: Schema) -> None:
        self._root = root

    def list_all(self) -> list[Wrong]:
        """Return the wrong values of every leaf below the root."""
        return [wrong for name, inner in self._root["properties"].items() for wrong in self._list(inner, (name,))]

    def _list(self, schema: Schema, path: Path) -> Iterator[Wrong]:
        if "$ref" in schema:
            schema = self._root["$defs"][schema["$ref"].rpartition("/")[2]]
        options = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
        if len(options) > 1:
            yield Wrong(path, 7)
        elif options[0] is not schema:
            yield from self._list(options[0], path)
        elif schema["type"] == "object":
            yield from self._list_object(schema, path)
        elif schema["type"] == "array":
            yield Wrong(path, NONSENSE)
            yield from self._list(schema["items"], (*path, 0))
        else:
            yield from list_scalar(schema, path)

    def _list_object(self, schema: Schema, path: Path) -> Iterator[Wrong]:
        yield Wrong(path, NONSENSE)
        for name, inner in schema.get("properties", {}).items():
            yield from self._list(inner, (*path, name))
        for inner in schema.get("patternProperties", {}).values():
            yield from self._list(inner, (*path, "key"))
            yield Wrong((*path, NONSENSE), "value")


def list_scalar(schema: Schema, path: Path) -> Iterator[Wrong]:
    """Yield a wrong text and numbers out of bounds."""
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    numeric = {"integer", "number"} & set(kinds)
    free = not (
        {"boolean"} & set(kinds) or schema.keys() & {"enum", "const", "else", "minimum", "maximum", "minLength"}
    )
    if numeric or schema.keys() & {"enum", "else"} or "boolean" in kinds:
        yield Wrong(path, NONSENSE, free)
    else:
        yield Wrong(path, "" if schema.get("minLength") else 7, free)
    if numeric and "minimum" in schema:
        yield Wrong(path, schema["minimum"] - 1)
    if numeric and "maximum" in schema:
        yield Wrong(path, schema["maximum"] + 1)


def merge_wrong(wrongs: list[Wrong]) -> Iterator[tuple[list[Wrong], dict[str, Any]]]:
    """Yield values with as many of them as go together, until all have come up."""
    while wrongs:
        values: dict[str, Any] = {}
        left = [wrong for wrong in wrongs if not put(values, wrong)]
        yield [wrong for wrong in wrongs if wrong not in left], values
        wrongs = left


def put(values: Any, wrong: Wrong) -> bool:
    """Put a wrong value in its place; tell whether that was free."""
    for part, following in zip(wrong.path, (*wrong.path[1:], None), strict=True):
        known = part in values if isinstance(values, dict) else len(values) > 0
        if (following is None and known) or (known and not isinstance(values[part], dict | list)):
            return False
        if not known:
            new = wrong.value if following is None else [] if following == 0 else {}
            if isinstance(values, list):
                values.append(new)
            else:
                values[part] = new
        values = values[part]
    return True
