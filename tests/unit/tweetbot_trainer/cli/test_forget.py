"""Which datasets and models hold posts that were deleted: found by their ids, without opening a text."""

import json
from pathlib import Path
from typing import Any

import pytest

from builders.published import STORE, a_published_model, version_of
from builders.stages import ENOUGH, a_context, a_local_run
from builders.trainer import many_posts
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.status.tasks import PinRequest
from tweetbot_fakes.storage import WatchedStore
from tweetbot_trainer.__main__ import run_command
from tweetbot_trainer.data.posts import dump_post
from tweetbot_trainer.publishing.registry.forgetting import parse_ids, search
from tweetbot_trainer.publishing.registry.pinning import serve_pinned
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.stages.prepare import prepare


def posts_file(folder: Path, *, copies: bool = False) -> dict[str, Any]:
    """Write posts with ids; with `copies` the first stands once more, as another post."""
    posts = [dump_post(post) for post in many_posts(ENOUGH)]
    again = [{**posts[0], "id": "7"}] if copies else []
    folder.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(record) + "\n" for record in [*posts, *again])
    (folder / "posts.jsonl").write_text("".join(lines), encoding="utf-8")
    return {"sources": [{"posts": {"uri": f"file://{folder}/posts.jsonl"}}]}


@pytest.fixture
def run(tmp_path: Path) -> RunDocument:
    (tmp_path / "posts.txt").touch()
    recipe = {"filter": {"recipe": "huggingtweets"}}
    return a_published_model(tmp_path, spec={**posts_file(tmp_path, copies=True), **recipe})


def ids_file(folder: Path, *lines: str) -> Path:
    path = folder / "ids.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def read_findings(root: str, ids: Path, capsys: pytest.CaptureFixture[str], code: int = 0) -> dict[str, Any]:
    assert run_command(["forget", "--ids", str(ids), "--root", root, "--json"]) == code
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


FIRST, SECOND = (post.id for post in many_posts(2))


def test_the_dataset_and_the_served_model_are_named(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = read_findings(f"file://{tmp_path}/bucket", ids_file(tmp_path, SECOND, "4711"), capsys)
    (dataset,), (model,) = document["datasets"], document["models"]
    assert (dataset["bot"], dataset["posts"]) == ("team-a/gull", {SECOND: []})
    assert (model["uri"], model["served"], model["posts"]) == (f"{version_of(run)}/model", True, [SECOND])
    assert (document["notFound"], document["unknown"]) == (["4711"], [])


def test_the_bot_is_named_whatever_its_output_is_called(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "posts.txt").touch()
    output = {"output": {"s3": {"uri": f"file://{tmp_path}/models/datasets"}}}
    run = a_published_model(tmp_path, spec={**posts_file(tmp_path), **output})
    document = read_findings(f"file://{tmp_path}/models", ids_file(tmp_path, SECOND), capsys)
    assert [one["bot"] for one in (*document["datasets"], *document["models"])] == [f"{run.namespace}/{run.name}"] * 2


def test_another_post_with_the_very_same_text_is_named(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = ids_file(tmp_path, FIRST)
    assert read_findings(run.prefix, ids, capsys)["datasets"][0]["posts"] == {FIRST: ["7"]}
    assert run_command(["forget", "--ids", str(ids), "--root", run.prefix]) == 0
    assert f"{FIRST} has the same text as 7, not listed" in capsys.readouterr().out


def test_people_read_what_to_do(run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["forget", "--ids", str(ids_file(tmp_path, SECOND)), "--root", run.prefix]) == 0
    said = capsys.readouterr().out
    assert said.startswith("1 of 1 posts found, in 1 datasets and 1 models\ndataset  file:///")
    assert f"model    {version_of(run)}/model: learned from {SECOND}, and is served" in said
    assert "What to do, for team-a/gull:" in said


def test_a_pin_that_would_keep_such_a_model_served_is_told(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pin = PinRequest(version=version_of(run).rpartition("/")[2], requested_at="2026-11-20T12:00:00Z", generation=2)
    serve_pinned(STORE, run.model_copy(update={"pin": pin}))
    assert run_command(["forget", "--ids", str(ids_file(tmp_path, SECOND)), "--root", run.prefix]) == 0
    said = capsys.readouterr().out
    assert f"model    {version_of(run)}/model: learned from {SECOND}, and is pinned" in said
    assert "2. Remove spec.pin. When the new model is served," in said


def test_nothing_found_is_said_and_asks_for_nothing(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["forget", "--ids", str(ids_file(tmp_path, "4711")), "--root", run.prefix]) == 0
    assert capsys.readouterr().out == "0 of 1 posts found, in 0 datasets and 0 models\n"


def test_no_text_of_a_post_is_opened(run: RunDocument) -> None:
    store = WatchedStore(STORE)
    search(store, run.prefix, frozenset({SECOND}))
    opened = {uri.rpartition("/")[2] for action, uri in store.requests if action != "list"}
    assert opened == {"ids.jsonl", "MANIFEST.json", "latest.json"}


def test_a_dataset_that_cannot_tell_is_named_and_no_clean_answer_given(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = read_findings(run.prefix, ids_file(tmp_path, SECOND), capsys)["datasets"][0]["uri"]
    STORE.put(f"{uri}/ids.jsonl", b'{"id": "1"}\n')
    assert read_findings(run.prefix, ids_file(tmp_path, SECOND), capsys, code=10)["unknown"] == [uri, version_of(run)]
    STORE.delete(f"{uri}/ids.jsonl")
    assert read_findings(run.prefix, ids_file(tmp_path, SECOND), capsys, code=10)["unknown"] == [uri, version_of(run)]


def test_a_model_whose_dataset_is_gone_is_named_and_no_clean_answer_given(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the dataset alone removed, the command said that nothing holds the post."""
    for _ in STORE.erase(f"{run.prefix}/datasets/"):
        pass
    assert read_findings(run.prefix, ids_file(tmp_path, SECOND), capsys, code=10)["unknown"] == [version_of(run)]


def test_a_version_without_a_readable_manifest_is_named(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    STORE.put(f"{version_of(run)}/MANIFEST.json", b"{}")
    assert read_findings(run.prefix, ids_file(tmp_path, SECOND), capsys, code=10)["unknown"] == [version_of(run)]


def test_a_list_holds_ids_or_lines_of_a_compliance_job() -> None:
    content = '\ufeff 12 \n\n{"id": "13", "action": "delete", "reason": "deleted"}\n{"id": 14}\n'
    assert parse_ids(content.encode(), "a list") == {"12", "13", "14"}


def test_a_list_as_long_as_the_limit_is_read_and_a_longer_one_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{parse_ids.__module__}.LIST_LIMIT", 4)
    assert parse_ids(b"4711", "a list") == {"4711"}
    with pytest.raises(SpecRefused, match="a list has 5 bytes; at most 4 are read"):
        parse_ids(b"47110", "a list")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"1\n{\n", "line 2: write an id"),
        (b'{"ID": 1}', "line 1: write an id"),
        (b" \n", "names no post"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_a_list_that_cannot_be_read_is_told(
    tmp_path: Path, content: bytes, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ids.txt").write_bytes(content)
    assert run_command(["forget", "--ids", str(tmp_path / "ids.txt"), "--root", f"file://{tmp_path}"]) == 10
    assert words in capsys.readouterr().err


def test_a_missing_list_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["forget", "--ids", str(tmp_path / "none"), "--root", f"file://{tmp_path}"]) == 10
    assert "No such file" in capsys.readouterr().err


def test_an_excluded_post_is_in_the_next_dataset_no_more(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = {**posts_file(tmp_path), "filter": {"recipe": "huggingtweets", "excludeIds": [SECOND, "not there"]}}
    after = a_local_run(tmp_path, spec=spec, run_id="fedcba9876543210")
    result = prepare(a_context(tmp_path, after))
    assert result.dataset.table.downloaded == ENOUGH - 1
    (dataset,) = read_findings(run.prefix, ids_file(tmp_path, SECOND), capsys)["datasets"]
    assert dataset["digest"] != result.dataset.digest


def test_a_post_that_was_edited_goes_by_any_of_its_ids(tmp_path: Path) -> None:
    lines = [dump_post(post) for post in many_posts(ENOUGH)]
    lines[3]["edits"] = [lines[3]["id"], "an earlier id"]
    spec = posts_file(tmp_path)
    (tmp_path / "posts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    run = a_local_run(tmp_path, spec={**spec, "filter": {"excludeIds": ["an earlier id"]}})
    assert prepare(a_context(tmp_path, run)).dataset.table.downloaded == ENOUGH - 1


def test_a_mistyped_root_is_an_error_that_names_it(
    run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It gave "0 of 1 posts found", as if nothing were left to delete."""
    for root in (f"file://{tmp_path}/buckte", f"{run.prefix}/model"):
        assert run_command(["forget", "--ids", str(ids_file(tmp_path, SECOND)), "--root", root]) == 10
        said = capsys.readouterr()
        assert said.out == ""
        assert f"No TweetBot has written below {root}: write the address in output.s3.uri" in said.err


def test_a_tweetbot_without_a_version_yet_is_no_mistyped_root(tmp_path: Path) -> None:
    (folder := tmp_path / "bucket/team-a/gull").mkdir(parents=True)
    (folder / "owner.json").write_text("{}", encoding="utf-8")
    assert search(STORE, f"file://{tmp_path}/bucket", frozenset({SECOND})).datasets == []
