"""Whether a row of an export is a reply, to whom, and where its own text begins."""

from dataclasses import dataclass

from tweetbot_trainer.data.posts import Json
from tweetbot_trainer.data.reply_names import find_names_end

_STATUS, _USER = ("status_id_str", "status_id"), ("user_id_str", "user_id")


@dataclass(frozen=True, slots=True)
class Author:
    """The account that an export is of, as far as the export names it."""

    id: str | None = None
    handle: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a row says about whom it answers."""

    given: bool = False
    to_self: bool = False
    names_end: int = 0


def parse_reply(record: Json, text: str, author: Author) -> Reply:
    """Parse the fields that only replies have."""
    if not any(record.get(f"in_reply_to_{key}") for key in (*_STATUS, *_USER, "screen_name")):
        return Reply()
    to_self = _is_to(record, author)
    shown_from = _find_shown_from(record)
    typed = to_self and shown_from == 0  # X puts no names before a thread, so these were typed
    return Reply(True, to_self, 0 if typed else find_names_end(text, shown_from))


def _is_to(record: Json, author: Author) -> bool:
    user = record.get("user")  # rows of before 2019 name their author
    writer = user if isinstance(user, dict) else {}
    own = [given for given in (author.id, writer.get("id_str"), writer.get("id")) if given]
    if answered := {str(given) for key in _USER if (given := record.get(f"in_reply_to_{key}"))}:
        return not answered.isdisjoint(map(str, own))
    handle, name = author.handle or writer.get("screen_name"), record.get("in_reply_to_screen_name")
    return isinstance(handle, str) and isinstance(name, str) and handle.lower() == name.lower()


def _find_shown_from(record: Json) -> int | None:
    """Return where X lets the text begin; newer exports write the number as a string."""
    given = record.get("display_text_range")
    start = str(given[0]) if isinstance(given, list) and given else ""
    return int(start) if start.isascii() and start.isdigit() and len(start) < 10 else None
