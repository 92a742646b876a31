"""Two clusters apply one TweetBot with one bucket: by the program itself, manifests and folders, as a person would."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders.manifests import a_manifest
from builders.stages import a_source
from tweetbot_contract.handover import TAKE_OVER_ANNOTATION, RunDocument
from tweetbot_trainer import __main__
from tweetbot_trainer.cli.cleanup import erase
from tweetbot_trainer.cli.run import read_manifest
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store.folder import FolderStore

pytestmark = pytest.mark.usefixtures("scales_are_fitted_once")

A, B = "aaaa-cluster-a", "bbbb-cluster-b"


@pytest.fixture(autouse=True)
def few_measured_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tweetbot_trainer.stages.training_run.MEASURED_TEXTS", 20)


class Clusters:
    """One folder as the bucket, and one manifest for each cluster's TweetBot."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self._capsys = home, capsys
        self.folder = home / "bucket/team-a/gull"
        a_source(home)

    def run(self, uid: str, take_over: str = "", **spec: Any) -> tuple[int, str]:
        """Run a cluster's manifest; answers the exit code and what was printed."""
        fields = {
            "sources": [{"posts": {"uri": f"file://{self.home}/posts.txt", "format": "txt"}}],
            "output": {"s3": {"uri": f"file://{self.home}/bucket"}},
            "model": {"base": "scratch://mini"},
            "training": {"epochs": 1},
            "tracking": {"wandb": {"mode": "Disabled"}},
            "resources": {"gpu": {"count": 0}},
            "history": {"models": 1},
        }
        manifest = a_manifest(**{**fields, **spec})
        annotations = {TAKE_OVER_ANNOTATION: take_over} if take_over else {}
        manifest["metadata"] |= {"uid": uid, "annotations": annotations}
        file = self.home / f"{uid}.yaml"
        file.write_text(yaml.safe_dump(manifest), encoding="utf-8")
        work = str(self.home / f"work-{uid}")
        code = __main__.run_command(["run", "--manifest", str(file), "--work", work])
        printed = self._capsys.readouterr()
        return code, printed.out + printed.err

    def delete(self, uid: str) -> int:
        """Erase as the cleanup of this cluster's TweetBot does; answers how many objects went."""
        bot = read_manifest(self.home / f"{uid}.yaml")
        fields = {"namespace": bot.namespace, "name": bot.name, "uid": bot.uid, "spec": bot.spec}
        run = RunDocument(stage="Cleanup", run_id="", run_number=0, **fields)
        return erase(FolderStore(), run, Log(StringIO()), StopRequest())

    def pointer(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "latest.json").read_text(encoding="utf-8"))
        return content

    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
def clusters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Clusters:
    return Clusters(tmp_path, capsys)


def test_neither_erases_what_the_other_serves_and_the_second_becomes_the_owner_in_time(clusters: Clusters) -> None:
    assert clusters.run(A)[0] == 0
    served, files = clusters.pointer(), clusters.files()

    code, said = clusters.run(B, training={"epochs": 2})  # would erase A's model: history.models is 1
    assert code == 10
    for words in ("PrefixOwned", f"uid {A}", f"{TAKE_OVER_ANNOTATION} to {A}"):
        assert words in said
    assert clusters.pointer() == served
    assert files <= clusters.files()

    code, said = clusters.run(B)  # the same manifest: it adopts the model
    assert (code, "PrefixOwned" in said, served["uri"] in said) == (0, True, True)
    assert clusters.pointer() == served

    assert clusters.delete(A) == 0
    assert files <= clusters.files()

    assert clusters.run(B, training={"epochs": 2})[0] == 0  # it owns the folder now, and may erase A's old version
    assert clusters.pointer()["uid"] == B
    assert clusters.delete(B) > 0
    assert clusters.files() == set()


def test_the_annotation_hands_the_folder_over(clusters: Clusters) -> None:
    assert clusters.run(A)[0] == 0
    assert clusters.run(B, take_over=A)[0] == 0
    assert clusters.pointer()["uid"] == B
    code, said = clusters.run(A, training={"epochs": 2})
    assert (code, f"uid {B}" in said) == (10, True)
