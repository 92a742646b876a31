"""An array read item by item says what json says of the whole."""

import io
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.trainer import on_a_busy_machine
from tweetbot_trainer.data.sources.json_array import ITEM_LIMIT, iter_entries, iter_entries_under, open_text


class Dripping(io.StringIO):
    """A text that comes a few signs at a time."""

    def read(self, size: int | None = -1, /) -> str:
        return super().read(3)


def values(text: io.StringIO) -> list[Any]:
    return [row.value for row in iter_entries(text)]


def values_under(text: io.StringIO) -> list[Any]:
    return [row.value for row in iter_entries_under(text, "rows")]


VALUES = st.recursive(st.none() | st.booleans() | st.text(max_size=5), lambda part: st.lists(part, max_size=3))
ROWS = st.lists(st.dictionaries(st.text(max_size=3), VALUES | st.integers() | st.floats(allow_nan=False), max_size=3))


@on_a_busy_machine
@given(ROWS, st.sampled_from([None, 2]), st.sampled_from(["", " ", ";", " ;\n"]))
def test_items_are_those_of_json_however_they_come(rows: list[Any], indent: int | None, end: str) -> None:
    text = json.dumps(rows, indent=indent) + end
    assert values(Dripping(text)) == values(io.StringIO(text)) == rows


@pytest.mark.parametrize("text", ["", "{}", "[", "[{}", "[{},]", "[{} {}]", "[{}]]", "[{}];;", "[{}]x", '["\\u12"]'])
def test_what_is_no_array_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the caller names the member, whatever the words
        list(iter_entries(io.StringIO(text)))


@on_a_busy_machine
@given(ROWS, VALUES | st.integers(), st.sampled_from([None, 2]))
def test_an_array_inside_an_object_is_read_past_its_other_values(
    rows: list[Any], other: Any, indent: int | None
) -> None:
    text = json.dumps({"a": other, "rows": rows, "b": {"rows": other}}, indent=indent)
    assert values_under(Dripping(text)) == values_under(io.StringIO(text)) == rows


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"a": []}', '{"rows": 1}', '{"rows": [1]', '{"rows": [1],', '{"rows": []} 1', '{"rows" []}'],
)
def test_what_is_no_object_with_the_array_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the caller names the member, whatever the words
        list(iter_entries_under(io.StringIO(text), "rows"))


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
        list(iter_entries(io.StringIO(text)))
    at = len(f"[{separator.join([*before, ''])}") + offset
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    assert str(refusal.value).startswith(f"row 1501, line {line}, column {column}: {wrong}")


@pytest.mark.parametrize("read", [io.StringIO, Dripping], ids=["at once", "in pieces"])
@pytest.mark.parametrize(
    ("cut", "place"),
    [
        ('[\n {"text": "low"},\n {"text": "fo', "row 2, line 3, column 11: Unterminated string"),
        ('[\n {"text": "low"},\n {"text": ', "row 2, line 3, column 11: Expecting value"),
        ('[\n {"text": "low"},\n {"text"', "row 2, line 3, column 9: Expecting ':' delimiter"),
        ('[\n {"text": "low"},\n {"text": "fog"}', "row 2, line 3, column 17: 'the end' where ']' was expected"),
        ('[\n {"text": "low"},\n', "row 2, line 3, column 1: Expecting value"),
    ],
)
def test_a_text_that_breaks_off_is_reported_where_it_breaks(read: Any, cut: str, place: str) -> None:
    with pytest.raises(ValueError, match=re.escape(place)):
        list(iter_entries(read(cut)))


def test_each_row_knows_its_number_and_its_line() -> None:
    text = '[\n1,\r\n\n {"a":\n2}, 3\n,\n4]'
    for read in (io.StringIO, Dripping):
        assert [(row.number, row.line) for row in iter_entries(read(text))] == [(1, 2), (2, 4), (3, 5), (4, 7)]
    (row,) = iter_entries_under(Dripping('{"n":\n1, "rows":\n["x"]}'), "rows")
    assert row.place == "row 1, line 3"


def test_the_numbers_beside_an_array_are_told() -> None:
    numbers: dict[str, int] = {}
    text = '{"total": 5, "all": true, "rows": [1], "share": 0.5, "later": 7}'
    list(iter_entries_under(io.StringIO(text), "rows", numbers=numbers))
    assert numbers == {"total": 5, "later": 7}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('["low", "fog"]'.encode("utf-16"), "line 1, column 1: not UTF-8 but UTF-16"),
        ('["low", "fog"]'.encode("utf-16-le"), "a NUL character, as UTF-16 has them"),
        (
            '["low",\n "caf\xe9"]'.encode("cp1252"),
            "row 2, line 2, column 6: not UTF-8 but Windows-1252, it seems (byte",
        ),
        (b'["low",\n "\x81"]', "row 2, line 2, column 3: not UTF-8 (byte 0x81)"),
        (b'["low",\n \xff]', "row 2, line 2, column 2: not UTF-8"),
        (b'["low"\xa0,\n1]', "row 1, line 1, column 7: not UTF-8"),
    ],
)
def test_bytes_that_are_not_utf8_are_named_with_their_place(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        list(iter_entries(open_text(io.BytesIO(content))))


def test_a_byte_order_mark_and_letters_of_all_kinds_are_read() -> None:
    content = '\ufeff["caf\xe9", "\U0001f30a", "\\ud83c"]'.encode()
    assert [row.value for row in iter_entries(open_text(io.BytesIO(content)))] == ["caf\xe9", "\U0001f30a", "\ud83c"]


def test_an_item_without_end_is_not_read_for_ever() -> None:
    with pytest.raises(ValueError, match="more than"):
        list(iter_entries(io.StringIO('["' + "x" * (ITEM_LIMIT * 2))))


@pytest.mark.parametrize("deep", ["[" * 400_000, '[{"a":' * 60_000 + "1" + "}]" * 60_000])
def test_brackets_nested_beyond_all_measure_are_refused(deep: str) -> None:
    with pytest.raises(RecursionError):
        list(iter_entries(io.StringIO(deep)))
