"""The members of Meta's exports that are read, of Threads and of Instagram: posts, names and the account's picture.

your_instagram_activity/threads/threads_and_replies.json    {"text_post_app_text_posts": [ … ]}
your_instagram_activity/media/posts_1.json, posts_2.json    [ … ]; until 2025 in the folder content
your_instagram_activity/media/reels.json                    {"ig_reels_media": [ … ]}
…/personal_information.json, media/profile/                 the account

Stories, archived and deleted posts, comments and messages are never opened.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from tweetbot_contract import reasons
from tweetbot_trainer.data.sources.archive_files import ExportFile, Member, build_empty_refusal, build_refusal
from tweetbot_trainer.runtime.errors import SpecRefused

Kind = Literal["threads", "instagram"]
_PART = r"(?:_(?P<number>[0-9]{1,4}))?\.json"
_ACCOUNT = r"(?:threads/)?personal_information\.json|media/profile/[\w./-]{1,200}\.(?:png|jpe?g)"
_POSTS: dict[Kind, str] = {
    "threads": rf"threads_and_replies{_PART}",
    "instagram": rf"(?:content/|media/)?(?:posts|reels|igtv_videos){_PART}",
}
#: What may be opened of each kind's export; the statistics of posts have files of the same names.
ALLOWED: dict[Kind, re.Pattern[str]] = {
    kind: re.compile(rf"(?!(?:.*/)?[a-z_]*insights/)(?:[^/]+/){{0,6}}?(?P<file>{posts}|{_ACCOUNT})")
    for kind, posts in _POSTS.items()
}
_FILE = re.compile(rf"(?:content/|media/)?(?P<what>[a-z_]+?){_PART}")
#: The array of those files that are objects.
_KEYS = {
    "threads_and_replies": "text_post_app_text_posts",
    "reels": "ig_reels_media",
    "igtv_videos": "ig_igtv_media",
}
#: The file that may be uploaded alone, and how it begins.
_ALONE: dict[Kind, tuple[str, re.Pattern[bytes]]] = {
    "threads": ("threads_and_replies.json", re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"text_post_app_text_posts"')),
    "instagram": ("posts_1.json", re.compile(rb"(?:\xef\xbb\xbf)?\s*\[")),
}
_ONE_FOLDER = (
    "Meta splits a large export into several zips: unpack them all into one folder, and upload that as one zip"
)
#: What an upload of Meta's without posts is, by a file that it has, and what to do.
_INSTEAD: dict[Kind, tuple[tuple[str, str, str], ...]] = {
    "threads": (
        (r"your_instagram_activity/.*", "an export without Threads", "ask Meta for it again, with Threads chosen"),
        (r"your_facebook_activity/.*", "an export of Facebook", "ask Meta for one of the Threads profile"),
    ),
    "instagram": (
        (r"media\.json", "an export from before December 2020", "ask Instagram for a new one"),
        (r"your_facebook_activity/.*", "an export of Facebook", "ask Meta for one of the Instagram profile"),
    ),
}
_PAGES = r"your_(?:instagram|threads|facebook)_activity/.*\.html|threads/.*\.html|posts_[0-9]+\.html"


class PostsFile(NamedTuple):
    """A file of posts: what it holds, its number, and the key of its array, None if it is one itself."""

    what: str
    number: int
    key: str | None
    member: Member


def select_files(opened: ExportFile, kind: Kind) -> list[PostsFile]:
    """Return the files of posts, in the order to read them.

    Raises SpecRefused: SourceNotAnExport if there is none, SourceIncomplete if one of several is missing.
    """
    wanted, head = _ALONE[kind]
    members = {wanted: opened.single} if opened.single and head.match(opened.head) else opened.members
    found = sorted(_iter_files(members, kind), key=lambda file: file[:2])
    if not found:
        raise _find_instead(opened, kind) or build_empty_refusal(opened, kind=kind, wanted=wanted)
    present = {file[:2] for file in found}
    for what, number, _, member in found:
        if number > 1 and (what, number - 1) not in present:
            message = f"the export is incomplete: {member.label} is there, {what}_{number - 1}.json is not"
            raise build_refusal(message, reasons.SOURCE_INCOMPLETE, advice=_ONE_FOLDER)
    return found


def _iter_files(members: Mapping[str, Member], kind: Kind) -> Iterator[PostsFile]:
    for file, member in members.items():
        if re.fullmatch(_POSTS[kind], file) and (match := _FILE.fullmatch(file)):
            yield PostsFile(match["what"], int(match["number"] or 0), _KEYS.get(match["what"]), member)


def _find_instead(opened: ExportFile, kind: Kind) -> SpecRefused | None:
    """Return the refusal of an upload that Meta made, without posts that can be read."""
    names = [name.lower() for name in opened.others]
    found = next((one for one in _INSTEAD[kind] if _has_file(names, one[0])), None)
    if _has_file(names, _PAGES) and not any(name.endswith(".json") for name in names):
        found = ("", "an export in HTML", "ask Meta for it again, in the format JSON")
    if found:
        _, what, advice = found
        return build_refusal(f"the {opened.form} is {what}", reasons.SOURCE_NOT_AN_EXPORT, advice=advice)
    if names and all(re.fullmatch(r"(?:.*/)?media/.*\.[a-z0-9]{3,4}", name) for name in names):
        message = f"the {opened.form} holds pictures and films alone"
        return build_refusal(message, reasons.SOURCE_INCOMPLETE, advice=_ONE_FOLDER)
    return None


def _has_file(names: list[str], path: str) -> bool:
    return any(re.fullmatch(rf"(?:.*/)?(?:{path})", name) for name in names)
