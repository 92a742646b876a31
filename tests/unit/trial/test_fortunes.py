"""The converter of the trial on human texts."""

import json
from pathlib import Path

from trial.fortunes import describe_examples, read_records, write_posts
from trial.machine import prepare_here

CONTENT = """The tide is low
and the fog is thick.
\t\t-- The harbour master
%
%

   %  is no separator here: gull@harbour.example
%
thé
%"""


def a_folder(folder: Path) -> Path:
    (folder / "fortunes").mkdir()
    (folder / "fortunes" / "sea").write_text(CONTENT, encoding="utf-8")
    (folder / "fortunes" / "sea.dat").write_bytes(b"\x00\x01")
    return folder / "fortunes"


def test_a_line_with_only_a_percent_sign_separates_texts(tmp_path: Path) -> None:
    assert list(read_records(a_folder(tmp_path))) == [
        {"id": "sea-1", "text": "The tide is low\nand the fog is thick.\n\t\t-- The harbour master"},
        {"id": "sea-2", "text": "%  is no separator here: gull@harbour.example"},
        {"id": "sea-3", "text": "thé"},
    ]


def test_the_texts_pass_through_prepare(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    (folder / "more").write_text("\n%\n".join(f"text {n} of the {n * 7} harbour gulls" for n in range(300)))
    assert write_posts(folder, tmp_path / "posts.jsonl") == 303
    source = {"posts": {"uri": f"file://{tmp_path}/posts.jsonl", "format": "jsonl"}}
    figures = prepare_here(tmp_path, source, {"recipe": "huggingtweets"})
    assert (figures["downloaded"], figures["short"], figures["kept"]) == (303, 1, 302)


def test_every_drop_reason_has_an_example(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in read_records(a_folder(tmp_path))), encoding="utf-8")
    assert list(describe_examples(path)) == [
        "posts with: {'[email]': 1}",
        "kept: The tide is low and the fog is thick. -- The harbour master",
        "kept: % is no separator here: [email]",
        "short: thé",
    ]
