"""Exports of networks, and files for OpenAI's fine-tuning, become datasets whose tables say what was left out."""

import json
from pathlib import Path
from typing import Any

import pytest

from archives.meta import ACTIVITY, make_thread, render, render_threads
from archives.reddit import make_post, make_tables
from builders.stages import ENOUGH, a_context, a_local_run
from builders.trainer import many_posts, zipped
from tweetbot_contract.data_table import DataTable
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.stages.prepare import prepare

TEXTS = [post.text for post in many_posts(ENOUGH)]
THREADS = [make_thread(text, number=number) for number, text in enumerate(TEXTS)]
ROWS = [make_post(1, text, id=f"post{number}", url="") for number, text in enumerate(TEXTS)]
REMOVED = make_post(1, "gone", "[removed]")
ANSWERS = [json.dumps({"messages": [{"role": "assistant", "content": text}]}) for text in TEXTS]
EXPORTS: dict[str, bytes] = {
    "threads": zipped({f"{ACTIVITY}/threads/threads_and_replies.json": render_threads(*THREADS, make_thread(""))}),
    "instagram": zipped({f"{ACTIVITY}/media/posts_1.json": render([*THREADS, make_thread("")])}),
    "reddit": zipped(make_tables([*ROWS, REMOVED], [])),
    "posts": "\n".join([*ANSWERS, '{"messages": [{"role": "assistant", "content": "no", "weight": 0}]}']).encode(),
}


def table_of(folder: Path, kind: str, content: bytes, **fields: Any) -> DataTable:
    (folder / "export").write_bytes(content)
    source = {kind: {"uri": f"file://{folder}/export", **fields}}
    spec = {"sources": [source], "filter": {"deduplicate": False}}
    return prepare(a_context(folder, a_local_run(folder, spec=spec))).dataset.table


@pytest.mark.parametrize("kind", EXPORTS)
def test_an_export_becomes_a_dataset(kind: str, tmp_path: Path) -> None:
    table = table_of(tmp_path, kind, EXPORTS[kind], **({"format": "openai"} if kind == "posts" else {}))
    assert (table.kept, table.downloaded, table.not_posts, table.missing) == (ENOUGH, ENOUGH, 1, 0)
    assert table.claimed == (ENOUGH + 1 if kind == "reddit" else None)


def test_an_export_that_lists_more_rows_than_it_has_is_refused(tmp_path: Path) -> None:
    whole, part = make_tables(ROWS, []), make_tables(ROWS[: ENOUGH // 2], [])
    with pytest.raises(SpecRefused, match=r"PostsMissing: .*says that it holds 220 posts, but 110"):
        table_of(tmp_path, "reddit", zipped(whole | {"posts.csv": part["posts.csv"]}))
