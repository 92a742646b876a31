"""What an archive holds instead of what a source looks for."""

import re

from tweetbot_contract import reasons
from tweetbot_trainer.data.sources.archive_files.export import ExportFile
from tweetbot_trainer.data.sources.archive_files.names import show_name
from tweetbot_trainer.data.sources.archive_files.refusals import AS_DOWNLOADED, build_refusal
from tweetbot_trainer.runtime.errors import SpecRefused

_ARCHIVE = re.compile(r"\.(?:zip|tgz|tar|tar\.(?:gz|xz|bz2)|7z|rar)$")
#: An export's own web pages.
_PAGES = re.compile(r".*\.html?|(?:.*/)?(?:assets|css|img|js|lib)/.*")
#: The kind of source that reads an export, what the export is, and a path or the beginning of a file that shows it.
_ORIGINS = (
    ("mastodon", "an export of Mastodon", r"(?:.*/)?outbox\.json"),
    ("archive", "an export of X", r"(?:.*/)?(?:tweets?(?:-part\d+)?\.js|js/tweet_index\.js|data/manifest\.js)"),
    ("threads", "an export of Threads", r"(?:.*/)?threads/threads_and_replies\.json"),
    ("instagram", "an export of Instagram", r"(?:.*/)?your_instagram_activity/.*"),
    ("reddit", "an export of Reddit", r"(?:.*/)?(?:post_votes|comment_votes|saved_posts|subscribed_subreddits)\.csv"),
    ("bluesky", "an export of Bluesky", r"(?:.*/)?[^/]+\.car"),
)
_BEGINNINGS = (
    ("archive", "a file of an X export", re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:window\.(?:YTD|__THAR)|Grailbird\.)")),
    ("mastodon", "a file of a Mastodon export", re.compile(rb'.*?(?:activitystreams|"orderedItems")', re.DOTALL)),
)
_OF_ITS_KIND = {"bluesky": "upload the .car inside, and give it as a source of the kind bluesky, in the field car"}
#: Names of members in a message.
_LISTED = 3


def build_empty_refusal(opened: ExportFile, *, kind: str, wanted: str, advice: str = AS_DOWNLOADED) -> SpecRefused:
    """Return the refusal of an upload without the file `wanted` of the source of this kind: what it holds instead."""
    names = [*opened.others, *(member.name for member in opened.members.values())]
    if opened.single:
        return _build_single_refusal(opened, kind, wanted, advice)
    if not names:
        return build_refusal(f"the {opened.form} is empty", reasons.SOURCE_NOT_AN_EXPORT, advice=advice)
    if nested := [name for name in names if _ARCHIVE.search(name.lower())]:
        return _build_nested_refusal(opened, nested)
    for other, what, path in _ORIGINS:
        if other != kind and any(re.fullmatch(path, name.lower()) for name in names):
            do = _OF_ITS_KIND.get(other, f"give it as a source of the kind {other}")
            return build_refusal(f"the {opened.form} is {what}", reasons.SOURCE_NOT_AN_EXPORT, advice=do)
    held = ", ".join(show_name(name) for name in names[:_LISTED])
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    message = f"there is no {wanted} in the {opened.form}, which holds {held}{more}"
    if all(_PAGES.fullmatch(name.lower()) for name in names):
        message = f"there is no {wanted} in the {opened.form}, only web pages"
    return build_refusal(message, reasons.SOURCE_NOT_AN_EXPORT, advice=advice)


def _build_single_refusal(opened: ExportFile, kind: str, wanted: str, advice: str) -> SpecRefused:
    for other, what, beginning in _BEGINNINGS:
        if other != kind and beginning.match(opened.head):
            do = f"give it as a source of the kind {other}"
            return build_refusal(f"it is {what}", reasons.SOURCE_NOT_AN_EXPORT, advice=do)
    begins = " ".join(opened.head[:40].decode("utf-8", "replace").split())
    message = f"it is no {wanted.rpartition('/')[2]}, as it begins with {begins!r}"
    return build_refusal(message, reasons.SOURCE_NOT_AN_EXPORT, advice=advice)


def _build_nested_refusal(opened: ExportFile, nested: list[str]) -> SpecRefused:
    names = ", ".join(show_name(name) for name in nested[:_LISTED])
    if len(nested) == 1:
        message, advice = (
            f"the {opened.form} holds another archive instead of posts ({names})",
            "upload that one itself",
        )
    else:
        message = f"the {opened.form} holds {len(nested)} archives instead of posts ({names})"
        advice = "if they are the parts of one export, unpack them all into one folder, and upload that as one zip; "
        advice += "otherwise give each as a source of its own"
    return build_refusal(message, reasons.SOURCE_NESTED, advice=advice)
