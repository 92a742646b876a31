"""What people upload, and the sentence that each gets: the tables of docs/sources say what the code says."""

import io
import re
from pathlib import Path

import pytest

from archives.uploads import EITHER, MASTODON_UPLOADS, X_UPLOADS
from builders.trainer import ObjectsInMemory
from tweetbot_contract.spec.sources import MastodonSource as MastodonSpec
from tweetbot_trainer.data.sources.interface import PostSource
from tweetbot_trainer.data.sources.mastodon.source import MastodonExportSource
from tweetbot_trainer.data.sources.x_archive.source import XArchiveSource
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log

DOCS = Path(__file__).parents[6] / "docs" / "sources"
URI = "s3://bucket/export.zip"
UPLOADS = {"archive": X_UPLOADS | EITHER, "mastodon": MASTODON_UPLOADS | EITHER}
#: Lines of a table after its head, up to the next empty line.
TABLE = re.compile(r"^\| what people upload \|[^\n]*\n\|[-| ]+\|\n(?P<lines>(?:\|[^\n]*\n)+)", re.MULTILINE)


def source_of(kind: str, content: bytes) -> PostSource:
    shelf, log = ObjectsInMemory(**{URI: content}), Log(io.StringIO())
    if kind == "archive":
        return XArchiveSource(URI, 0, shelf, log)
    return MastodonExportSource(MastodonSpec(uri=URI), 0, reader=shelf, log=log)


def sentence_for(kind: str, content: bytes) -> str:
    """Return what an uploader is told, as the tables have it."""
    source = source_of(kind, content)
    try:
        posts = len(list(source.read_posts()))
    except SpecRefused as refusal:
        return f"`{refusal.reason.name}`: {refusal.message.removeprefix(f'{URI}: ')}"
    warnings = [f"; `{one.reason}`: {one.message}" for one in source.build_report().warnings]
    return "".join([f"{posts} posts are read", *warnings])


def table_in(kind: str) -> dict[str, str]:
    found = TABLE.search((DOCS / f"{kind}.md").read_text(encoding="utf-8"))
    assert found is not None
    lines = [line.strip("| ").split(" | ") for line in found["lines"].splitlines()]
    return {what: sentence for what, sentence in lines}


@pytest.mark.parametrize("kind", UPLOADS)
def test_the_docs_say_what_each_upload_is_told(kind: str) -> None:
    assert table_in(kind) == {what: sentence_for(kind, make()) for what, make in UPLOADS[kind].items()}


@pytest.mark.parametrize("kind", UPLOADS)
def test_each_refusal_says_what_to_do(kind: str) -> None:
    told = [sentence_for(kind, make()) for make in UPLOADS[kind].values()]
    assert [sentence for sentence in told if not re.search(r"are read|; [a-zX]", sentence)] == []
