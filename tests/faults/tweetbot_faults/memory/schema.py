"""Changes of a spec, made from the CRD's schema: for each property what is least, most, usual, unusual and bad."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from builders.manifests import a_manifest
from tweetbot_contract.manifest import InvalidManifest, parse
from tweetbot_faults.ledger import ROOT

Document = dict[str, Any]
Path = tuple[str, ...]
#: Texts that a field of any text meets: to get out of a folder, a namespace, a sentence, a shell, a terminal, a size.
TEXTS = ("", "../..", "other/name", "a b", "$(id)", "\x1b[2J", "ü" * 300, "x" * 20_000)
#: Values where another type is wanted.
STRANGERS: tuple[Any, ...] = (True, -1, 1.5, "text", [1], {"a": 1})


@dataclass(frozen=True)
class Edit:
    """One property of the spec and a value for it; `number` tells several of one property apart."""

    path: Path
    number: int
    value: Any

    @property
    def id(self) -> str:
        return f"{'.'.join(self.path)}/{self.number}"

    def apply(self, spec: Document) -> Document:
        """Return the spec with the value in its place; None takes the property away."""
        changed = deepcopy(spec)
        place = changed
        for name in self.path[:-1]:
            place = place.setdefault(name, {})
        if self.value is None:
            place.pop(self.path[-1], None)
        else:
            place[self.path[-1]] = self.value
        return changed

    def is_valid(self) -> bool:
        """Whether a TweetBot may have it beside what our usual one has."""
        try:
            parse(a_manifest() | {"spec": self.apply(a_manifest()["spec"])})
        except InvalidManifest:
            return False
        return True


@lru_cache
def read_schema() -> Document:
    """Return the schema of the spec."""
    crd = yaml.safe_load((ROOT / "crds" / "tweetbots.tweetbot.dev.yaml").read_text(encoding="utf-8"))
    schema: Document = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return schema


def list_edits() -> list[Edit]:
    """Return every edit of every property that is no list's item."""
    return [edit for path, schema in _walk(read_schema(), ()) for edit in _make_edits(path, schema)]


def _walk(schema: Document, path: Path) -> Iterator[tuple[Path, Document]]:
    for name, part in schema.get("properties", {}).items():
        if part.get("type") == "object" and part.get("properties"):
            yield from _walk(part, (*path, name))
        else:
            yield (*path, name), part


def _make_edits(path: Path, schema: Document) -> Iterator[Edit]:
    values = [None, *_choose_values(schema), *STRANGERS]
    for number, value in enumerate(values):
        yield Edit(path, number, value)


def _choose_values(schema: Document) -> Iterator[Any]:
    yield from schema.get("enum", ())
    match schema.get("type"):
        case "integer":
            bounds = [schema[key] for key in ("minimum", "maximum") if key in schema]
            yield from bounds
            yield from (bound + step for bound, step in zip(bounds, (-1, 1), strict=False))
            yield from (0, 1, 2, 10**6, 10**18)
        case "boolean":
            yield from (True, False)
        case "array":
            yield from ([], ["a"], ["a", "a"], ["x"] * 2000)
        case "object":
            yield from ({}, {"a": "b"}, {"a": "b" * 300})
        case _:
            yield from ("0.5", "1", "1Gi", "465458732Gi", "s3://team-a/other", "https://example.com", "@daily", *TEXTS)
