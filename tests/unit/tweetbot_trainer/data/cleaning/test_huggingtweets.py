"""What the recipe huggingtweets does with posts; test_cases.py has what it does with texts."""

from builders.trainer import a_post, count_posts
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import clean

ORIGINAL = Filter(recipe="huggingtweets")


def test_native_retweets_go_and_old_ones_stay() -> None:
    posts = [a_post("RT @gull: the tide is low", retweet=True), a_post("RT @gull: the tide is low")]
    assert [one.reason for one in clean(posts, ORIGINAL)] == ["retweets", None]


def test_nothing_else_is_dropped_or_changed() -> None:
    posts = [
        a_post("the tide is low", reply=True, lang="de"),
        a_post("the tide is low"),
        a_post("write to gull@harbour.example or so"),
        a_post("@gull the tide is low", reply=True, names_end=6),
        a_post("the tide is l… https", truncated=True),
    ]
    cleaned = list(clean(posts, ORIGINAL))
    assert [one.text for one in cleaned] == [post.text for post in posts]
    assert all(one.kept for one in cleaned)


def test_the_table_is_the_model_cards() -> None:
    posts = [a_post("RT @a: x y z", retweet=True), a_post("low tide"), a_post("one two three"), a_post("four five six")]
    table = count_posts(clean(posts, ORIGINAL))
    assert (table.downloaded, table.retweets, table.short, table.kept) == (4, 1, 1, 2)
