"""The first stage gives the same answer however often it is asked and wherever it was killed."""

from pathlib import Path
from typing import Any, Literal

import pytest

from builders.stages import ENOUGH, a_context, a_local_run, a_source
from tweetbot_contract.result import PrepareSucceeded
from tweetbot_fakes.storage import Killed, WatchedStore
from tweetbot_trainer.data.dataset.store import load_dataset
from tweetbot_trainer.runtime.errors import SpecRefused, StageStopped, TooLittleData
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()


def prepared(folder: Path, **changes: Any) -> PrepareSucceeded:
    return prepare(a_context(folder, a_local_run(folder, **changes)))


def test_posts_become_a_dataset_by_its_digest(tmp_path: Path) -> None:
    a_source(tmp_path)
    result = prepared(tmp_path)
    assert result.dataset.table.downloaded == ENOUGH
    assert result.dataset.uri == f"file://{tmp_path}/bucket/team-a/gull/datasets/{result.dataset.digest}"
    stored = load_dataset(STORE, a_local_run(tmp_path), result.dataset.digest)
    assert len(stored.posts) == result.dataset.table.kept


def test_several_gpus_for_a_base_that_one_trains_as_fast_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecRefused, match=r"count is 2, and scratch://mini has fewer than 1 billion .* Set it to 1"):
        prepared(tmp_path, spec={"resources": {"gpu": {"count": 2}}})


def test_asked_again_it_answers_without_reading_a_source(tmp_path: Path) -> None:
    source = a_source(tmp_path)
    first = prepared(tmp_path)
    source.unlink()
    store = WatchedStore(STORE)
    assert prepare(a_context(tmp_path, a_local_run(tmp_path), store=store)) == first
    assert [action for action, _ in store.requests if action.startswith("put")] == []


def test_a_damaged_dataset_is_prepared_again(tmp_path: Path) -> None:
    a_source(tmp_path)
    first = prepared(tmp_path)
    STORE.put(f"{first.dataset.uri}/posts.jsonl.zst", b"garbage")
    assert prepared(tmp_path) == first
    assert load_dataset(STORE, a_local_run(tmp_path), first.dataset.digest).digest == first.dataset.digest


@pytest.mark.parametrize("phase", ["before", "after"])
def test_killed_at_any_request_it_gives_the_same_dataset_afterwards(
    tmp_path: Path, phase: Literal["before", "after"]
) -> None:
    a_source(tmp_path / "counted")
    counting = WatchedStore(STORE)
    whole = prepare(a_context(tmp_path, a_local_run(tmp_path / "counted"), store=counting))
    for index in range(len(counting.requests)):
        home = tmp_path / str(index)
        a_source(home)
        with pytest.raises(Killed):
            prepare(a_context(home, a_local_run(home), store=WatchedStore(STORE, die_at=index, phase=phase)))
        assert prepared(home).dataset.digest == whole.dataset.digest
        stored = {info.uri.split("/datasets/")[1] for info in STORE.list(f"file://{home}/bucket/team-a/gull/d")}
        assert {name[:64] for name in stored} == {whole.dataset.digest, "copies.key"}
        assert f"{whole.dataset.digest}/copies.hashes" in stored


def test_the_counts_are_the_runs_own_where_an_older_snapshot_has_the_same_posts(tmp_path: Path) -> None:
    source = a_source(tmp_path)
    first = prepared(tmp_path)
    source.write_text(source.read_text(encoding="utf-8") + "ok\n", encoding="utf-8")
    second = prepared(tmp_path, run_id="fedcba9876543210")
    assert second.dataset.digest == first.dataset.digest
    assert second.dataset.table.short == first.dataset.table.short + 1


def test_a_wrong_base_is_told_before_any_post_is_read(tmp_path: Path) -> None:
    store = WatchedStore(STORE)
    run = a_local_run(tmp_path, spec={"model": {"base": "s3://team-a/base"}})
    with pytest.raises(SpecRefused):
        prepare(a_context(tmp_path, run, store=store))
    assert [uri for _, uri in store.requests if uri.endswith("posts.txt")] == []


def test_too_few_posts_are_refused_by_the_original_rule(tmp_path: Path) -> None:
    a_source(tmp_path, posts=20)
    with pytest.raises(TooLittleData, match="at least 6000 characters are needed") as failed:
        prepared(tmp_path)
    assert failed.value.reason.name == "TooFewPosts"


def test_a_stage_that_is_asked_to_end_leaves_no_record(tmp_path: Path) -> None:
    a_source(tmp_path)
    stop = StopRequest()
    stop.request()
    with pytest.raises(StageStopped):
        prepare(a_context(tmp_path, a_local_run(tmp_path), stop=stop))
    assert [info.uri for info in STORE.list(f"file://{tmp_path}/bucket/team-a/gull/runs/")] == []


def test_several_sources_are_mixed_into_one_dataset(tmp_path: Path) -> None:
    a_source(tmp_path)
    a_source(tmp_path, name="more.txt", posts=ENOUGH + 10)
    sources = [{"posts": {"uri": f"file://{tmp_path}/{name}", "format": "txt"}} for name in ("posts.txt", "more.txt")]
    table = prepared(tmp_path, spec={"sources": sources, "filter": {"deduplicate": False}}).dataset.table
    assert table.downloaded == 2 * ENOUGH + 10
