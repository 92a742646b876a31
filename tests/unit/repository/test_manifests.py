"""What the pages offer to copy is valid: whole manifests, and parts of a TweetBot's spec."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders.manifests import a_manifest
from tweetbot_chart.render import build_values_type
from tweetbot_contract.class_manifest import parse_class
from tweetbot_contract.manifest import parse
from tweetbot_contract.spec.spec import TweetBotSpec

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "sources").glob("*.md"))]


VALUES = build_values_type()
FIELDS = {field.alias or name for name, field in TweetBotSpec.model_fields.items()}


def iter_documents(page: Path) -> Iterator[dict[str, Any]]:
    """Yield what the page shows as YAML; an ellipsis stands for some digits."""
    for block in re.findall(r"^```yaml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        found = yaml.safe_load_all(block.replace("…", "0" * 64))
        yield from ({"values": each} if block.startswith("# values of the chart") else each for each in found)


def merge(whole: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Put a part of a spec into a whole one; lists are taken whole."""
    return whole | {
        key: merge(whole[key], value) if isinstance(value, dict) and isinstance(whole.get(key), dict) else value
        for key, value in part.items()
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_manifests_and_parts_of_specs_on_a_page_are_valid(page: Path) -> None:
    for document in iter_documents(page):
        match document:
            case {"kind": "TweetBot"}:
                parse(merge(a_manifest(), document))
            case {"kind": "TweetBotClass"}:
                parse_class(document)
            case {"spec": dict()} if set(document) == {"spec"}:
                parse(merge(a_manifest(), document))
            case {"values": values}:
                VALUES.model_validate(values)
            case dict() if set(document) <= FIELDS:
                parse(merge(a_manifest(), {"spec": document}))
