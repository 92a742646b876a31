"""The standing set's X accounts, as exports of today's form and as Grailbird's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from archives import grailbird
from archives.writing import build_manifest, make_zip, render_grailbird_script, render_script
from archives.ytd import ACCOUNT
from trial.shapes import COMMENTS, CREDITS, LINKS, RETWEETS, SMALL, TITLES, make_link, make_text
from trial.words import FRIENDS, make_names, make_sentence
from tweetbot_demo.archive_rows import Entities, Moment, Row, make_tweet

Content = tuple[bytes, frozenset[str]]
FIRST = datetime(2021, 1, 1, 12, tzinfo=UTC)


def write_replies(random: Random) -> Content:
    """Write an account of which nearly all posts are replies, with the names that X put before them."""
    rows = (_make_reply(random, number) if number % 40 else _make_row(random, number, "X") for number in range(600))
    return _write_export(rows)


def write_old_replies(random: Random) -> Content:
    """Write the like of Grailbird's time, with more names and shorter texts."""
    texts = [f"{make_names(random)} {make_sentence(random, 7, 16)}" for _ in range(300)]
    return _write_grailbird([_make_old_row(number, text, reply=True) for number, text in enumerate(texts)])


def write_titles(random: Random) -> Content:
    """Write a blog's account: titles with their links."""
    shapes = (TITLES, TITLES, LINKS, ("X",), ("X #tide",))
    return _write_export(_make_row(random, number, *random.choice(shapes)) for number in range(600))


def write_threads(random: Random) -> Content:
    """Write threads: replies to oneself between replies to others and plain posts, some posts edited."""
    return _write_export(_iter_thread(random))


def write_retweets(random: Random) -> Content:
    """Write retweets by hand in all spellings, with and without a comment, and native ones."""
    shapes = (RETWEETS, RETWEETS, COMMENTS, CREDITS, ("X",), SMALL, LINKS)
    texts = [make_text(random, *random.choice(shapes)) for _ in range(500)]
    return _write_grailbird([_make_old_row(number, text) for number, text in enumerate(texts)])


def write_cut(random: Random) -> Content:
    """Write an export kept up by a tool: of three in ten posts it has only the beginning, with a link to the post."""
    rows = [_make_old_row(number, make_sentence(random)) for number in range(400)]
    for row in rows:
        if random.random() < 0.3:
            row |= {"text": f"{row['text']}… {make_link(random)}", "truncated": True}
    return _write_grailbird(rows)


def write_whole_archive(random: Random, posts: int) -> bytes:
    """Write an export with the shapes of all accounts above, to time prepare on."""
    shapes = (("X",), ("X",), TITLES, LINKS, RETWEETS, COMMENTS, CREDITS, SMALL)
    rows = (
        _make_reply(random, number) if number % 3 else _make_row(random, number, *random.choice(shapes))
        for number in range(posts)
    )
    return _write_export(rows)[0]


def _iter_thread(random: Random) -> Iterator[Row]:
    for number in range(400):
        if number % 10 == 9:
            yield _make_reply(random, number)
            continue
        row = _make_row(random, number, "X", "X L")
        if number % 2:
            row |= {"in_reply_to_status_id_str": "1", "in_reply_to_user_id_str": ACCOUNT["accountId"]}
            row |= {"in_reply_to_screen_name": ACCOUNT["userName"]}
        if number % 25 == 0:
            row["edit_info"] = {"initial": {"editTweetIds": [_make_moment(number + shift).id for shift in (0, 1)]}}
        yield row


def _make_moment(number: int) -> Moment:
    return Moment(FIRST + timedelta(hours=number), number % 4096)


def _make_row(random: Random, number: int, *shapes: str) -> Row:
    return make_tweet(_make_moment(number), make_text(random, *shapes))


def _make_reply(random: Random, number: int) -> Row:
    names = make_names(random)
    mentions = Entities(mentions=[name.removeprefix("@") for name in names.split()])
    text = f"{names} {make_sentence(random, 11, 22)}{make_text(random, '', '', ' 😂', ' L', ' @N')}"
    row = make_tweet(_make_moment(number), text, mentions)
    row["display_text_range"][0] = str(len(names) + 1)
    row |= {"in_reply_to_status_id_str": "1", "in_reply_to_user_id_str": "77"}
    return row | {"in_reply_to_screen_name": mentions.mentions[0]}


def _write_export(rows: Iterator[Row]) -> Content:
    scripts = {"data/tweets.js": render_script("YTD.tweets.part0", [{"tweet": row} for row in rows])}
    manifest = build_manifest(ACCOUNT, scripts)
    return make_zip({**scripts, "data/manifest.js": manifest}), frozenset()


def _make_old_row(number: int, text: str, *, reply: bool = False) -> grailbird.Tweet:
    moment = _make_moment(number)
    mentions = [{"screen_name": name} for name in FRIENDS if f"@{name}" in text]
    fields = {"in_reply_to_status_id": 1, "in_reply_to_user_id": 77} if reply else {}
    entities = grailbird.build_entities(*mentions)
    return grailbird.make_tweet(
        int(moment.id), f"{moment.at:%Y-%m-%d %H:%M:%S} +0000", text, entities=entities, **fields
    )


def _write_grailbird(rows: list[grailbird.Tweet]) -> Content:
    index = [{"file_name": "data/js/tweets/2021_01.js", "year": 2021, "var_name": "tweets_2021_01", "month": 1}]
    members = {
        "data/js/tweet_index.js": render_grailbird_script("var tweet_index", index),
        "data/js/user_details.js": render_grailbird_script("var user_details", grailbird.USER),
        "data/js/tweets/2021_01.js": render_grailbird_script("Grailbird.data.tweets_2021_01", rows),
    }
    return make_zip(members), frozenset(row["id_str"] for row in rows if row.get("truncated"))
