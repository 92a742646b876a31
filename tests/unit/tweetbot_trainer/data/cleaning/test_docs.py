"""docs/cleaning.md shows what the command really writes."""

import io
import json
import re
from pathlib import Path
from typing import Literal

import pytest

from tweetbot_contract.data_table import DataTable
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.cli.clean import run_clean
from tweetbot_trainer.data.cleaning import build_recipe
from tweetbot_trainer.data.cleaning.personal_data import PLACEHOLDERS

PAGE = (Path(__file__).parents[5] / "docs" / "cleaning.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("recipe", "flag"), [("modern", ""), ("huggingtweets", " --recipe huggingtweets")])
def test_the_transcript_is_true(recipe: Literal["modern", "huggingtweets"], flag: str) -> None:
    posts = re.search(r"```jsonl\n(.*?)```", PAGE, re.DOTALL)
    output = re.search(rf"\$ tweetbot-trainer clean{flag} < posts.jsonl .*\n((?:[0-9].*\n)+)", PAGE)
    assert posts
    assert output
    out = io.BytesIO()
    run_clean(io.BytesIO(posts[1].encode()), out, Filter(recipe=recipe))
    records = map(json.loads, out.getvalue().decode().splitlines())
    lines = [f"{one['id']} {json.dumps(one['kept'])} {one['reason'] or 'null'} {one['text']}" for one in records]
    assert lines == output[1].splitlines()


@pytest.mark.parametrize(
    "row", [*(f"| `{name}` |" for name in DataTable.DROPS), *(f"| `{sign}` |" for sign in PLACEHOLDERS)]
)
def test_every_reason_and_every_placeholder_has_its_row(row: str) -> None:
    assert f"\n{row}" in PAGE


def test_the_version_is_reported() -> None:
    number = build_recipe(Filter()).version.split(";")[0]
    assert re.search(rf"`modern` is at\s+version {number}\.", PAGE)
