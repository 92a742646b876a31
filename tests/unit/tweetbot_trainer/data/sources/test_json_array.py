"""An array read item by item says what json says of the whole."""

import io
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.trainer import on_a_busy_machine
from tweetbot_trainer.data.sources.json_array import ITEM_LIMIT, iter_items, iter_items_under


class Dripping(io.StringIO):
    """A text that comes a few signs at a time."""

    def read(self, size: int | None = -1, /) -> str:
        return super().read(3)


VALUES = st.recursive(st.none() | st.booleans() | st.text(max_size=5), lambda part: st.lists(part, max_size=3))
ROWS = st.lists(st.dictionaries(st.text(max_size=3), VALUES | st.integers() | st.floats(allow_nan=False), max_size=3))


@on_a_busy_machine
@given(ROWS, st.sampled_from([None, 2]), st.sampled_from(["", " ", ";", " ;\n"]))
def test_items_are_those_of_json_however_they_come(rows: list[Any], indent: int | None, end: str) -> None:
    text = json.dumps(rows, indent=indent) + end
    assert list(iter_items(Dripping(text))) == list(iter_items(io.StringIO(text))) == rows


@pytest.mark.parametrize("text", ["", "{}", "[", "[{}", "[{},]", "[{} {}]", "[{}]]", "[{}];;", "[{}]x", '["\\u12"]'])
def test_what_is_no_array_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the caller names the member, whatever the words
        list(iter_items(io.StringIO(text)))


@on_a_busy_machine
@given(ROWS, VALUES | st.integers(), st.sampled_from([None, 2]))
def test_an_array_inside_an_object_is_read_past_its_other_values(
    rows: list[Any], other: Any, indent: int | None
) -> None:
    text = json.dumps({"a": other, "rows": rows, "b": {"rows": other}}, indent=indent)
    assert list(iter_items_under(Dripping(text), "rows")) == list(iter_items_under(io.StringIO(text), "rows")) == rows


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"a": []}', '{"rows": 1}', '{"rows": [1]', '{"rows": [1],', '{"rows": []} 1', '{"rows" []}'],
)
def test_what_is_no_object_with_the_array_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the caller names the member, whatever the words
        list(iter_items_under(io.StringIO(text), "rows"))


@pytest.mark.parametrize("separator", [",\n", ","], ids=["lines", "one line"])
@pytest.mark.parametrize(
    ("row", "wrong", "offset"),
    [
        ('{"text": "low "tide""}', "Expecting ',' delimiter", 15),
        ('{"text" "fog"}', "Expecting ':' delimiter", 8),
        ("{'text': 1}", "Expecting property name enclosed in double quotes", 1),
        ('{"text": "\\x"}', "Invalid \\escape", 10),
        ('{"text": 1}}', "'}' where ']' was expected", 11),
    ],
)
def test_damage_far_before_the_end_is_reported_with_its_row_and_place(
    separator: str, row: str, wrong: str, offset: int
) -> None:
    whole = '{"text": "' + "x" * 1000 + '"}'
    before, behind = [whole] * 1500, [whole] * (ITEM_LIMIT // 1000 + 1)
    text = f"[{separator.join([*before, row, *behind])}]"
    with pytest.raises(ValueError, match=re.escape(wrong)) as refusal:
        list(iter_items(io.StringIO(text)))
    at = len(f"[{separator.join([*before, ''])}") + offset
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    assert str(refusal.value).startswith(f"row 1501, line {line}, column {column}: {wrong}")


def test_an_item_without_end_is_not_read_for_ever() -> None:
    with pytest.raises(ValueError, match="more than"):
        list(iter_items(io.StringIO('["' + "x" * (ITEM_LIMIT * 2))))


@pytest.mark.parametrize("deep", ["[" * 400_000, '[{"a":' * 60_000 + "1" + "}]" * 60_000])
def test_brackets_nested_beyond_all_measure_are_refused(deep: str) -> None:
    with pytest.raises(RecursionError):
        list(iter_items(io.StringIO(deep)))
