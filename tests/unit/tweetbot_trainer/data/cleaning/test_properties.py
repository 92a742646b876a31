"""What holds for any text: nothing is invented, counts add up, UTF-8 comes out."""

from collections import Counter
from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.trainer import count_posts, on_a_busy_machine
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import CleanedPost, build_recipe, clean
from tweetbot_trainer.data.cleaning.modern import apply_until_stable, build_rules, unescape_entities
from tweetbot_trainer.data.cleaning.personal_data import PLACEHOLDERS
from tweetbot_trainer.data.posts import parse_post

PIECES = (
    *(
        "https://t.co/a",
        "http:",
        "HTTPS://",
        "www.",
        "www.x",
        "pic.twitter.com/",
        "t.co/",
        "@gull",
        "@",
        "#tide",
        "RT @x: ",
    ),
    *("&amp;", "&lt;", "&#39;", "&", "<|endoftext|>", "<|endof", "text|>", " ", "\n", "\u3000", "\u2028", "\x00"),
    *(
        "gull@harbour.example",
        "+1 202-555-0143",
        "4111111111111111",
        "0123456789",
        "AKIAIOSFODNN7EXAMPLE",
        "[phone]",
        "DE89 3704 0044 0532 0130 00",
    ),
    *(" - ", ": ", " → ", " | ", "👇", " :/ ", "(", '"@x: ', '"', "“@x: ", "”", " RT @x ", "via ", " MT @x: "),
    *("港の朝", "🌊", "ดี", "\u200b", "the tide", "low", "(", "+", "-", "."),
)
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=14).map("".join)
IDS = st.sampled_from(["8", "9", "10", "11"])
RECORDS = st.fixed_dictionaries(
    {"text": TEXTS | st.text(st.characters(), max_size=40)},
    optional={
        "id": IDS,
        "edits": st.lists(IDS, max_size=4),
        "source": st.integers(0, 1),
        "retweet": st.booleans(),
        "reply": st.booleans(),
        "lang": st.sampled_from(["en", "ja"]),
        "created_at": st.just("2021-04-09T04:54:00Z"),
    },
)
FILTERS = (
    Filter(recipe="huggingtweets"),
    Filter(),
    Filter(replies="Drop", languages=("en",), min_words=1),
    Filter(deduplicate=False, redact_pii=False, mentions="Keep", reply_names="Keep"),
)


def is_woven_from(part: str, whole: str) -> bool:
    """Tell whether all signs of `part`, spaces apart, stand in `whole` in this order."""
    rest = iter(whole)
    return all(sign in rest for sign in part if sign != " ")


def cleaned_records(records: list[dict[str, object]], filter: Filter) -> list[CleanedPost]:
    return list(clean((parse_post(record, ordinal=n) for n, record in enumerate(records)), filter))


@pytest.mark.parametrize("filter", FILTERS, ids=["huggingtweets", "modern", "strict", "loose"])
@on_a_busy_machine
@given(records=st.lists(RECORDS, max_size=8))
def test_any_posts_add_up_and_come_out_as_utf8(filter: Filter, records: list[dict[str, object]]) -> None:
    cleaned = cleaned_records(records, filter)
    table = count_posts(cleaned)
    counts = Counter(one.reason for one in cleaned)
    assert {None: table.kept} | {name: getattr(table, name) for name in DataTable.DROPS} == {
        name: counts[name] for name in (None, *DataTable.DROPS)
    }
    assert table.downloaded == len(cleaned) == table.kept + sum(getattr(table, name) for name in DataTable.DROPS)
    for one in cleaned:
        one.text.encode()
        assert one.text == " ".join(one.text.split())


@on_a_busy_machine
@given(records=st.lists(RECORDS, max_size=8))
def test_modern_loses_no_post(records: list[dict[str, object]]) -> None:
    cleaned = cleaned_records(records, Filter())
    assert [one.post for one in cleaned] == [parse_post(record, ordinal=n) for n, record in enumerate(records)]


@on_a_busy_machine
@given(records=st.lists(RECORDS, max_size=8))
def test_the_card_of_huggingtweets_adds_up(records: list[dict[str, object]]) -> None:
    table = count_posts(cleaned_records(records, FILTERS[0]))
    assert table.kept == table.downloaded - table.retweets - table.short


@on_a_busy_machine
@given(records=st.lists(RECORDS, max_size=8))
def test_what_is_kept_would_be_kept_again(records: list[dict[str, object]]) -> None:
    """Entities apart: they are resolved once and no more."""
    kept = [one for one in cleaned_records(records, Filter()) if one.kept and "&" not in one.text]
    again = list(clean((replace(one.post, text=one.text, names_end=0) for one in kept), Filter()))
    assert [(one.text, one.kept) for one in again] == [(one.text, True) for one in kept]


@on_a_busy_machine
@given(TEXTS)
def test_the_original_invents_nothing(text: str) -> None:
    resolved = text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    assert is_woven_from(build_recipe(Filter(recipe="huggingtweets")).rewrite(text)[0], resolved)


@on_a_busy_machine
@given(TEXTS)
def test_modern_invents_nothing(text: str) -> None:
    assert is_woven_from(
        build_recipe(Filter(redact_pii=False, mentions="Keep")).rewrite(text)[0], unescape_entities(text)
    )


@on_a_busy_machine
@given(TEXTS)
def test_modern_invents_nothing_but_placeholders(text: str) -> None:
    after = build_recipe(Filter()).rewrite(text)[0]
    bare = reduce(lambda left, placeholder: left.replace(placeholder, " "), (*PLACEHOLDERS, "@user"), after)
    assert is_woven_from(bare, unescape_entities(text))


@on_a_busy_machine
@given(TEXTS, st.booleans(), st.booleans())
def test_tidying_twice_changes_nothing_more(text: str, mentions: bool, private: bool) -> None:
    some = build_rules(mentions=mentions, private=private)
    once = apply_until_stable(text, some)
    assert apply_until_stable(once, some) == once


@on_a_busy_machine
@given(TEXTS)
def test_no_end_mark_is_left(text: str) -> None:
    assert "<|endoftext|>" not in build_recipe(Filter()).rewrite(text)[0]
