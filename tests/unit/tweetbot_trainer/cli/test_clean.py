"""`tweetbot-trainer clean`: JSONL in, JSONL out."""

import io
import json
from typing import Any

import pytest

from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.cli.clean import run_clean
from tweetbot_trainer.runtime.errors import SpecRefused

RETWEET = {"id": "1", "text": "RT @gull: low tide now", "created_at": "2021-04-09T04:54:00Z", "retweet": True}
LINK = {"id": "2", "text": "the tide &amp; the fog https://t.co/a", "created_at": None, "retweet": False}


def run(*records: dict[str, Any], recipe: Any = "modern") -> list[dict[str, Any]]:
    stdin, stdout = io.BytesIO("\n".join(map(json.dumps, records)).encode()), io.BytesIO()
    run_clean(stdin, stdout, Filter(recipe=recipe))
    return [json.loads(line) for line in stdout.getvalue().decode().splitlines()]


@pytest.mark.parametrize("recipe", ["modern", "huggingtweets"])
def test_each_post_comes_out_with_its_text_and_fate(recipe: str) -> None:
    retweet, link = run(RETWEET, LINK, recipe=recipe)
    assert (retweet["id"], retweet["kept"], retweet["reason"]) == ("1", False, "retweets")
    assert (link["id"], link["text"], link["kept"], link["reason"]) == ("2", "the tide & the fog", True, None)


def test_posts_come_out_in_the_order_they_came() -> None:
    assert [record["id"] for record in run(LINK, RETWEET)] == ["2", "1"]


@pytest.mark.parametrize(("recipe", "fates"), [("modern", ["edits", None]), ("huggingtweets", [None])])
def test_an_earlier_version_is_dropped_or_was_never_there(recipe: str, fates: list[str | None]) -> None:
    first, second = ({"id": number, "text": f"low tide at {number}", "edits": ["8", "10"]} for number in ("8", "10"))
    assert [record["reason"] for record in run(first, second, recipe=recipe)] == fates


@pytest.mark.parametrize(("recipe", "end"), [("modern", 0), ("huggingtweets", 12)])
def test_what_comes_out_can_be_cleaned_again(recipe: str, end: int) -> None:
    (first,) = run(
        {"text": "@gull @crab is right https://t.co/a about it", "reply": True, "names_end": 6}, recipe=recipe
    )
    assert first["names_end"] == end
    assert run(first, recipe=recipe)[0]["text"] == first["text"]


def test_nothing_in_is_nothing_out() -> None:
    assert run() == []


def test_a_bad_line_is_named_and_nothing_is_written() -> None:
    stdout = io.BytesIO()
    with pytest.raises(SpecRefused, match="standard input, line 2") as failure:
        run_clean(io.BytesIO(b'{"text": "the tide is low"}\n{'), stdout, Filter())
    assert failure.value.reason.name == "SourceUnreadable"
    assert stdout.getvalue() == b""
