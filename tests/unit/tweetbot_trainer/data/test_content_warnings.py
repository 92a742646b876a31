"""A content warning before a post's text."""

import io
import json

import pytest

from builders.trainer import a_post
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.cli.clean import run_clean
from tweetbot_trainer.data.cleaning import CleanedPost, clean
from tweetbot_trainer.data.posts import Post, dump_post, parse_post

ORIGINAL = Filter(recipe="huggingtweets")


def cleaned(post: Post, filter: Filter | None = None) -> CleanedPost:
    (one,) = clean([post], filter or Filter())
    return one


@pytest.mark.parametrize(
    ("warning", "text", "whole"),
    [
        ("food,\n  mild", "we ate  soup &amp; bread", "food, mild\nwe ate soup & bread"),
        ("food http://a.example/b", "https://t.co/a we ate soup", "food\nwe ate soup"),
        ("https://t.co/a", "we ate soup", "we ate soup"),
        ("we ate soup", "https://t.co/a", "we ate soup"),
    ],
)
def test_it_keeps_a_line_of_its_own(warning: str, text: str, whole: str) -> None:
    one = cleaned(a_post(text, warning=warning))
    assert (one.text, one.reason) == (whole, None)


def test_personal_data_in_it_is_replaced_and_counted() -> None:
    one = cleaned(a_post("we ate soup", warning="write to gull@harbour.example"))
    assert one.redacted
    assert "gull@harbour" not in one.text
    assert one.text.endswith("\nwe ate soup")


@pytest.mark.parametrize("text", ["we ate soup", "https://t.co/a we ate", "", "fog\nhttps://t.co/b"])
@pytest.mark.parametrize("warning", ["food, mild", "food https://t.co/a", "https://t.co/a", " food  &lt; fish "])
def test_the_original_recipe_puts_all_on_one_line_as_ever(warning: str, text: str) -> None:
    together = cleaned(a_post(f"{warning}\n\n{text}"), ORIGINAL)
    assert cleaned(a_post(text, warning=warning), ORIGINAL).text == together.text


def test_posts_with_equal_texts_and_warnings_are_duplicates() -> None:
    posts = [a_post("we ate the soup of the day", number=number, warning="food, mild") for number in (1, 2)]
    assert [one.reason for one in clean(posts, Filter())] == [None, "duplicates"]


def test_a_post_keeps_its_warning_in_json() -> None:
    post = a_post("we ate soup", warning="food")
    assert parse_post(json.loads(json.dumps(dump_post(post))), ordinal=0) == post
    assert "warning" not in dump_post(a_post())


def test_the_command_writes_the_warning_into_the_text() -> None:
    output = io.BytesIO()
    run_clean(io.BytesIO(b'{"text": "we ate soup", "warning": "food"}'), output, Filter())
    record = json.loads(output.getvalue())
    assert (record["text"], record.get("warning")) == ("food\nwe ate soup", None)
