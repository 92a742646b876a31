"""The program as people meet it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders.manifests import a_manifest
from tweetbot_trainer.__main__ import run_command


def run_with(content: str, folder: Path) -> int:
    (folder / "bot.yaml").write_text(content, encoding="utf-8")
    return run_command(["run", "--manifest", str(folder / "bot.yaml"), "--work", str(folder / "work")])


@pytest.mark.parametrize(
    "arguments", [[], ["prepare"], ["train"], ["run"], ["generate"], ["clean"], ["verify"], ["forget"]]
)
def test_every_command_explains_itself(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command([*arguments, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: tweetbot-trainer")


def test_the_version_is_the_distributions(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_command(["--version"])
    assert capsys.readouterr().out.strip().count(".") == 2


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"sources": []}, "spec.sources: "),
        ({"training": {"epochs": 0}}, "spec.training.epochs: "),
        ({"filter": {"minWord": 3}}, "spec.filter.minWord: "),
        ({"model": {"base": "gpt2"}}, "spec.model.base: write the base as hf://gpt2"),
    ],
)
def test_a_manifest_that_breaks_a_rule_is_refused_with_the_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spec: dict[str, Any], words: str
) -> None:
    code = run_with(yaml.safe_dump(a_manifest(**spec)), tmp_path)
    told = capsys.readouterr().err
    assert (code, words in told, "Traceback" in told) == (10, True, False)


@pytest.mark.parametrize(
    ("content", "words"), [("a: [", "is not YAML"), ("[" * 5000, "is not YAML"), ("- 1", "holds no manifest")]
)
def test_a_file_that_is_no_manifest_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, words: str
) -> None:
    assert run_with(content, tmp_path) == 10
    assert words in capsys.readouterr().err


def test_a_missing_manifest_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run", "--manifest", str(tmp_path / "none.yaml"), "--work", str(tmp_path)]) == 10
    assert "No such file" in capsys.readouterr().err


def test_generating_without_a_model_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["generate", "--model", str(tmp_path)]) == 10
    assert "Traceback" not in capsys.readouterr().err


def test_posts_are_cleaned_through_a_pipe() -> None:
    post = {"id": "1", "text": "the tide &amp; the soup https://t.co/x", "created_at": "2021-04-09T04:54:00Z"}
    told = subprocess.run(
        [sys.executable, "-m", "tweetbot_trainer", "clean", "--recipe", "huggingtweets"],
        input=json.dumps(post),
        capture_output=True,
        text=True,
        check=True,
    )
    cleaned = json.loads(told.stdout)
    assert (cleaned["text"], cleaned["kept"], cleaned["reason"]) == ("the tide & the soup", True, None)


def test_a_reader_that_has_seen_enough_is_no_fault(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"id": str(n), "text": "the tide came back with soup"}) + "\n" for n in range(20_000))
    (tmp_path / "posts.jsonl").write_text(lines, encoding="utf-8")
    command = f"{sys.executable} -m tweetbot_trainer clean --recipe huggingtweets < {tmp_path}/posts.jsonl | head -n 1"
    told = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr, told.stdout.count("\n")) == (0, "", 1)
