"""The recipe modern, rule by rule."""

from typing import Any

import pytest

from builders.trainer import a_post, count_posts
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import CleanedPost, build_recipe, clean
from tweetbot_trainer.data.cleaning.modern import apply_until_stable, build_rules
from tweetbot_trainer.data.posts import Post


def cleaned_text(text: str, **options: Any) -> str:
    return build_recipe(Filter.model_validate(options)).rewrite(text)[0]


def cleaned(*posts: Post, **options: Any) -> list[CleanedPost]:
    return list(clean(posts, Filter.model_validate(options)))


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("fish &amp; chips &quot;now&quot; it&#39;s &#x1F30A;", 'fish & chips "now" it\'s 🌊'),
        ("write &amp;lt; for less", "write &lt; for less"),
        ("Q&A &notes &amp &nonsense; &#xD800; stay", "Q&A &notes &amp &nonsense; \ufffd stay"),
        ("look HTTPS://T.CO/Abc now", "look now"),
        ("see (https://t.co/a), ok", "see, ok"),
        ("The tide tables - https://t.co/a", "The tide tables"),
        ("a\u0000b\ufeffc\nd", "a b c d"),
        ("one &lt;|endoftext|&gt; two", "one <endoftext> two"),
        ("👩‍🚀 keeps its joiner", "👩‍🚀 keeps its joiner"),
        ("😀\ufe0f\u3000\u2003 wide", "😀\ufe0f wide"),
    ],
)
def test_text_is_tidied(text: str, after: str) -> None:
    assert cleaned_text(text, redactPII=False) == after


def test_native_retweets_are_dropped_by_their_flag() -> None:
    assert cleaned(a_post(retweet=True))[0].reason == "retweets"


@pytest.mark.parametrize(("replies", "reason"), [("Keep", None), ("Drop", "replies"), (None, None)])
def test_replies_go_only_when_asked(replies: str | None, reason: str | None) -> None:
    assert cleaned(a_post(reply=True), replies=replies)[0].reason == reason


def test_replies_to_oneself_stay_when_replies_go() -> None:
    assert cleaned(a_post(reply=True, to_self=True), replies="Drop")[0].kept


def test_posts_that_the_source_has_cut_are_dropped() -> None:
    assert cleaned(a_post(truncated=True, reply=True), replies="Drop")[0].reason == "truncated"
    assert cleaned(a_post(truncated=True, retweet=True))[0].reason == "retweets"


@pytest.mark.parametrize(
    ("options", "after"),
    [
        ({}, "@user is right about the tide"),
        ({"mentions": "Keep"}, "@crab is right about the tide"),
        ({"replyNames": "Keep"}, "@user @user is right about the tide"),
        ({"replyNames": "Keep", "mentions": "Keep"}, "@gull @crab is right about the tide"),
    ],
)
def test_names_before_a_reply_go_and_typed_ones_become_anonymous(options: dict[str, Any], after: str) -> None:
    assert cleaned(a_post("@gull @crab is right about the tide", reply=True, names_end=6), **options)[0].text == after


def test_replies_are_judged_by_their_own_words() -> None:
    same = "the tide is low today"
    posts = [a_post(same), a_post(f"@gull {same}", names_end=6), a_post("@gull RT @crab: low tide now", names_end=6)]
    assert [one.reason for one in cleaned(*posts, a_post("@gull", names_end=5))] == [
        None, "duplicates", "retweets", "short",
    ]  # fmt: skip


def test_min_words_decides_what_is_short() -> None:
    assert [one.reason for one in cleaned(a_post("low tide now"), minWords=4)] == ["short"]
    assert [one.reason for one in cleaned(a_post("tide"), minWords=1)] == [None]


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("@gull and @Pier_Cat9 met", "@user and @user met"),
        ("見て@gullの朝", "見て@userの朝"),
        ("hi @gull.harbour.example and @gull@harbour.example", "hi @user and @user"),
        ("ask @gull. He knows", "ask @user. He knows"),
        (".@gull,@crab ＠fish", ".@user,@user @user"),
        ("gull@harbour.example stays", "gull@harbour.example stays"),
    ],
)
def test_mentions_become_anonymous(text: str, after: str) -> None:
    assert cleaned_text(text, redactPII=False) == after


def test_redaction_is_counted_on_kept_posts_only() -> None:
    posts = [a_post("write to gull@harbour.example today"), a_post("gull@harbour.example"), a_post("[email] is a word")]
    assert count_posts(cleaned(*posts)).redacted == 1


def test_personal_data_stays_when_asked() -> None:
    assert cleaned(a_post("write to gull@harbour.example"), redactPII=False)[0].text == "write to gull@harbour.example"


def test_the_first_reason_in_the_tables_order_counts() -> None:
    assert (
        cleaned(a_post("x", retweet=True, reply=True, lang="de"), replies="Drop", languages=["en"])[0].reason
        == "retweets"
    )


def test_unset_options_and_their_defaults_are_the_same_recipe() -> None:
    spelled = Filter.model_validate(
        {"minWords": 3, "replies": "Keep", "deduplicate": True, "redactPII": True, "languages": []}
        | {"mentions": "Replace", "replyNames": "Drop"}
    )
    assert build_recipe(Filter()).options == build_recipe(spelled).options


def test_the_version_names_what_the_rules_lean_on() -> None:
    assert build_recipe(Filter()).version.startswith("3;unicode=")


def test_a_text_made_to_keep_changing_is_given_up_on() -> None:
    text = "/".join(["+49 170 1234567"] * 2000)
    assert apply_until_stable(text, build_rules(mentions=False, private=True))


def test_a_text_that_stays_is_not_held_twice() -> None:
    """A hundred thousand posts are."""
    post = a_post("the tide is low today")
    assert cleaned(post)[0].text is post.text
