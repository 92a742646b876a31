"""A Mastodon account as its owner's export."""

import io
import json
import tarfile
import tracemalloc
import zipfile
from io import StringIO
from typing import Any

import pytest

from builders.mastodon import ACTOR, EXPORTS, ME, PNG, PUBLIC, a_boost, a_note, an_outbox, members_of, tarred
from builders.trainer import ObjectsInMemory, texts, zipped
from tweetbot_contract import reasons
from tweetbot_contract.reasons import Reason
from tweetbot_contract.spec.sources import MastodonSource as MastodonSpec
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.interface import Profile
from tweetbot_trainer.data.sources.mastodon.export import AVATAR_LIMIT, open_mastodon_export
from tweetbot_trainer.data.sources.mastodon.source import MastodonExportSource
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log

URI = "s3://team-a/mastodon.zip"


def source(content: bytes, output: StringIO | None = None, **spec: Any) -> MastodonExportSource:
    given = MastodonSpec.model_validate({"uri": URI} | spec)
    return MastodonExportSource(given, 1, reader=ObjectsInMemory(**{URI: content}), log=Log(output or StringIO()))


def posts_in(content: bytes) -> list[Post]:
    return list(source(content).read_posts())


def refusal(content: bytes) -> SpecRefused:
    with pytest.raises(SpecRefused) as raised:
        posts_in(content)
    assert URI in raised.value.message
    return raised.value


@pytest.mark.parametrize("form", EXPORTS)
def test_every_form_of_an_export_holds_the_same_posts(form: str) -> None:
    posts = posts_in(EXPORTS[form](a_note("<p>low tide</p>", number=1), a_note("<p>fog</p>", number=2)))
    assert texts(posts) == ["low tide", "fog"]


def test_what_posts_link_to_makes_an_outbox_no_other_file() -> None:
    page = {"type": "CollectionPage", "next": "https://m.example/replies?page=true", "items": []}
    replies: dict[str, Any] = {
        "replies": {"type": "Collection", "first": page},
        "likes": {"first": "https://m.example/likes"},
    }
    assert texts(posts_in(an_outbox(a_note("<p>fog</p>", attributedTo={"type": "Person"}, **replies)))) == ["fog"]


def test_a_note_becomes_a_post() -> None:
    (post,) = posts_in(an_outbox(a_note("<p>a &lt;b&gt; &amp;amp; c</p>", number=3)))
    assert (post.id, post.text, post.lang, post.source) == (f"{ME}/statuses/3", "a &lt;b&gt; &amp;amp; c", "en", 1)
    assert post.created_at is not None
    assert post.created_at.isoformat() == "2024-01-03T12:00:00+00:00"


def test_replies_quotes_and_boosts_are_distinguished() -> None:
    posts = posts_in(an_outbox(a_note(inReplyTo="https://x/1"), a_note(number=2, quote="https://x/2"), a_boost(3)))
    assert [(post.reply, post.quote, post.retweet) for post in posts] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
    assert posts[2].text == ""


@pytest.mark.parametrize("to", [[f"{ME}/followers"], [], None, "https://x/users/friend", [None], {"as:Public": 1}])
def test_what_was_written_for_fewer_readers_is_not_read(to: Any) -> None:
    output = StringIO()
    private = [a_note("<p>secret</p>", to=to, cc=[PUBLIC]), a_boost(2, to=to)]
    assert texts(source(an_outbox(*private, a_note("<p>fog</p>")), output).read_posts()) == ["fog"]
    assert json.loads(output.getvalue())["notPublic"] == 2


def test_a_boost_of_an_own_private_post_stays_private() -> None:
    private = {"id": f"{ME}/statuses/9", "type": "Note", "to": [f"{ME}/followers"], "content": "<p>secret</p>"}
    assert posts_in(an_outbox(a_boost(1, object=private))) == []


@pytest.mark.parametrize("public", [PUBLIC, [PUBLIC], "as:Public", ["Public", "https://x/users/friend"]])
def test_every_spelling_of_public_is_public(public: Any) -> None:
    assert len(posts_in(an_outbox(a_note(to=public)))) == 1


UNLISTED: dict[str, Any] = {"to": [f"{ME}/followers"], "cc": [PUBLIC]}
FOLLOWERS: dict[str, Any] = {"to": [f"{ME}/followers"], "cc": []}


@pytest.mark.parametrize(
    ("visibility", "read"), [(["Public"], ["1"]), (["Public", "Unlisted"], ["1", "2"]), (["Unlisted"], ["2"])]
)
def test_unlisted_posts_are_read_where_the_spec_asks_for_them(visibility: list[str], read: list[str]) -> None:
    notes = [a_note("<p>1</p>"), a_note("<p>2</p>", **UNLISTED), a_note("<p>3</p>", **FOLLOWERS)]
    direct = a_note("<p>4</p>", to=["https://x/users/friend"], cc=[])
    export = source(an_outbox(*notes, direct), visibility=visibility)
    assert texts(export.read_posts()) == read
    assert export.build_report().left_out["not_public"] == 4 - len(read)


def test_the_narrower_visibility_of_a_boost_and_of_its_own_post_counts() -> None:
    own = {"id": f"{ME}/statuses/9", "type": "Note", "content": "<p>secret</p>"}
    boosts = [a_boost(1, object=own | FOLLOWERS), a_boost(2, object=own | UNLISTED), a_boost(3, **UNLISTED)]
    assert len(list(source(an_outbox(*boosts), visibility=["Public", "Unlisted"]).read_posts())) == 2


def test_unlisted_posts_that_were_left_out_are_named_with_the_field_that_reads_them() -> None:
    export = source(an_outbox(a_note(**UNLISTED), a_note(**UNLISTED), a_note(**FOLLOWERS)))
    assert list(export.read_posts()) == []
    advice = export.build_report().advice["not_public"]
    assert (
        advice
        == "2 of them are unlisted; to read these, set visibility: [Public, Unlisted] in spec.sources[1].mastodon"
    )
    private = source(an_outbox(a_note(**FOLLOWERS)))
    list(private.read_posts())
    assert private.build_report().advice == {}


def test_every_item_is_read_or_left_out_under_a_name() -> None:
    items = [a_note(), a_boost(2), a_note(**UNLISTED), a_note() | {"type": "Delete"}, None]
    export = source(an_outbox(*items))
    posts = len(list(export.read_posts()))
    report = export.build_report()
    assert (report.claimed, posts) == (5, 2)
    assert report.left_out == {"not_public": 1, "not_posts": 1, "unreadable": 1}


@pytest.mark.parametrize(("total", "stated"), [(7, 7), (0, 0), (-1, None), ("7", None), (True, None), (None, None)])
def test_what_the_outbox_says_that_it_holds_is_told(total: Any, stated: int | None) -> None:
    export = source(an_outbox(a_note(), totalItems=total))
    assert len(list(export.read_posts())) == 1
    assert export.build_report().claimed == stated


def test_a_content_warning_is_kept_beside_the_text() -> None:
    (post,) = posts_in(an_outbox(a_note("<p>we ate soup</p>", summary="food & fish")))
    assert (post.warning, post.text) == ("food &amp; fish", "we ate soup")


def test_a_content_warning_is_dropped_where_the_spec_says_so() -> None:
    (post,) = source(an_outbox(a_note("<p>fog</p>", summary="weather")), contentWarnings="Drop").read_posts()
    assert (post.warning, post.text) == ("", "fog")


def test_a_sensitive_picture_changes_nothing() -> None:
    assert texts(posts_in(an_outbox(a_note("<p>fog</p>", sensitive=True)))) == ["fog"]


def test_polls_are_posts_and_other_activities_are_none() -> None:
    output = StringIO()
    others = [a_note() | {"type": "Delete"}, a_note() | {"object": "https://x/1"}]
    assert texts(source(an_outbox(a_note("<p>tea?</p>", type="Question"), *others), output).read_posts()) == ["tea?"]
    assert json.loads(output.getvalue())["others"] == 2


@pytest.mark.parametrize(
    ("languages", "lang"),
    [
        ({"pt-BR": ""}, "pt"),
        ({"ptBr": ""}, "pt"),
        ({"zhCn": ""}, "zh"),
        ({"zhTw": ""}, "zh"),
        ({"yueHk": ""}, "yue"),
        ({"EN": ""}, "en"),
        ({}, None),
        (None, None),
        ({"null": ""}, None),
    ],
)
def test_the_language_is_the_content_maps(languages: Any, lang: str | None) -> None:
    assert posts_in(an_outbox(a_note(contentMap=languages)))[0].lang == lang


def test_a_post_without_text_or_time_is_a_post() -> None:
    (post,) = posts_in(an_outbox(a_note(content=None, published="soon")))  # type: ignore[arg-type]
    assert (post.text, post.created_at) == ("", None)


def test_an_account_that_posted_nothing_is_named() -> None:
    assert "its outbox.json has 0 posts" in refusal(an_outbox()).message


@pytest.mark.parametrize("form", ["zip", "tar.gz"])
def test_the_profile_comes_from_the_archive(form: str) -> None:
    export = source(EXPORTS[form](a_note()))
    assert export.read_profile() is None
    list(export.read_posts())
    assert export.read_profile() == Profile(ME, "gull@mastodon.example", "Harbour Gull", PNG)


@pytest.mark.parametrize(
    ("actor", "profile"),
    [
        (b"{", None),
        (b"[]", Profile(avatar=PNG)),
        (json.dumps(ACTOR | {"id": 5, "name": ""}).encode(), Profile(handle="gull", avatar=PNG)),
        (
            json.dumps(ACTOR | {"id": "http://["}).encode(),
            Profile("http://[", "gull", "Harbour Gull", PNG),
        ),
    ],
)
def test_a_damaged_account_fails_nothing(actor: bytes, profile: Profile | None) -> None:
    export = source(zipped(members_of(a_note()) | {"actor.json": actor}))
    assert len(list(export.read_posts())) == 1
    assert export.read_profile() == profile


@pytest.mark.parametrize("picture", [b"GIF89a", PNG + b"\0" * AVATAR_LIMIT])
def test_a_picture_of_another_kind_or_size_is_left_out(picture: bytes) -> None:
    export = source(tarred(members_of(a_note()) | {"avatar.png": picture}))
    list(export.read_posts())
    assert export.read_profile() == Profile(ME, "gull@mastodon.example", "Harbour Gull")


@pytest.mark.parametrize("pack", [zipped, tarred], ids=["zip", "tar.gz"])
@pytest.mark.parametrize("folder", ["", "./", "export/"])
def test_an_archive_that_was_packed_again_is_read(pack: Any, folder: str) -> None:
    members = {f"{folder}{name}": content for name, content in members_of(a_note()).items()}
    export = source(pack(members | {"__MACOSX/outbox.json": b"\0"}))
    assert len(list(export.read_posts())) == 1
    assert export.read_profile() is not None


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_kind_of_tar_is_read(format: int) -> None:
    members = {"media/" + "long/" * 60 + "film.mp4": b"\0" * 1024} if format != tarfile.USTAR_FORMAT else {}
    assert len(posts_in(tarred(members | members_of(a_note()), format=format))) == 1


def test_likes_and_bookmarks_are_never_opened() -> None:
    """Their headers are destroyed, so opening one would end in an error."""
    content = bytearray(zipped(members_of(a_note())))
    for name in (b"likes.json", b"bookmarks.json", b"header.png"):
        start = content.rindex(b"PK\x03\x04", 0, content.index(name))
        content[start : start + 4] = b"gone"
    assert len(posts_in(bytes(content))) == 1


@pytest.mark.parametrize(
    ("item", "fault"),
    [
        (5, "it is not an activity"),
        (None, "it is not an activity"),
        (a_note(id=None), "it has no id"),
        (a_note(id="x" * 3000), "it has no id"),
        (a_boost(id=""), "it has no id"),
    ],
)
def test_a_bad_item_is_left_out_counted_and_named(item: Any, fault: str) -> None:
    export = source(an_outbox(a_note(), item))
    assert len(list(export.read_posts())) == 1
    assert export.build_report().left_out["unreadable"] == 1
    assert f"The first is row 2, line 1 of its outbox.json: {fault}" in export.build_report().warnings[0].message


def test_an_outbox_of_bad_items_is_refused() -> None:
    failure = refusal(an_outbox(*[a_note()] * 10, *[5] * 10))
    assert failure.reason is reasons.SOURCE_UNREADABLE
    assert "10 of 20 records cannot be read; at most 5 % may be. The first is row 11, line 1 of" in failure.message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"error":"This method requires an authenticated user"}', "it is a server's answer"),
        (b"<!doctype html><title>Mastodon</title>", "it is a web page"),
        (an_outbox(a_note()).decode().encode("utf-16"), "UTF-16"),
        (an_outbox(a_note("caf\xe9")).decode().encode("cp1252"), "not UTF-8 but Windows-1252, it seems (byte 0xe9)"),
        (an_outbox(a_note())[:-60], "row 1, line 1, column "),
    ],
)
def test_what_the_file_is_instead_of_an_outbox_is_told(content: bytes, words: str) -> None:
    assert words in refusal(content).message


def locked() -> bytes:
    """Return a zip whose outbox needs a password, as its flag says."""
    content = bytearray(zipped({"outbox.json": an_outbox()}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", reasons.SOURCE_TRUNCATED),
        (b"<!doctype html>", reasons.SOURCE_NOT_AN_EXPORT),
        (b"\xff\xfe{", reasons.SOURCE_UNREADABLE),
        (b"{}", reasons.SOURCE_UNREADABLE),
        (an_outbox(orderedItems="https://x/outbox?page=true"), reasons.SOURCE_UNREADABLE),
        (an_outbox(a_note())[:-60], reasons.SOURCE_UNREADABLE),
        (an_outbox(a_note()) + b"{}", reasons.SOURCE_UNREADABLE),
        (b'{"orderedItems":' + b"[" * 100_000, reasons.SOURCE_UNREADABLE),
        (EXPORTS["tar.gz"](a_note())[:-30], reasons.SOURCE_TRUNCATED),
        (EXPORTS["tar.gz"](a_note())[:300], reasons.SOURCE_TRUNCATED),
        (EXPORTS["zip"](a_note())[:-60], reasons.SOURCE_TRUNCATED),
        (b"\x1f\x8b\x08 no gzip at all", reasons.SOURCE_UNREADABLE),
        (zipped({"data/tweets.js": b""}), reasons.SOURCE_NOT_AN_EXPORT),
        (tarred({"tweets.js": b""}), reasons.SOURCE_NOT_AN_EXPORT),
        (tarred({}), reasons.SOURCE_NOT_AN_EXPORT),
        (zipped({"outbox.json": an_outbox(), "other/outbox.json": an_outbox(a_note())}), reasons.SOURCE_UNREADABLE),
        (locked(), reasons.SOURCE_ENCRYPTED),
    ],
)
def test_a_file_of_another_kind_is_reported(content: bytes, reason: Reason) -> None:
    assert refusal(content).reason is reason


def test_a_changed_byte_of_a_tar_is_noticed() -> None:
    whole = tarred(members_of(*(a_note(number=number) for number in range(1, 20))))
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 1
    assert refusal(bytes(damaged)).reason in (reasons.SOURCE_UNREADABLE, reasons.SOURCE_TRUNCATED)


@pytest.mark.parametrize("form", EXPORTS)
def test_an_outbox_too_large_is_refused_unread(form: str) -> None:
    with pytest.raises(SpecRefused, match=r"SourceTooLarge: (outbox\.json in the .*|it) has \d+ bytes"):
        open_mastodon_export(io.BytesIO(EXPORTS[form](a_note())), largest=10)


@pytest.mark.parametrize("name", ["avatar.png", "actor.json", "outbox.json"])
def test_a_member_that_unpacks_to_more_than_it_claims_takes_no_memory(name: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"0" * 32 * 1024**2)
        archive.getinfo(name).file_size = 1000
    tracemalloc.start()
    try:
        refusal(file.getvalue())
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024**2
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (f"{ME}/statuses/1", (True, True, "no fog")),
        (f"{ME}2/statuses/1", (True, False, "no fog")),
        ("https://m.example/users/crab/statuses/1", (True, False, "no fog")),
        (None, (False, False, "@crab no fog")),
    ],
)
def test_a_reply_has_names_before_it_and_may_be_to_oneself(
    answered: str | None, expected: tuple[bool, bool, str]
) -> None:
    name = '<span class="h-card"><a href="https://m.example/@crab" class="u-url mention">@<span>crab</span></a></span>'
    note = a_note(f"<p>{name} no fog</p>", inReplyTo=answered, attributedTo=ME)
    (post,) = posts_in(an_outbox(note))
    assert (post.reply, post.to_self, post.text[post.names_end :]) == expected


def test_an_export_that_attributes_nothing_knows_the_author_by_the_activity() -> None:
    note = a_note("<p>and so on</p>", inReplyTo=f"{ME}/statuses/1", attributedTo=None)
    assert posts_in(an_outbox(note | {"actor": ME}))[0].to_self
