"""The names and the picture of an export's account, and nothing else that its personal information holds.

{"profile_user": [{"string_map_data": {"Username": {"value": "…"}, "Name": {…}, "Email": {…}}, "media_map_data": …}]}
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from tweetbot_trainer.data.posts import Json
from tweetbot_trainer.data.sources.archive_files import Member
from tweetbot_trainer.data.sources.interface import NAME_LIMIT, PICTURE_SIGNATURES, Profile
from tweetbot_trainer.data.sources.meta.records import repair_text

#: Threads has the account in a file of its own or, in an export of Instagram too, the same as Instagram.
_FILES = ("threads/personal_information.json", "personal_information.json")
_PERSONS = ("text_post_app_text_post_app_profile", "profile_user")
_SIZE_LIMIT, AVATAR_LIMIT = 1024**2, 2 * 1024**2
_HANDLE = re.compile(r"[A-Za-z0-9._]{1,30}")


def extract_profile(members: Mapping[str, Member]) -> Profile | None:
    """Return the profile as far as the export holds it; its labels are those of exports in English."""
    person: Json = {}
    for file in _FILES:
        person = person or _read_person(members.get(file))
    handle, name = (_read_label(person, label) for label in ("Username", "Name"))
    avatar = _read_avatar(members, person)
    handle = handle if _HANDLE.fullmatch(handle) else ""
    if not (handle or name or avatar):
        return None
    return Profile(handle=handle or None, display_name=name[:NAME_LIMIT] or None, avatar=avatar)


def _read_person(member: Member | None) -> Json:
    try:
        found = json.loads((member.read(_SIZE_LIMIT) if member else None) or b"{}")
        persons: Any = next((found[key] for key in _PERSONS if key in found), [{}])
        return persons[0] if isinstance(persons[0], dict) else {}
    except (ValueError, RecursionError, TypeError, LookupError):
        return {}


def _read_label(person: Json, label: str) -> str:
    value = _get(_get(person.get("string_map_data"), label), "value")
    return " ".join(repair_text(value).split()) if isinstance(value, str) else ""


def _read_avatar(members: Mapping[str, Member], person: Json) -> bytes | None:
    uri = _get(_get(person.get("media_map_data"), "Profile Photo"), "uri")
    member = members.get(uri.lower()) if isinstance(uri, str) else None
    content = member.read(AVATAR_LIMIT) if member else None
    return content if content and content.startswith(PICTURE_SIGNATURES) else None


def _get(found: Any, key: str) -> Any:
    return found.get(key) if isinstance(found, dict) else None
