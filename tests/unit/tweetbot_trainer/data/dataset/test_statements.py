"""What a spec says of its subject is compared with the profiles of its sources."""

import pytest

from tweetbot_contract.spec.sources import Source
from tweetbot_contract.spec.spec import Subject
from tweetbot_trainer.data.dataset.profiles import CardAccount
from tweetbot_trainer.data.dataset.statements import Contradictions, find_contradictions

KINDS = {
    "archive": {"archive": {"uri": "s3://team-a/export.zip"}},
    "x": {"x": {"handle": "gull", "tokenSecret": {"name": "x", "key": "token"}, "acceptTerms": True}},
    "bluesky": {"bluesky": {"actor": "gull.example.org"}},
    "mastodon": {"mastodon": {"uri": "s3://team-a/outbox.json"}},
    "posts": {"posts": {"uri": "s3://team-a/posts.jsonl"}},
}


def found(relation: str, *accounts: tuple[str, str | None], handle: str = "gull") -> Contradictions:
    """Compare a subject with sources, each a kind and the handle in its profile."""
    sources = [Source.model_validate(KINDS[kind]) for kind, _ in accounts]
    profiles = [CardAccount(index, name) for index, (_, name) in enumerate(accounts) if name]
    return find_contradictions(Subject.model_validate({"handle": handle, "relation": relation}), sources, profiles)


@pytest.mark.parametrize("kind", ["archive", "x", "bluesky", "mastodon"])
def test_an_account_with_a_profile_is_not_fictional(kind: str) -> None:
    contradictions = found("Fictional", (kind, "gull"))
    assert contradictions.relation
    assert "spec.subject.relation is Fictional, but sources[0]" in contradictions.messages[0]


def test_posts_of_a_file_may_be_fictional() -> None:
    assert found("Fictional", ("posts", None)) == Contradictions("gull")


@pytest.mark.parametrize(
    ("relation", "without"), [("Self", True), ("Consented", True), ("Parody", False), ("Unspecified", False)]
)
def test_posts_of_another_account_are_called_so(relation: str, without: bool) -> None:
    contradictions = found(relation, ("archive", "heron"))
    assert (contradictions.imitated, contradictions.others) == ("heron", ("heron",))
    assert contradictions.relation is without
    (message,) = contradictions.messages
    assert "spec.subject.handle is gull, but posts are those of @heron" in message
    assert ("without the relation" in message) is without


def test_a_second_account_contradicts_its_owner_alone() -> None:
    """Who agreed or is parodied is among the accounts."""
    several = (("archive", "gull"), ("x", "heron"))
    assert [found(relation, *several).messages != () for relation in ("Self", "Consented", "Parody")] == [
        True, False, False,
    ]  # fmt: skip
    assert found("Consented", *several) == Contradictions("gull", others=("heron",))
    assert found("Self", *several).imitated == "gull"


@pytest.mark.parametrize(
    ("kind", "name", "handle"),
    [
        ("archive", "GULL", "gull"),
        ("bluesky", "heron.example.org", "gull"),
        ("mastodon", "heron@example.org", "gull"),
        ("archive", "gull", "gull.example.org"),
    ],
)
def test_handles_of_other_networks_and_in_other_case_contradict_nothing(kind: str, name: str, handle: str) -> None:
    assert found("Self", (kind, name), handle=handle) == Contradictions(handle)


def test_a_domain_is_compared_with_accounts_of_bluesky() -> None:
    contradictions = found("Self", ("bluesky", "heron.example.org"), handle="gull.example.org")
    assert contradictions.imitated == "heron.example.org"


def test_a_profile_of_no_source_contradicts_nothing() -> None:
    subject = Subject(handle="gull", relation="Self")
    sources = [Source.model_validate(KINDS["posts"])]
    assert find_contradictions(subject, sources, [CardAccount(7, "heron")]) == Contradictions("gull")
