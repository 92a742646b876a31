"""`tweetbot-trainer plan`: what a run would do. It writes nothing, and asks X for nothing."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders.manifests import a_manifest
from builders.stages import a_source
from tweetbot_contract.identity import compute_run_id
from tweetbot_contract.manifest import parse
from tweetbot_trainer.__main__ import run_command
from tweetbot_trainer.learning.checkpoints.naming import make_name

X = {"x": {"handle": "gull", "tokenSecret": {"name": "x", "key": "token"}, "maxPosts": 1000, "acceptTerms": True}}


def plan(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, **spec: Any) -> tuple[int, str]:
    manifest = a_manifest(
        output={"s3": {"uri": f"file://{folder}/bucket"}},
        **{"model": {"base": "scratch://mini"}, "resources": {"gpu": {"count": 0}}} | spec,
    )
    (folder / "bot.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    code = run_command(["plan", "--manifest", str(folder / "bot.yaml"), *words])
    return code, capsys.readouterr().out


def a_file(folder: Path) -> dict[str, Any]:
    a_source(folder)
    return {"posts": {"uri": f"file://{folder}/posts.txt", "format": "txt"}}


def test_a_plan_counts_posts_steps_and_minutes_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, output = plan(tmp_path, capsys, "-o", "json", sources=[a_file(tmp_path)])
    document = json.loads(output)
    assert (code, document["obstacles"], document["xBills"], document["adopts"]) == (0, [], [], None)
    assert document["data"]["kept"] > 0
    training = document["training"]
    assert 0 < training["steps"]["least"] < training["steps"]["most"]
    assert 0 < training["minutes"]["least"] < training["minutes"]["most"]
    assert not (tmp_path / "bucket").exists()


def test_x_is_never_asked_and_its_bill_is_told_wherever_it_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, output = plan(tmp_path, capsys, sources=[X, a_file(tmp_path)])
    assert code == 0
    assert "sources[0] cannot be read without paying: at most $5.01; the run stops at $17" in output


def test_too_few_posts_are_told_before_they_fail_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "few.txt").write_text("The harbour is quiet\n", encoding="utf-8")
    few = {"posts": {"uri": f"file://{tmp_path}/few.txt", "format": "txt"}}
    code, output = plan(tmp_path, capsys, sources=[X, few])
    assert (code, "fails    TooFewPosts: sources[1]: 1 posts" in output) == (10, True)


def test_a_base_that_cannot_be_read_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWEETBOT_BASE_DIR", str(tmp_path))
    code, output = plan(tmp_path, capsys, sources=[X], model={"base": "pvc://bases/none"})
    assert (code, "fails    BaseModelNotFound: " in output) == (10, True)
    assert "minutes  unknown: the size of this base is not known" in output


def test_gates_that_no_model_could_meet_and_a_checkpoint_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = {"sources": [a_file(tmp_path)], "evaluation": {"gates": {"minStyle": 5}}, "training": {"holdoutPercent": 5}}
    code, output = plan(tmp_path, capsys, **spec)
    assert (code, "fails    minStyle cannot be met: " in output) == (10, True)
    manifest = parse(yaml.safe_load((tmp_path / "bot.yaml").read_text()))
    run = compute_run_id(manifest.spec, "")
    folder = tmp_path / "bucket" / manifest.namespace / manifest.name / "checkpoints" / run
    for step in (7, 30):
        whole = folder / make_name(step, datetime(2026, 1, 1, tzinfo=UTC))
        whole.mkdir(parents=True)
        (whole / "MANIFEST.json").write_text("{}")
    assert "resumes  from the checkpoint of step 30, if it fits" in plan(tmp_path, capsys, **spec)[1]
