"""The standing set's Mastodon accounts."""

from random import Random
from typing import Any

from builders.mastodon import ME, PUBLIC, a_boost, a_note, members_of, tarred
from trial.words import make_sentence

FOLLOWERS = f"{ME}/followers"


def write_unlisted(random: Random) -> tuple[bytes, frozenset[str]]:
    """Write an account that posts unlisted by habit, as one had 86 % so; some posts for followers, some boosts."""
    kinds = random.choices(("unlisted", "public", "followers", "boost"), (80, 12, 4, 4), k=800)
    return _write([_make_activity(random, number, kind) for number, kind in enumerate(kinds)])


def write_warnings(random: Random) -> tuple[bytes, frozenset[str]]:
    """Write public posts of which a quarter has a content warning, in languages whose keys Mastodon has camelised."""
    return _write([_make_activity(random, number, "warned" if number % 4 == 0 else "public") for number in range(240)])


def _make_activity(random: Random, number: int, kind: str) -> dict[str, Any]:
    at = f"20{10 + number // 336}-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}T12:00:00Z"
    if kind == "boost":
        return a_boost(number, published=at)
    content = f"<p>{make_sentence(random)}</p>"
    fields: dict[str, Any] = {"published": at, "contentMap": {random.choice(("en", "en", "enGb")): content}}
    if kind == "warned":
        fields["summary"] = make_sentence(random, 1, 3)
    place = {"unlisted": ([FOLLOWERS], [PUBLIC]), "followers": ([FOLLOWERS], [])}.get(kind, ([PUBLIC], [FOLLOWERS]))
    return a_note(content, number=number, to=place[0], cc=place[1], **fields)


def _write(activities: list[dict[str, Any]]) -> tuple[bytes, frozenset[str]]:
    return tarred(members_of(*activities)), frozenset()
