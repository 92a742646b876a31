"""The recipe modern, rule by rule."""

from typing import Any

import pytest

from builders_trainer import a_post
from tweetbot_contract.spec import Filter
from tweetbot_trainer.cleaning import CleanedPost, clean, options_of, recipe_of, table_of
from tweetbot_trainer.cleaning.modern import tidied, unescaped, word_count
from tweetbot_trainer.posts import Post


def cleaned_text(text: str, **options: Any) -> str:
    return recipe_of(Filter.model_validate(options)).rewrite(text)[0]


def cleaned(*posts: Post, **options: Any) -> list[CleanedPost]:
    return list(clean(posts, Filter.model_validate(options)))


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("fish &amp; chips &quot;now&quot; it&#39;s", 'fish & chips "now" it\'s'),
        ("write &amp;lt; for less", "write &lt; for less"),
        ("look HTTPS://T.CO/Abc now", "look now"),
        ("look at www.harbour.example/tides now", "look at now"),
        ("look pic.twitter.com/AbC", "look"),
        ("look t.co/abc youtu.be/x now", "look now"),
        ("cut off https:/… end", "cut off end"),
        ("港https://t.co/abcの朝", "港 の朝"),
        ("(https://t.co/a)", "("),
        ("awww.cute stays", "awww.cute stays"),
        ("me@www.harbour stays", "me@www.harbour stays"),
        ("a\u0000b\ufeffc\nd", "a b c d"),
        ("one <|endoftext|> two", "one <endoftext> two"),
        ("one &lt;|endoftext|&gt; two", "one <endoftext> two"),
        ("<|endof<|endoftext|>text|>", "<|endof<endoftext>text|>"),
        ("👩‍🚀 keeps its joiner", "👩‍🚀 keeps its joiner"),
    ],
)
def test_text_is_tidied(text: str, after: str) -> None:
    assert cleaned_text(text, redactPII=False) == after


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("the tide is low", 4),
        ("@gull #low the tide", 2),
        ("C# is it", 3),
        ("🌊 🐟 !!! ok", 1),
        ("港の朝は静か", 3),
        ("ดีใจมากครับ", 3),
        ("오늘 바다 조용", 3),
        ("", 0),
    ],
)
def test_words_are_counted_in_any_script(text: str, count: int) -> None:
    assert word_count(text) == count


def test_a_japanese_post_without_spaces_is_kept() -> None:
    assert cleaned(a_post("灯台の光が今夜もきれいだった"))[0].kept


def test_retweets_of_both_kinds_are_dropped() -> None:
    kinds = cleaned(a_post("x y z", retweet=True), a_post("rt @gull the tide is low"), a_post("RT this tide is low"))
    assert [one.reason for one in kinds] == ["retweets", "retweets", None]


@pytest.mark.parametrize(("replies", "reason"), [("Keep", None), ("Drop", "replies"), (None, None)])
def test_replies_go_only_when_asked(replies: str | None, reason: str | None) -> None:
    assert cleaned(a_post(reply=True), replies=replies)[0].reason == reason


@pytest.mark.parametrize(
    ("label", "languages", "reason"),
    [
        ("en", [], None),
        ("en", ["en", "ja"], None),
        ("de", ["en"], "languages"),
        ("pt-BR", ["pt"], None),
        ("in", ["id"], None),
        (None, ["en"], "languages"),
    ],
)
def test_languages_are_told_by_label(label: str | None, languages: list[str], reason: str | None) -> None:
    assert cleaned(a_post(lang=label), languages=languages)[0].reason == reason


def test_min_words_decides_what_is_short() -> None:
    assert [one.reason for one in cleaned(a_post("low tide now"), minWords=4)] == ["short"]
    assert [one.reason for one in cleaned(a_post("tide"), minWords=1)] == [None]


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("@gull and @Pier_Cat9 met", "@user and @user met"),
        ("見て@gullの朝", "見て@userの朝"),
        ("gull@harbour.example stays", "gull@harbour.example stays"),
    ],
)
def test_mentions_become_anonymous_when_asked(text: str, after: str) -> None:
    assert cleaned_text(text, mentions="Replace", redactPII=False) == after


def test_redaction_is_counted_on_kept_posts_only() -> None:
    posts = [a_post("write to gull@harbour.example today"), a_post("gull@harbour.example"), a_post("[email] is a word")]
    assert table_of(cleaned(*posts)).redacted == 1


def test_personal_data_stays_when_asked() -> None:
    assert cleaned(a_post("write to gull@harbour.example"), redactPII=False)[0].text == "write to gull@harbour.example"


def test_the_first_reason_in_the_tables_order_counts() -> None:
    assert (
        cleaned(a_post("x", retweet=True, reply=True, lang="de"), replies="Drop", languages=["en"])[0].reason
        == "retweets"
    )


def test_unset_options_and_their_defaults_are_the_same_recipe() -> None:
    spelled = Filter.model_validate(
        {"minWords": 3, "replies": "Keep", "deduplicate": True, "redactPII": True, "mentions": "Keep", "languages": []}
    )
    assert options_of(Filter()) == options_of(spelled)


def test_the_version_names_what_the_rules_lean_on() -> None:
    assert "datasketch=" in recipe_of(Filter()).version


def test_a_text_made_to_keep_changing_is_given_up_on() -> None:
    text = unescaped("/".join(["+49 170 1234567"] * 2000))
    assert tidied(text, mentions=False, private=True)
