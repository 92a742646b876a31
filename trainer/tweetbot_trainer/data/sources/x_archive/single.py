"""One file of an X export, uploaded by itself: which one it is."""

import re

from tweetbot_contract import reasons
from tweetbot_trainer.data.sources.archive_files import ExportFile, build_empty_refusal, build_refusal
from tweetbot_trainer.data.sources.x_archive.layout import TABLE, WHAT_TO_UPLOAD
from tweetbot_trainer.runtime.errors import SpecRefused

_SPACE = rb"(?:\xef\xbb\xbf)?\s*"
_SCRIPT = re.compile(_SPACE + rb"window\.YTD\.(\w{1,60})\.part(\d{1,4})\s*=")
_CONFIG = re.compile(_SPACE + rb"window\.__THAR_CONFIG\s*=")
_MONTH = re.compile(_SPACE + rb"Grailbird\.data\.tweets_(\d{4}_\d\d)\s*=")
_ARRAY = re.compile(_SPACE + rb"\[\s*(?:\{|\])")
_HEADER = re.compile(_SPACE + rb'"?tweet_id"?,[^\n]*"?text"?')
#: Kinds of scripts that hold posts.
_POSTS = ("tweets", "tweet", "community_tweet")


def identify_single(opened: ExportFile) -> str:
    """Return the name that the file has in an export. Raises SpecRefused (SourceNotAnExport) if it holds no posts."""
    head = opened.head
    if script := _SCRIPT.match(head):
        kind, part = script[1].decode(), int(script[2])
        file = f"{kind.replace('_', '-')}{f'-part{part}' if part else ''}.js"
        if kind not in _POSTS:
            raise _build_refusal(file)
        return file
    if _CONFIG.match(head):
        raise _build_refusal("manifest.js")
    if month := _MONTH.match(head):
        return f"js/tweets/{month[1].decode()}.js"
    if _ARRAY.match(head):
        return "tweets.js"
    if _HEADER.match(head):
        return TABLE
    raise build_empty_refusal(opened, kind="archive", wanted="tweets.js", advice=WHAT_TO_UPLOAD)


def _build_refusal(file: str) -> SpecRefused:
    message = f"it is {file} of an X export, which holds no posts of its own"
    return build_refusal(message, reasons.SOURCE_NOT_AN_EXPORT, advice=WHAT_TO_UPLOAD)
