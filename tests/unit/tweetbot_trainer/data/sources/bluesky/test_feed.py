"""A Bluesky account by its public API: our client against our fake on a real socket."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.x import NOW, Clock
from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import BlueskySource
from tweetbot_fakes.remotes import bluesky as fake
from tweetbot_fakes.remotes.bluesky import Answer, FakeBluesky
from tweetbot_trainer.data.dataset.source_counts import SourceCounts
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.bluesky.feed import BlueskyFeed
from tweetbot_trainer.data.sources.interface import Profile
from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.runtime.log import Log

GULL = "gull.example.com"


class Network:
    """A fake Bluesky, and time that passes only by waiting."""

    def __init__(self, server: FakeBluesky) -> None:
        self.server, self.clock, self.output = server, Clock(), StringIO()
        self.account = server.add_account(GULL)

    def source(self, **spec: Any) -> BlueskyFeed:
        given = BlueskySource.model_validate({"actor": GULL, "apiBaseURL": self.server.url} | spec)
        log = Log(self.output)
        return BlueskyFeed(given, 1, retry_budget=self.clock.budget(log=log), log=log)

    def posts(self, *feed: fake.Json, **spec: Any) -> list[Post]:
        """Return what the source makes of these items of the feed."""
        self.account.feed = list(feed) or self.account.feed
        return list(self.source(**spec).read_posts())

    def failure(self, *faults: Answer, **spec: Any) -> StageError:
        self.server.faults = list(faults)
        with pytest.raises(StageError) as raised:
            list(self.source(**spec).read_posts())
        return raised.value


@pytest.fixture
def world() -> Iterator[Network]:
    with FakeBluesky() as server:
        yield Network(server)


def test_a_feed_is_read_page_by_page_and_each_post_once(world: Network) -> None:
    feed = [fake.view(number) for number in range(250, 0, -1)]
    posts = world.posts(*feed, feed[-1])
    assert [post.id for post in posts] == [item["post"]["uri"] for item in feed]
    asked = [query for path, query in world.server.requests if path.endswith("getAuthorFeed")]
    assert [query.get("cursor") for query in asked] == [None, "100", "200"]
    assert {(query["actor"], query["limit"], query["filter"]) for query in asked} == {
        (GULL, "100", "posts_with_replies")
    }


def test_a_post_of_the_api_becomes_a_post(world: Network) -> None:
    (post,) = world.posts(fake.view(7, "low tide & <fog>", langs=["pt-BR", "en"]))
    assert (post.id, post.text, post.lang, post.source) == (
        f"at://{fake.DID}/app.bsky.feed.post/{fake.key_of(7)}",
        "low tide &amp; &lt;fog&gt;",
        "pt",
        1,
    )
    assert post.created_at is not None
    assert post.created_at.isoformat() == "2024-01-08T12:00:00+00:00"


def test_replies_quotes_and_reposts_are_distinguished(world: Network) -> None:
    posts = world.posts(
        fake.view(5, reply={"parent": {"uri": "at://x"}, "root": {"uri": "at://x"}}),
        fake.view(4, embed={"$type": "app.bsky.embed.record", "record": {}}),
        fake.view(3, embed={"$type": "app.bsky.embed.images", "images": []}),
        fake.reposted(2),
    )
    assert [(post.reply, post.quote, post.retweet) for post in posts] == [
        (True, False, False),
        (False, True, False),
        (False, False, False),
        (False, False, True),
    ]


@pytest.mark.parametrize("uri", [True, False])
def test_somebody_elses_words_are_counted_and_not_kept(world: Network, uri: bool) -> None:
    posts = world.posts(fake.reposted(2, uri=uri), fake.view(2, "my own"), fake.view(1, author="did:plc:another"))
    assert [(post.retweet, post.text) for post in posts] == [(True, ""), (False, "my own"), (True, "")]
    assert len({post.id for post in posts}) == 3


def test_max_posts_is_never_passed(world: Network) -> None:
    world.account.feed = [fake.view(number) for number in range(250, 0, -1)]
    assert len(world.posts(maxPosts=130)) == 130
    assert len(world.server.requests) == 3


def test_an_account_without_posts_has_none(world: Network) -> None:
    assert world.posts() == []


def test_a_record_that_is_no_post_is_left_out_and_counted(world: Network) -> None:
    odd = fake.view(2)
    odd["post"]["record"]["text"] = 5
    world.account.feed = [odd, fake.view(1)]
    source = world.source()
    assert len(list(source.read_posts())) == 1
    report = source.build_report()
    assert report.left_out == {"repeated": 0, "unreadable": 1}
    assert f"the record {odd['post']['uri']}: it has no text" in report.warnings[0].message


@pytest.mark.parametrize(
    ("counted", "max_posts", "total", "left_out"),
    [
        (3, 100, 5, {"repeated": 1, "unreadable": 0}),  # as many as there are
        (9, 100, 11, {"repeated": 1, "unreadable": 0}),  # so six are missing
        (9, 3, 10, {"repeated": 0, "unreadable": 0, "older": 7}),
        (0, 3, 1, {"repeated": 0, "unreadable": 0, "older": 0}),
        (None, 3, None, {"repeated": 0, "unreadable": 0}),
        (True, 3, None, {"repeated": 0, "unreadable": 0}),
        (-1, 3, None, {"repeated": 0, "unreadable": 0}),
    ],
)
def test_the_profile_counts_posts_and_replies_but_no_reposts(
    world: Network, counted: Any, max_posts: int, total: int | None, left_out: dict[str, int]
) -> None:
    world.account.profile["postsCount"] = counted
    world.account.feed = [fake.view(4), fake.reposted(3), fake.view(2), fake.view(1), fake.view(1)]
    source = world.source(maxPosts=max_posts)
    list(source.read_posts())
    report = source.build_report()
    assert (report.claimed, dict(report.left_out)) == (total, left_out)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    good=st.integers(60, 120),
    again=st.integers(0, 5),
    damaged=st.integers(0, 3),
    reposts=st.integers(0, 9),
    lost=st.integers(0, 9),
)
def test_what_the_profile_counts_is_read_left_out_or_missing(
    good: int, again: int, damaged: int, reposts: int, lost: int
) -> None:
    posts = [fake.view(number) for number in range(good)]
    bare = [fake.view(1000 + number) for number in range(damaged)]
    for item in bare:
        del item["post"]["record"]["text"]
    others = [fake.reposted(2000 + number) for number in range(reposts)]
    with FakeBluesky() as server:
        network = Network(server)
        network.account.feed = [*posts, *bare, *others, *posts[:again]]
        network.account.profile["postsCount"] = good + damaged + lost
        source = network.source()
        read = len(list(source.read_posts()))
        counts = SourceCounts(source.build_report(), read)
    assert counts.posts + sum(counts.report.left_out.values()) == len(network.account.feed)
    assert counts.missing == lost


def test_empty_pages_are_passed_by_and_come_to_an_end(world: Network) -> None:
    def page(number: int, *feed: fake.Json) -> Answer:
        return Answer(200, json.dumps({"feed": feed, "cursor": str(number)}).encode())

    account = Answer(200, json.dumps({"did": fake.DID}).encode())
    world.server.faults = [account, page(1), page(2, fake.view(1)), *(page(number) for number in range(3, 20))]
    assert len(world.posts()) == 1
    assert len(world.server.faults) == 11


def test_an_account_for_signed_in_people_is_left_alone(world: Network) -> None:
    world.account.profile["labels"] = [{"val": "!no-unauthenticated", "src": fake.DID}]
    world.account.feed = [fake.view(1)]
    failure = world.failure()
    assert failure.reason is reasons.ACCOUNT_PROTECTED
    assert "sources[].bluesky.car" in failure.message
    assert len(world.server.requests) == 1


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"ratelimit_reset": str(int(NOW) + 100)}, 101),
        ({"ratelimit_reset": str(int(NOW) - 100)}, 60),
        ({"retry_after": "30"}, 30),
        ({"ratelimit_reset": "soon", "retry_after": "9" * 30}, 60),
        ({}, 60),
    ],
)
def test_a_limit_is_waited_out(world: Network, headers: dict[str, str], wait: float) -> None:
    world.account.feed = [fake.view(1)]
    world.server.faults = [fake.error(429, "RateLimitExceeded", "Rate Limit Exceeded", **headers)]
    assert len(world.posts()) == 1
    assert sum(world.clock.waits) == wait


def test_a_redirect_is_not_followed(world: Network) -> None:
    with FakeBluesky() as inner:
        away = {"location": f"{inner.url}/xrpc/app.bsky.actor.getProfile"}
        assert world.failure(*[Answer(302, b"", away)] * 100).reason == reasons.BLUESKY_UNAVAILABLE
        assert inner.requests == []


def test_a_limit_beyond_the_budget_says_until_when(world: Network) -> None:
    failure = world.failure(fake.error(429, "RateLimitExceeded", ratelimit_reset=str(int(NOW) + 7200)))
    assert failure.reason is reasons.RATE_LIMITED
    assert failure.message.endswith("before 2023-11-15T00:13:21Z")
    assert world.clock.waits == []


@pytest.mark.parametrize("body", [{"did": ""}, {"handle": GULL}])
def test_an_account_without_an_id_is_a_bad_answer(world: Network, body: fake.Json) -> None:
    assert world.failure(Answer(200, json.dumps(body).encode())).reason is reasons.BLUESKY_BAD_PAYLOAD


@pytest.mark.parametrize("page", [{}, {"feed": {}}, {"feed": [1]}, {"feed": [{"post": {}}]}, {"feed": [{"post": 1}]}])
def test_a_page_that_is_none_is_a_bad_answer(world: Network, page: fake.Json) -> None:
    account = Answer(200, json.dumps({"did": fake.DID}).encode())
    failure = world.failure(account, *[Answer(200, json.dumps({"cursor": "1"} | page).encode())] * 3)
    assert failure.reason is reasons.BLUESKY_BAD_PAYLOAD


def test_an_address_that_is_none_is_reported(world: Network) -> None:
    failure = world.failure(apiBaseURL="http://[")
    assert failure.reason is reasons.SPEC_REFUSED
    assert "apiBaseURL" in failure.message


def test_the_profile_has_name_and_picture(world: Network) -> None:
    source = world.source()
    assert source.read_profile() is None
    list(source.read_posts())
    assert source.read_profile() == Profile(fake.DID, GULL, "Harbour Gull", fake.PNG)


@pytest.mark.parametrize("address", ["http://169.254.169.254/latest", "file:///etc/passwd", "http://[", "elsewhere"])
def test_a_picture_on_another_host_is_not_fetched(world: Network, address: str) -> None:
    world.account.profile |= {"avatar": address, "displayName": ""}
    source = world.source()
    list(source.read_posts())
    assert source.read_profile() == Profile(fake.DID, GULL)
    assert len(world.server.requests) == 2


@pytest.mark.parametrize("fault", [fake.plain(500, b""), fake.CUT, fake.plain(200, b"x" * (2 * 1024**2 + 1))])
def test_a_picture_that_cannot_be_had_is_left_out(world: Network, fault: Answer) -> None:
    source = world.source()
    list(source.read_posts())
    world.server.faults = [fault]
    assert source.read_profile() == Profile(fake.DID, GULL, "Harbour Gull")
    assert "bluesky.avatar" in world.output.getvalue()
