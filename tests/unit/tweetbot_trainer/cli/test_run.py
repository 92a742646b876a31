"""From a manifest and a file of posts to a model, without a cluster: the whole trainer, its real parts, in one go."""

import json
import os
import signal
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest
import yaml

from builders.manifests import a_manifest
from builders.stages import a_source
from tweetbot_trainer import __main__
from tweetbot_trainer.store.folder import FolderStore

pytestmark = pytest.mark.usefixtures("scales_are_fitted_once")

STORE = FolderStore()
#: What nothing may load before the first step is done: seconds that a GPU would wait.
LATE = {
    "transformers", "torch._dynamo", "torch._inductor", "torch.distributed.tensor", "sympy", "torch.onnx",
    "matplotlib", "PIL", "wandb", "tweepy", "scipy", "boto3", "huggingface_hub", "requests", "httpx",
}  # fmt: skip


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """The command line for a small bot."""
    a_source(tmp_path)
    manifest = a_manifest(
        sources=[{"posts": {"uri": f"file://{tmp_path}/posts.txt", "format": "txt"}}],
        output={"s3": {"uri": f"file://{tmp_path}/bucket"}},
        model={"base": "scratch://mini"},
        training={"epochs": 2},
        tracking={"wandb": {"mode": "Disabled"}},
        resources={"gpu": {"count": 0}},
    )
    (tmp_path / "bot.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    program = [sys.executable, "-m", "tweetbot_trainer", "run", "--manifest", str(tmp_path / "bot.yaml")]
    return [*program, "--work", str(tmp_path / "work")]


def objects(folder: Path) -> list[str]:
    start = f"file://{folder}/bucket/team-a/gull/"
    return [info.uri.removeprefix(start) for info in STORE.list(start)]


def test_a_run_that_is_stopped_publishes_nothing_and_the_next_one_does(
    tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPROFILEIMPORTTIME": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as stopped:
        assert stopped.stderr is not None
        told = list(takewhile(lambda line: "%" not in line, stopped.stderr))
        stopped.send_signal(signal.SIGTERM)
        stopped.communicate(timeout=60)
    assert stopped.returncode == 143
    imported = {line.rpartition("|")[2].strip() for line in told if line.startswith("import time:")}
    assert "torch" in imported
    assert imported & LATE == set()
    assert [name for name in objects(tmp_path) if name.startswith(("models/", "latest"))] == []

    arguments = command[command.index("run") :]
    assert __main__.run_command(arguments) == 0
    whole = capsys.readouterr()
    pointer = json.loads((tmp_path / "bucket/team-a/gull/latest.json").read_text(encoding="utf-8"))
    assert whole.out.splitlines()[-1] == f"model    {pointer['uri']}"
    version = pointer["uri"].removesuffix("/model")
    published = sorted(info.uri.removeprefix(f"{version}/") for info in STORE.list(f"{version}/"))
    manifest = json.loads(STORE.get(f"{version}/MANIFEST.json"))
    assert published == sorted([*manifest["files"], "MANIFEST.json"])
    assert {"model/README.md", "model/model.safetensors", "model/loss.png", "report/metrics.jsonl"} < set(published)
    assert manifest["metrics"]["trainLoss"] < manifest["metrics"]["firstTrainLoss"]

    assert __main__.run_command(arguments) == 0
    again = capsys.readouterr()
    assert "a model with the same dataset and training is already published" in again.err
    assert again.out == whole.out
    planned = ["plan", *arguments[1:3], "--secrets", str(tmp_path)]
    assert __main__.run_command(planned) == 0
    assert f"adopts   {pointer['uri']}: no training at all" in capsys.readouterr().out

    assert __main__.run_command(["generate", "--model", pointer["uri"].removeprefix("file://"), "--json"]) == 0
    posts = json.loads(capsys.readouterr().out)["posts"]
    assert len(posts) == 5
    assert [post for post in posts if not post.startswith("My dream is")] == []
