"""The profile of an export's account: its names and picture, and nothing else that its members hold.

data/manifest.js, else data/account.js       id, handle and display name; the e-mail address beside them is not read
data/profile.js, data/profile_media/ID-NAME  the picture
data/js/user_details.js                      id, handle and display name of a Grailbird export
"""

import re
from collections.abc import Mapping
from typing import Any

from tweetbot_trainer.data.posts import Json, replace_surrogates
from tweetbot_trainer.data.sources.archive_files import Member
from tweetbot_trainer.data.sources.interface import NAME_LIMIT, PICTURE_SIGNATURES, Profile
from tweetbot_trainer.data.sources.x_archive.layout import read_script
from tweetbot_trainer.data.sources.x_archive.replies import Author

#: Each script's keys of account id, handle and display name.
_KEYS = {
    "manifest.js": ("accountId", "userName", "displayName"),
    "account.js": ("accountId", "username", "accountDisplayName"),
    "js/user_details.js": ("id", "screen_name", "full_name"),
}
AVATAR_LIMIT = 2 * 1024**2
_ID, _HANDLE = re.compile(r"[0-9]{1,20}"), re.compile(r"[A-Za-z0-9_]{1,15}")


def extract_profile(members: Mapping[str, Member]) -> Profile | None:
    """Return the profile, if there is any; a script is opened only if those before it name nobody."""
    account = _find_account(members)
    avatar = _read_avatar(members, _unwrap(read_script(members.get("profile.js")), "profile"))
    return Profile(**account, avatar=avatar) if avatar or any(account.values()) else None


def extract_author(members: Mapping[str, Member]) -> Author:
    """Return id and handle of the account, as far as the export names it."""
    account = _find_account(members)
    return Author(account.get("account_id"), account.get("handle"))


def _find_account(members: Mapping[str, Member]) -> dict[str, str | None]:
    account: dict[str, str | None] = {}
    for file, keys in _KEYS.items():
        if not any(account.values()):
            account = _parse_account(_unwrap(read_script(members.get(file)), "userInfo", "account"), keys)
    return account


def _parse_account(found: Json, keys: tuple[str, str, str]) -> dict[str, str | None]:
    account_id, handle, name = (found.get(key) for key in keys)
    shown = replace_surrogates(" ".join(name.split()))[:NAME_LIMIT] if isinstance(name, str) else ""
    return {
        "account_id": _match_text(_ID, account_id),
        "handle": _match_text(_HANDLE, handle),
        "display_name": shown or None,
    }


def _unwrap(found: Any, *wrappers: str) -> Json:
    """Return the object inside an array of one item and inside wrappers, if there are any."""
    found = found[0] if isinstance(found, list) and found else found
    for wrapper in wrappers:
        if isinstance(found, dict) and isinstance(found.get(wrapper), dict):
            found = found[wrapper]
    return found if isinstance(found, dict) else {}


def _match_text(pattern: re.Pattern[str], given: Any) -> str | None:
    return given if isinstance(given, str) and pattern.fullmatch(given) else None


def _read_avatar(members: Mapping[str, Member], profile: Json) -> bytes | None:
    """Read the picture that profile.js names; its member's name begins with the account's id."""
    picture = str(profile.get("avatarMediaUrl") or "").rpartition("/")[2].lower()
    pictures = [file for file in members if file.startswith("profile_media/") and file.endswith(f"-{picture}")]
    content = members[pictures[0]].read(AVATAR_LIMIT) if picture and len(pictures) == 1 else None
    return content if content and content.startswith(PICTURE_SIGNATURES) else None
