"""How the account of an export shows itself: names and picture, and nothing else that its members know.

data/manifest.js, else data/account.js       id, handle and display name; the e-mail address beside them is left there
data/profile.js, data/profile_media/ID-NAME  the picture
data/js/user_details.js                      id, handle and display name of a Grailbird export
"""

import re
import zipfile
from typing import Any

from tweetbot_trainer.data.posts import replace_surrogates
from tweetbot_trainer.data.sources.interface import Avatar, Profile
from tweetbot_trainer.data.sources.x_archive.members import FOLDER, find_allowed, read_script, read_small

_SCRIPTS = re.compile(FOLDER + r"(?P<file>(?:manifest|account|profile|js/user_details)\.js)")
_MEDIA = re.compile(FOLDER + r"profile_media/(?P<file>[\w.-]{1,200})", re.ASCII)
#: Where each script keeps account id, handle and display name.
_KEYS = {
    "manifest.js": ("accountId", "userName", "displayName"),
    "account.js": ("accountId", "username", "accountDisplayName"),
    "js/user_details.js": ("id", "screen_name", "full_name"),
}
AVATAR_LIMIT = 2 * 1024**2
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_ID, _HANDLE = re.compile(r"[0-9]{1,20}"), re.compile(r"[A-Za-z0-9_]{1,15}")
#: X takes 50 characters for a name.
_NAME_LIMIT = 100


def extract_profile(archive: zipfile.ZipFile) -> Profile | None:
    """Return what the export says, or None; a script is opened only where those before it name nobody."""
    present = find_allowed(archive, _SCRIPTS)
    account: dict[str, str | None] = {}
    for file, keys in _KEYS.items():
        if not any(account.values()):
            account = _parse_account(_unwrap(read_script(archive, present.get(file)), "userInfo", "account"), keys)
    avatar = _read_avatar(archive, _unwrap(read_script(archive, present.get("profile.js")), "profile"))
    return Profile(**account, avatar=avatar) if avatar or any(account.values()) else None


def _parse_account(found: dict[str, Any], keys: tuple[str, str, str]) -> dict[str, str | None]:
    account_id, handle, name = (found.get(key) for key in keys)
    return {
        "account_id": _match_text(_ID, account_id),
        "handle": _match_text(_HANDLE, handle),
        "display_name": replace_surrogates(" ".join(name.split()))[:_NAME_LIMIT] or None
        if isinstance(name, str)
        else None,
    }


def _unwrap(found: Any, *wrappers: str) -> dict[str, Any]:
    """Return the object inside an array of one and inside a wrapper, where they are."""
    found = found[0] if isinstance(found, list) and found else found
    for wrapper in wrappers:
        if isinstance(found, dict) and isinstance(found.get(wrapper), dict):
            found = found[wrapper]
    return found if isinstance(found, dict) else {}


def _match_text(pattern: re.Pattern[str], given: Any) -> str | None:
    return given if isinstance(given, str) and pattern.fullmatch(given) else None


def _read_avatar(archive: zipfile.ZipFile, profile: dict[str, Any]) -> Avatar | None:
    """Return the picture that profile.js names, from the zip: its member has the account's id before that name."""
    picture = str(profile.get("avatarMediaUrl") or "").rpartition("/")[2]
    names = [name for file, name in find_allowed(archive, _MEDIA).items() if picture and file.endswith(f"-{picture}")]
    content = read_small(archive, names[0], AVATAR_LIMIT) if len(names) == 1 else None
    return Avatar(content) if content and content.startswith(_PICTURES) else None
