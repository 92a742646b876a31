"""A Mastodon account as its owner's export: the public posts of its outbox, without HTML.

Unlisted posts, posts for followers and direct messages are skipped: their author chose fewer readers.
"""

import html
import io
import json
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import MastodonSource as MastodonSpec
from tweetbot_trainer.data.posts import BadPost, Json, Post, clean_text, find_time, parse_language
from tweetbot_trainer.data.sources import json_array
from tweetbot_trainer.data.sources.archive_files import BROKEN, Member, build_refusal, put_address, translate_damage
from tweetbot_trainer.data.sources.interface import NAME_LIMIT, PICTURE_SIGNATURES, ObjectReader, Profile, SourceReport
from tweetbot_trainer.data.sources.mastodon.export import OUTBOX, MastodonExport, open_mastodon_export
from tweetbot_trainer.data.sources.mastodon.html import extract_text
from tweetbot_trainer.runtime.log import Log

#: The recipient of public posts, in the three spellings of ActivityPub, section 5.6.
PUBLIC = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})
_QUOTED = ("quote", "quoteUri", "quoteUrl", "_misskey_quote")


class MastodonExportSource:
    """The public posts and boosts of an export."""

    def __init__(self, spec: MastodonSpec, index: int, *, reader: ObjectReader, log: Log) -> None:
        self._uri, self._index, self._reader, self._log = spec.uri, index, reader, log
        self._export: MastodonExport | None = None

    def read_posts(self) -> Iterator[Post]:
        """Yield the export's public posts, with boosts flagged as retweets.

        Raises SpecRefused: SourceUnreadable, SourceTruncated, SourceEncrypted, SourceNotAnExport or SourceTooLarge.
        """
        counts: Counter[str] = Counter()
        with self._reader.open_seekable(self._uri) as file, put_address(self._uri):
            self._export = open_mastodon_export(file)
            yield from self._read_outbox(self._export.outbox, counts)
            if not counts.total():
                message = "it is a Mastodon export, but its outbox.json has 0 posts"
                advice = "check that it is the account you mean, or leave this source out"
                raise build_refusal(message, reasons.SOURCE_NOT_AN_EXPORT, advice=advice)
        totals = {"posts": counts["post"], "notPublic": counts["not public"], "others": counts["no post"]}
        self._log.info("mastodon.read", source=self._index, **totals)

    def build_report(self) -> SourceReport:
        """Return what was left out."""
        return SourceReport()

    def read_profile(self) -> Profile | None:
        """Return the account's profile as far as the export holds it."""
        export = self._export
        try:
            actor = json.loads(export.account) if export and export.account else None
        except (ValueError, RecursionError):
            actor = None
        if export is None or actor is None:
            return None
        name, user, address = (_read_text(actor, key) for key in ("name", "preferredUsername", "id"))
        return Profile(
            account_id=address,
            handle=f"{user}@{_get_host(address)}" if user and _get_host(address) else user,
            display_name=name[:NAME_LIMIT] if name else None,
            avatar=export.picture if (export.picture or b"").startswith(PICTURE_SIGNATURES) else None,
        )

    def _read_outbox(self, outbox: Member, counts: Counter[str]) -> Iterator[Post]:
        try:
            with outbox.open() as content:
                text = io.TextIOWrapper(content, encoding="utf-8-sig", newline="")
                for number, item in enumerate(json_array.iter_items_under(text, "orderedItems"), start=1):
                    post = _parse_item(item, number, self._index)
                    counts["post" if isinstance(post, Post) else post] += 1
                    if isinstance(post, Post):
                        yield post
        except BROKEN as error:
            raise translate_damage(error, outbox.label) from error


def _parse_item(item: object, number: int, source: int) -> Post | str:
    try:
        return _parse_post(item, source)
    except BadPost as error:
        raise BadPost(f"item {number} of {OUTBOX} {error}") from error


def _parse_post(activity: object, source: int) -> Post | str:
    """Parse an activity; returns why if it is not a public post. Raises BadPost."""
    if not isinstance(activity, dict):
        raise BadPost("is not an activity")
    thing = activity.get("object")
    if not all(_is_public(one) for one in (activity, thing) if isinstance(one, dict)):
        return "not public"
    if activity.get("type") == "Announce":
        at = find_time(activity.get("published"))
        return Post(_read_id(activity), "", at, source=source, retweet=True)
    if activity.get("type") != "Create" or not isinstance(thing, dict):
        return "no post"
    return Post(
        id=_read_id(thing),
        text=html.escape(_build_text(thing), quote=False),
        created_at=find_time(thing.get("published")),
        lang=_read_language(thing),
        source=source,
        reply=bool(thing.get("inReplyTo")),
        quote=any(thing.get(key) for key in _QUOTED),
    )


def _is_public(thing: Json) -> bool:
    to = thing.get("to")
    return any(one in PUBLIC for one in (to if isinstance(to, list) else [to]) if isinstance(one, str))


def _build_text(note: Json) -> str:
    """Return what the author wrote: the content warning, if there is one, and the text."""
    warning, content = _read_text(note, "summary"), _read_text(note, "content")
    return "\n\n".join(part for part in (warning, extract_text(content or "")) if part)


def _read_id(thing: Json) -> str:
    address = _read_text(thing, "id")
    if not address or len(address) > 2048:
        raise BadPost("has no id")
    return address


def _read_language(note: Json) -> str | None:
    languages = note.get("contentMap")
    return parse_language(next(iter(languages), None)) if isinstance(languages, dict) else None


def _read_text(thing: object, key: str) -> str | None:
    return clean_text(thing.get(key)) if isinstance(thing, dict) else None


def _get_host(address: str | None) -> str | None:
    try:
        return urlsplit(address or "").hostname
    except ValueError:
        return None
