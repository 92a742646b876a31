"""The recipe huggingtweets: every quirk that the notebook of 2021 had (reference huggingtweets, section 1.2)."""

import pytest

from builders_trainer import a_post
from tweetbot_contract.spec import Filter
from tweetbot_trainer.cleaning import clean, table_of
from tweetbot_trainer.cleaning.original import rewritten, too_short

ORIGINAL = Filter(recipe="huggingtweets")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("fish &amp; chips &lt;3 &gt; all", "fish & chips <3 > all"),
        ("&amp;lt;", "<"),
        ("&quot;no&quot; it&#39;s&nbsp;so", "&quot;no&quot; it&#39;s&nbsp;so"),
        ("look at https://t.co/abc now", "look at now"),
        ("look at http://t.co/abc now", "look at now"),
        ("https://t.co/abc look at this", "look at this"),
        ("look at this https://t.co/abc", "look at this"),
        ("see (https://t.co/a). bye now", "see (bye now"),
        ("seehttps://t.co/a now", "seenow"),
        ("one\nhttps://t.co/a two", "one two"),
        ("one\nhttps://t.co/a", "one"),
        ("one https://t.co/a https://t.co/b two", "one two"),
        ("HTTPS://T.CO/A stays", "HTTPS://T.CO/A stays"),
        ("www.harbour.example and pic.twitter.com/x stay", "www.harbour.example and pic.twitter.com/x stay"),
        ("https: alone stays", "https: alone stays"),
        ("a\t b\n\nc\u00a0d\u3000e", "a b c d e"),
        ("zero\u200bwidth", "zero\u200bwidth"),
        ("  @gull #tide  ", "@gull #tide"),
        ("<|endoftext|> stays", "<|endoftext|> stays"),
    ],
)
def test_text_is_rewritten_as_the_notebook_did(text: str, after: str) -> None:
    assert rewritten(text) == after


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("one two three", False),
        ("one two", True),
        ("@gull #tide one two three", False),
        ("@gull #tide one two", True),
        ("it&#39;s so low", True),
        ("C# is low", True),
        ("me@site.com is low", True),
        ("Xhttpx is low", True),
        ("港の朝はとても静かで誰もいない", True),
        ("🌊 🐟 🍟", False),
        ("", True),
    ],
)
def test_words_count_unless_a_link_a_name_or_a_tag_is_in_them(text: str, short: bool) -> None:
    assert too_short(text) is short


def test_native_retweets_go_and_old_ones_stay() -> None:
    posts = [a_post("RT @gull: the tide is low", retweet=True), a_post("RT @gull: the tide is low")]
    assert [one.reason for one in clean(posts, ORIGINAL)] == ["retweets", None]


def test_nothing_else_is_dropped_or_changed() -> None:
    posts = [
        a_post("the tide is low", reply=True, lang="de"),
        a_post("the tide is low"),
        a_post("write to gull@harbour.example or so"),
    ]
    cleaned = list(clean(posts, ORIGINAL))
    assert [one.text for one in cleaned] == [post.text for post in posts]
    assert all(one.kept for one in cleaned)


def test_the_table_is_the_model_cards() -> None:
    posts = [a_post("RT @a: x y z", retweet=True), a_post("low tide"), a_post("one two three"), a_post("four five six")]
    table = table_of(clean(posts, ORIGINAL))
    assert (table.downloaded, table.retweets, table.short, table.kept) == (4, 1, 1, 2)
