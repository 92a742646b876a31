"""A Mastodon account as its owner's export: the public posts of its outbox, without HTML.

Posts for followers and direct messages are skipped, as their author chose fewer readers, and unlisted ones unless the
spec asks for them.
"""

import html
import json
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import MastodonSource as MastodonSpec
from tweetbot_trainer.data.posts import BadPost, Json, Post, clean_text, find_time, parse_language
from tweetbot_trainer.data.reply_names import find_names_end
from tweetbot_trainer.data.sources.archive_files import BROKEN, Member, build_refusal, put_address, translate_damage
from tweetbot_trainer.data.sources.archive_files.refusals import DOWNLOAD_AGAIN
from tweetbot_trainer.data.sources.damage import DamageCount
from tweetbot_trainer.data.sources.interface import NAME_LIMIT, PICTURE_SIGNATURES, ObjectReader, Profile, SourceReport
from tweetbot_trainer.data.sources.json_array import Entry, iter_entries_under, open_text
from tweetbot_trainer.data.sources.mastodon.export import OUTBOX, MastodonExport, open_mastodon_export
from tweetbot_trainer.data.sources.mastodon.html import extract_text
from tweetbot_trainer.runtime.log import Log

#: The recipient of public posts, in the three spellings of ActivityPub, section 5.6.
PUBLIC = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})
#: The visibilities from the widest to the narrowest.
_NARROW = ("Public", "Unlisted", "Private").index
_QUOTED = ("quote", "quoteUri", "quoteUrl", "_misskey_quote")


class MastodonExportSource:
    """The public posts and boosts of an export, and the unlisted ones if the spec asks for them."""

    def __init__(self, spec: MastodonSpec, index: int, *, reader: ObjectReader, log: Log) -> None:
        self._spec, self._index, self._reader, self._log = spec, index, reader, log
        self._export: MastodonExport | None = None
        self._counts: Counter[str] = Counter()
        self._totals: dict[str, int] = {}
        self._damage = DamageCount(index, advice=DOWNLOAD_AGAIN)

    def read_posts(self) -> Iterator[Post]:
        """Yield the export's posts, with boosts flagged as retweets.

        Raises SpecRefused: SourceUnreadable, SourceTruncated, SourceEncrypted, SourceNotAnExport or SourceTooLarge.
        """
        with self._reader.open_seekable(self._spec.uri) as file, put_address(self._spec.uri):
            self._export = open_mastodon_export(file)
            yield from self._read_outbox(self._export.outbox)
            self._damage.check()
            self._refuse_none()
        counts = self._counts
        totals = {"posts": counts["posts"], "notPublic": counts["not_public"], "others": counts["not_posts"]}
        self._log.info("mastodon.read", source=self._index, **totals)

    def build_report(self) -> SourceReport:
        """Return the outbox's totalItems, and what was left out. Mastodon does not count direct messages in it."""
        total, unlisted = self._totals.get("totalItems", -1), self._counts["Unlisted"]
        left_out = {name: self._counts[name] for name in ("not_public", "not_posts")}
        advice = (
            f"{unlisted} of them are unlisted; to read these, set visibility: [Public, Unlisted] in "
            f"spec.sources[{self._index}].mastodon"
        )
        return SourceReport(
            claimed=total if total >= 0 else None,
            left_out=left_out | {"unreadable": self._damage.damaged},
            warnings=self._damage.build_warnings(),
            advice={"not_public": advice} if unlisted else {},
        )

    def _refuse_none(self) -> None:
        if not self._damage.good and self._totals.get("totalItems", 0) <= 0:
            message = "it is a Mastodon export, but its outbox.json has 0 posts"
            advice = "check that it is the account you mean, or leave this source out"
            raise build_refusal(message, reasons.SOURCE_NOT_AN_EXPORT, advice=advice)

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

    def _read_outbox(self, outbox: Member) -> Iterator[Post]:
        try:
            with outbox.open() as content:
                for entry in iter_entries_under(open_text(content), "orderedItems", numbers=self._totals):
                    yield from self._read_item(entry)
        except BROKEN as error:
            raise translate_damage(error, outbox.label) from error

    def _read_item(self, entry: Entry) -> Iterator[Post]:
        """Yield the post of an item, or count it as what it is left out."""
        try:
            post = self._parse_activity(entry.value)
        except BadPost as error:
            self._damage.add_damaged(f"{entry.place} of its {OUTBOX}", error)
            return
        self._damage.add_good()
        self._counts["posts" if isinstance(post, Post) else post] += 1
        if isinstance(post, Post):
            yield post

    def _parse_activity(self, activity: object) -> Post | str:
        """Parse an activity; returns as what it is left out if it is no post to read. Raises BadPost."""
        if not isinstance(activity, dict):
            raise BadPost("it is not an activity")
        thing = activity.get("object")
        visibility = max((_find_visibility(one) for one in (activity, thing) if isinstance(one, dict)), key=_NARROW)
        if visibility not in self._spec.visibility:
            self._counts[visibility] += 1
            return "not_public"
        if activity.get("type") == "Announce":
            at = find_time(activity.get("published"))
            return Post(_read_id(activity), "", at, source=self._index, retweet=True)
        if activity.get("type") != "Create" or not isinstance(thing, dict):
            return "not_posts"
        return self._parse_note(thing, _read_text(thing, "attributedTo") or _read_text(activity, "actor"))

    def _parse_note(self, note: Json, author: str | None) -> Post:
        warned, answered = self._spec.content_warnings == "Keep", note.get("inReplyTo")
        text = html.escape(extract_text(_read_text(note, "content") or ""), quote=False)
        return Post(
            id=_read_id(note),
            text=text,
            created_at=find_time(note.get("published")),
            lang=_read_language(note),
            source=self._index,
            reply=bool(answered),
            quote=any(note.get(key) for key in _QUOTED),
            to_self=author is not None and str(answered).startswith(f"{author.rstrip('/')}/"),
            names_end=find_names_end(text) if answered else 0,
            warning=html.escape(_read_text(note, "summary") or "", quote=False) if warned else "",
        )


def _find_visibility(thing: Json) -> str:
    """Return Public, Unlisted (also called quiet public), or Private for everything else."""
    if _names_public(thing.get("to")):
        return "Public"
    return "Unlisted" if _names_public(thing.get("cc")) else "Private"


def _names_public(given: object) -> bool:
    return any(one in PUBLIC for one in (given if isinstance(given, list) else [given]) if isinstance(one, str))


def _read_id(thing: Json) -> str:
    address = _read_text(thing, "id")
    if not address or len(address) > 2048:
        raise BadPost("it has no id")
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
