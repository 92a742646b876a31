"""Replies of the X API: to whom they are, and where their own text begins."""

from typing import Any

import pytest

from builders.x import Clock, read
from tweetbot_fakes.remotes import x_api as fake
from tweetbot_fakes.remotes.x_api import FakeX
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.x_api.records import parse_posts


def a_post_of(text: str, **fields: Any) -> Post:
    (post,) = parse_posts({"data": [fake.tweet(1, text, **fields)]}, 0, author="7")
    return post


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"in_reply_to_user_id": "5"}, (True, False, "no")),
        ({"in_reply_to_user_id": "7"}, (True, True, "no")),
        ({"referenced_tweets": [{"type": "replied_to", "id": "1"}]}, (True, False, "no")),
        ({"in_reply_to_user_id": "5", "note_tweet": {"text": "@crab a long no"}}, (True, False, "a long no")),
        ({"referenced_tweets": [{"type": "quoted", "id": "1"}]}, (False, False, "@crab @eel no")),
    ],
)
def test_a_reply_has_names_before_it_and_may_be_to_oneself(
    fields: dict[str, Any], expected: tuple[bool, bool, str]
) -> None:
    post = a_post_of("@crab @eel no", **fields)
    assert (post.reply, post.to_self, post.text[post.names_end :]) == expected


def test_the_timeline_knows_whose_it_is(x: FakeX, clock: Clock) -> None:
    account = x.add_account("harbour_gull")
    account.posts = [fake.tweet(1, "and so on", in_reply_to_user_id=account.id)]
    assert [post.to_self for post in read(x, clock)] == [True]
