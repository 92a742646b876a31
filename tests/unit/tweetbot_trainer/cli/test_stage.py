"""A stage as its Pod starts it: environment in, termination message and exit code out, on a real S3 client."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from builders.manifests import a_spec
from builders.stages import a_local_run
from builders.trainer import many_posts
from tweetbot_contract import handover, result
from tweetbot_contract.handover import ExitCode, RunDocument
from tweetbot_trainer.__main__ import run_command
from tweetbot_trainer.cli import cleanup as cli_cleanup
from tweetbot_trainer.cli import stage as cli_stage

ENOUGH = 220


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a Pod, and a bucket `team-a`; whatever a stage sets in it goes with the test."""
    before = dict(os.environ)
    (tmp_path / "secrets" / "s3").mkdir(parents=True)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        (tmp_path / "secrets" / "s3" / name).write_text("testing", encoding="utf-8")
    os.environ.update(environment(tmp_path))
    with mock_aws():
        bucket().create_bucket(Bucket="team-a")
        yield environment(tmp_path)
    os.environ.clear()
    os.environ.update(before)


def environment(folder: Path) -> dict[str, str]:
    return {
        handover.SECRETS_DIR_ENV: str(folder / "secrets"),
        handover.WORK_DIR_ENV: str(folder / "work"),
        handover.TERMINATION_LOG_ENV: str(folder / "termination-log"),
        "HOME": str(folder / "work" / "home"),
        "TWEETBOT_STORAGE_PATIENCE_SECONDS": "0",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def bucket() -> Any:
    return boto3.client("s3", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")


def a_run(**changes: Any) -> RunDocument:
    fields = {
        "sources": [{"posts": {"uri": "s3://team-a/posts.txt", "format": "txt"}}],
        "output": {"s3": {"uri": "s3://team-a/models"}},
        "model": {"base": "scratch://mini"},
        "tracking": {"wandb": {"mode": "Disabled"}},
    }
    return a_local_run(Path("/nowhere"), spec=None).model_copy(update={"spec": a_spec(**{**fields, **changes})})


def upload_posts(count: int = ENOUGH) -> None:
    lines = "".join(f"{post.text}\n" for post in many_posts(count))
    bucket().put_object(Bucket="team-a", Key="posts.txt", Body=lines.encode())


def ended(run: RunDocument | str, pod: dict[str, str], stage: str = "prepare") -> tuple[int, Any]:
    """Run a stage and return its exit code and what it left in the termination log."""
    os.environ[handover.RUN_ENV] = run if isinstance(run, str) else run.encode()
    code = run_command([stage])
    return code, result.decode(Path(pod[handover.TERMINATION_LOG_ENV]).read_text(encoding="utf-8"))


def test_a_prepared_dataset_stands_in_the_bucket_and_in_the_message(pod: dict[str, str]) -> None:
    upload_posts()
    code, told = ended(a_run(), pod)
    assert (code, told.kind, told.dataset.table.downloaded) == (0, "PrepareSucceeded", ENOUGH)
    keys = [entry["Key"] for entry in bucket().list_objects_v2(Bucket="team-a", Prefix="models/")["Contents"]]
    assert {key.split("/", 3)[3] for key in keys} == {
        f"datasets/{told.dataset.digest}/copies.hashes",
        f"datasets/{told.dataset.digest}/dataset.json",
        f"datasets/{told.dataset.digest}/ids.jsonl",
        f"datasets/{told.dataset.digest}/posts.jsonl.zst",
        "datasets/copies.key",
        "owner.json",
        "runs/0123456789abcdef/prepare.json",
        "storage-probe.json",
    }


S3 = {"uri": "s3://team-a/models"}
ARCHIVE = [{"archive": {"uri": "s3://team-a/export.zip"}}]


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"output": {"s3": {"uri": "s3://nowhere/models"}}}, ExitCode.REFUSED, "BucketNotFound"),
        ({"sources": [{"archive": {"uri": "s3://team-a/missing.zip"}}]}, ExitCode.REFUSED, "SourceNotFound"),
        ({"sources": [{"archive": {"uri": "s3://nowhere/export.zip"}}]}, ExitCode.REFUSED, "BucketNotFound"),
        ({"sources": ARCHIVE}, ExitCode.REFUSED, "SourceNotAnExport"),
        ({"model": {"base": "s3://team-a/base"}}, ExitCode.REFUSED, "BaseModelNotFound"),
        ({}, ExitCode.TOO_LITTLE_DATA, "TooFewPosts"),
        ({"output": {"s3": {"uri": "file:///tmp/models"}}}, ExitCode.REFUSED, "SpecRefused"),
        ({"output": {"s3": {**S3, "endpoint": "http://127.0.0.1:9"}}}, ExitCode.REFUSED, "SpecRefused"),
    ],
)
def test_each_fault_ends_in_its_reason_and_exit_code(
    pod: dict[str, str], changes: dict[str, Any], code: ExitCode, reason: str
) -> None:
    upload_posts(20)
    bucket().put_object(Bucket="team-a", Key="export.zip", Body=b"this is no zip")
    told_code, told = ended(a_run(**changes), pod)
    assert (told_code, told.kind, told.reason) == (code, "StageFailed", reason)
    assert "Traceback" not in told.message


def test_a_storage_that_is_away_is_temporary(pod: dict[str, str]) -> None:
    os.environ[handover.ALLOWED_NETWORKS_ENV] = "127.0.0.0/8"
    output = {"s3": {**S3, "endpoint": "http://127.0.0.1:9"}}
    code, told = ended(a_run(output=output), pod)
    assert (code, told.reason) == (ExitCode.TEMPORARY, "StorageUnavailable")


@pytest.mark.parametrize(
    ("document", "words"),
    [("", "is not set"), ("{", "Invalid JSON"), ('{"stage": "Prepare"}', "namespace: Field required")],
)
def test_a_run_document_that_is_none_is_refused(pod: dict[str, str], document: str, words: str) -> None:
    code, told = ended(document, pod)
    assert (code, told.reason) == (ExitCode.REFUSED, "SpecRefused")
    assert words in told.message


def test_a_stage_refuses_the_other_ones_document(pod: dict[str, str]) -> None:
    assert ended(a_run(), pod, "train")[0] == ExitCode.REFUSED


def test_a_dataset_that_is_gone_is_named_with_the_way_on(pod: dict[str, str]) -> None:
    run = a_run().model_copy(update={"stage": "Train", "dataset": "d" * 64})
    code, told = ended(run, pod, "train")
    assert (code, told.reason) == (ExitCode.REFUSED, "SourceUnreadable")
    assert "tweetbot.dev/retrain-at" in told.message


def test_what_nobody_foresaw_is_told_in_one_line_and_logged_in_full(
    pod: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(pod[handover.WORK_DIR_ENV]).write_text("a file where the work folder should be", encoding="utf-8")
    code, told = ended(a_run(), pod)
    assert (code, told.reason) == (1, "TrainerBug")
    assert "Traceback" not in told.message
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "stage.failed" in line]
    assert "Traceback" in json.loads(line)["traceback"]


class PanicException(BaseException):
    """Named as pyo3 names a panic of a library in Rust."""


class Unspeakable(Exception):
    """Fails to describe itself."""

    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("raised", "code", "reason"),
    [
        (PanicException("a post"), 1, "TrainerBug"),
        (SystemExit(0), 1, "TrainerBug"),
        (GeneratorExit(), 1, "TrainerBug"),
        (RecursionError(), 1, "TrainerBug"),
        (Unspeakable(), 1, "TrainerBug"),
        (ExceptionGroup("several", [ValueError("a post")]), 1, "TrainerBug"),
        (MemoryError(), 1, "OutOfMemory"),
        (KeyboardInterrupt(), ExitCode.STOPPED, "Stopped"),
    ],
)
@pytest.mark.parametrize("stage", ["prepare", "train", "cleanup"])
def test_every_stage_ends_with_a_message_whatever_is_raised(
    pod: dict[str, str], monkeypatch: pytest.MonkeyPatch, stage: str, raised: BaseException, code: int, reason: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise raised

    module = cli_cleanup if stage == "cleanup" else cli_stage
    monkeypatch.setattr(module, "build_store_opener", fail)
    run = a_run().model_copy(update={"stage": stage.capitalize(), "dataset": "d" * 64})
    told_code, told = ended(run, pod, stage)
    assert (told_code, told.kind, told.reason) == (code, "StageFailed", reason)
    assert "a post" not in told.message


def test_no_secret_reaches_the_log_or_the_message(pod: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    secret = Path(pod[handover.SECRETS_DIR_ENV]) / "s3" / "AWS_SECRET_ACCESS_KEY"
    secret.write_text("canary-of-the-harbour", encoding="utf-8")
    _, told = ended(a_run(output={"s3": {"uri": "s3://team-a/models", "endpoint": "http://127.0.0.1:9"}}), pod)
    assert "canary-of-the-harbour" not in capsys.readouterr().err + told.message


LIGHT = """
import os
import sys
from moto import mock_aws
from tweetbot_trainer.__main__ import run_command
with mock_aws():
    import boto3
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="team-a")
    client.put_object(Bucket="team-a", Key="posts.txt", Body=open(sys.argv[1], "rb").read())
    codes = [run_command(["prepare"]) for os.environ[sys.argv[2]] in sys.argv[3:]]
heavy = "torch transformers tokenizers safetensors wandb tweepy huggingface_hub matplotlib PIL scipy numpy".split()
print(codes, [name for name in heavy if name in sys.modules])
"""


def test_preparing_loads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    posts = tmp_path / "posts.txt"
    posts.write_text("".join(f"{post.text}\n" for post in many_posts(ENOUGH)), encoding="utf-8")
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    variables = {**os.environ, **environment(tmp_path), **keys}
    runs = [a_run(filter={"recipe": recipe}).encode() for recipe in ("huggingtweets", "modern")]
    command = [sys.executable, "-c", LIGHT, str(posts), handover.RUN_ENV, *runs]
    told = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert told.stdout == "[0, 0] ['safetensors', 'numpy']\n"
