"""`tweetbot-trainer clean`: add `text`, `kept` and `reason` to posts in JSONL."""

import json
from typing import BinaryIO

from tweetbot_contract import reasons
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import CleanedPost, build_recipe, clean
from tweetbot_trainer.data.lines import decode_lines, parse_lines
from tweetbot_trainer.data.posts import BadPost, dump_post, parse_json
from tweetbot_trainer.data.reply_names import find_names_end
from tweetbot_trainer.runtime.errors import SpecRefused


def run_clean(stdin: BinaryIO, stdout: BinaryIO, filter: Filter) -> None:
    """Clean the posts of `stdin` and write each that the recipe sees, in the same order, with text, kept and reason.

    Raises SpecRefused (SourceUnreadable), which names the line, before anything is written.
    """
    names_kept = not build_recipe(filter).strip_names
    try:
        for cleaned in clean(parse_lines(decode_lines(stdin), parse_json), filter):
            stdout.write(_format_line(cleaned, names_kept=names_kept))
    except BadPost as error:
        raise SpecRefused(reasons.SOURCE_UNREADABLE, f"standard input, {error}") from error


def _format_line(cleaned: CleanedPost, *, names_kept: bool) -> bytes:
    names_end = find_names_end(cleaned.text) if names_kept and cleaned.post.names_end else 0
    outcome = {"text": cleaned.text, "names_end": names_end, "kept": cleaned.kept, "reason": cleaned.reason}
    record = dump_post(cleaned.post) | outcome
    record.pop("warning", None)  # is in the text now
    return (json.dumps(record, ensure_ascii=False) + "\n").encode()
