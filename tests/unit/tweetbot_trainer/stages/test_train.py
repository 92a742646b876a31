"""The second stage: what it makes of a dataset, and what it leaves alone."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch

from builders.stages import a_context, a_folder, a_local_run, a_source, a_version
from tweetbot_contract.result import TrackingResult, TrainSucceeded
from tweetbot_fakes.storage import WatchedStore
from tweetbot_trainer.publishing.registry.manifest import read_version
from tweetbot_trainer.publishing.registry.ownership import join_prefix
from tweetbot_trainer.publishing.registry.publish import publish, store_rejected
from tweetbot_trainer.publishing.registry.run_record import read_record, write_record
from tweetbot_trainer.publishing.tracking.interface import TrackedArtifact
from tweetbot_trainer.runtime.errors import GateFailed, StageError, StageStopped
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.stages.train import train
from tweetbot_trainer.stages.training_plan import build_training_plan
from tweetbot_trainer.store.folder import FolderStore

pytestmark = pytest.mark.usefixtures("scales_are_fitted_once")

STORE = FolderStore()


def a_training(folder: Path, **changes: Any) -> StageContext:
    """Return the surroundings of a training whose dataset is prepared."""
    a_source(folder)
    changes = {"spec": {"training": {"epochs": 1}}, **changes}
    prepared = prepare(a_context(folder, a_local_run(folder, **changes)))
    return a_context(folder, a_local_run(folder, stage="Train", dataset=prepared.dataset.digest, **changes))


REPORT = "https://wandb.example/team/gulls/reports/gull--1"


class RecordingTracker:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.rows: list[Mapping[str, float]] = []
        self.artifacts: list[tuple[str, str, str]] = []
        self.tables: dict[str, Sequence[Sequence[Any]]] = {}
        self.figures: dict[str, Any] = {}
        self.failed: bool | None = None

    def get_current_result(self) -> TrackingResult:
        return TrackingResult(wandb_mode="Online", wandb_url="https://wandb.example/run", report_url=REPORT)

    def log(self, row: Mapping[str, float]) -> None:
        self.rows.append(row)

    def set_summary(self, figures: Mapping[str, Any]) -> None:
        self.figures |= figures

    def log_table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.tables[name] = rows

    def log_artifact(self, artifact: TrackedArtifact) -> None:
        self.artifacts.append((artifact.direction, artifact.type, artifact.uri))

    def finish(self, *, failed: bool = False) -> TrackingResult:
        self.failed = failed
        return self.get_current_result()


@dataclass(frozen=True)
class Trained:
    """A training that nothing disturbed, and what its tracker was told."""

    context: StageContext
    tracker: RecordingTracker
    result: TrainSucceeded
    log: str


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    tracker, lines = RecordingTracker(), StringIO()
    spec = {"training": {"epochs": 1}, "evaluation": {"prompts": ["My dream is", "a" * 279, "a gull"]}}
    context = a_training(tmp_path_factory.mktemp("trained"), spec=spec)
    context = replace(context, start_tracker=lambda config: tracker, log=Log(lines))
    return Trained(context, tracker, train(context), lines.getvalue())


def test_a_dataset_becomes_a_published_model_that_the_tracker_knows(trained: Trained) -> None:
    context, tracker, result = trained.context, trained.tracker, trained.result
    plan = build_training_plan(context)
    version = result.model.uri.removesuffix("/model")
    assert tracker.artifacts == [
        ("input", "train-dataset", plan.data.uri),
        ("output", "finetuned-model", result.model.uri),
    ]
    rows = [json.loads(line) for line in STORE.get(f"{version}/report/metrics.jsonl").decode().splitlines()]
    assert [row["step"] for row in rows] == [row["step"] for row in tracker.rows]
    assert [row["train_loss"] for row in rows if "train_loss" in row] == [
        row["train_loss"] for row in tracker.rows if "train_loss" in row
    ]
    assert tracker.figures == result.metrics.to_dict()
    assert {"perplexity", "bitsPerByte", "bitsPerByteLow", "bitsPerByteHigh", "verbatimRate", "verbatimRateUnseen",
            "distinct1", "distinct2", "distinct3", "leakedSamples", "styleScore", "styleScoreLow", "styleScoreHigh",
            "functionWordScore"} <= set(tracker.figures)  # fmt: skip
    assert len(tracker.tables["samples"]) == len(result.samples) == 10
    assert (result.tracking.wandb_url, tracker.failed) == ("https://wandb.example/run", False)
    assert b"https://wandb.example/run" in STORE.get(f"{result.model.uri}/README.md")
    assert REPORT.encode() in STORE.get(f"{result.model.uri}/README.md")
    assert result.tracking.report_url == REPORT
    assert not (context.work / "finished").exists()
    assert prepare(replace(context, run=context.run.model_copy(update={"stage": "Prepare"}))).adopted is not None


def test_log_and_manifest_say_in_which_number_format_it_was_trained(trained: Trained) -> None:
    manifest = read_version(STORE, trained.result.model.uri.removesuffix("/model"))
    assert manifest is not None
    origin = manifest.manifest.provenance
    assert (origin.precision, origin.product_seconds) == ("FP32", None)
    (told,) = [line for line in map(json.loads, trained.log.splitlines()) if line["event"] == "train.device"]
    assert (told["precision"], told["processor"], told["threads"]) == ("FP32", origin.processor, origin.threads)


def test_a_prompt_without_samples_is_told_by_its_place(trained: Trained) -> None:
    told = [line["message"] for line in map(json.loads, trained.log.splitlines()) if line["level"] == "warning"]
    assert told == ["spec.evaluation.prompts[1] leaves no room for another word, so it has no samples"]
    assert trained.result.advisory == f"{told[0]}: shorten it."
    assert [sample.prompt for sample in trained.result.samples] == ["My dream is"] * 5 + ["a gull"] * 5


def test_a_training_without_the_gpu_that_it_asked_for_ends_before_it_fetches_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It held the GPU and trained on the CPU, and only a line in the log said so."""

    def init() -> None:
        raise RuntimeError("Found no NVIDIA driver on your system.")

    monkeypatch.setattr(torch.cuda, "init", init)
    context, started = a_training(tmp_path, spec={"resources": {"gpu": {"count": 1}}}), list[object]()
    store = WatchedStore(STORE)
    context = replace(context, open_store=lambda _: store, start_tracker=started.append)  # type: ignore[arg-type]
    with pytest.raises(StageError, match=r"AcceleratorUnusable: .*nvidia\.com/gpu"):
        train(context)
    assert started == []
    assert [uri for action, uri in store.requests if action.startswith("put") and "/models/" in uri] == []


def test_a_published_model_is_found_and_nothing_is_trained(tmp_path: Path) -> None:
    context = a_training(tmp_path)
    key = build_training_plan(context).key
    folder = a_folder(tmp_path / "finished", b"weights")
    standing = a_version(folder, context.run, version=key[:16], training_key=key)
    result = publish(STORE, context.run, folder, standing)
    store = WatchedStore(STORE)
    assert train(replace(context, open_store=lambda _: store)) == result
    assert [action for action, _ in store.requests if action.startswith("put")] == []


def test_finding_a_model_loads_no_torch() -> None:
    heavy = {"torch", "transformers", "matplotlib"}
    code = f"import sys, tweetbot_trainer.stages.train; print(sorted({heavy!r} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


def test_a_base_stays_the_one_that_preparation_found(tmp_path: Path) -> None:
    context = a_training(tmp_path)
    record = read_record(STORE, context.run)
    assert record is not None
    moved = record.model_copy(update={"base": replace(record.base, digest="an older recipe")})
    write_record(STORE, context.run, moved)
    assert build_training_plan(context).base.digest == "an older recipe"


def test_without_its_record_a_training_plans_the_same(tmp_path: Path) -> None:
    context = a_training(tmp_path)
    before = build_training_plan(context)
    STORE.delete(f"{context.run.prefix}/runs/{context.run.run_id}/prepare.json")
    after = build_training_plan(context)
    assert (before.sources != (), after.sources) == (True, ())
    assert replace(after, sources=before.sources) == before


def test_a_training_that_is_asked_to_end_publishes_nothing(tmp_path: Path) -> None:
    tracker, stop = RecordingTracker(), StopRequest()
    context = replace(a_training(tmp_path), stop=stop, start_tracker=lambda config: tracker)
    stop.request()
    with pytest.raises(StageStopped):
        train(context)
    assert tracker.failed is True
    assert list(STORE.list(f"{context.run.prefix}/models/")) == []


def the_weights(result: TrainSucceeded) -> bytes:
    return STORE.get(f"{result.model.uri}/model.safetensors")


def test_a_training_stopped_half_way_goes_on_in_another_pod_to_the_same_model(tmp_path: Path, trained: Trained) -> None:
    context, stop = a_training(tmp_path), StopRequest()

    class StoppingTracker(RecordingTracker):
        def log(self, row: Mapping[str, float]) -> None:
            super().log(row)
            if row["step"] == 2:
                stop.request()

    with pytest.raises(StageStopped, match="after 2 steps"):
        train(replace(context, stop=stop, start_tracker=lambda config: StoppingTracker()))
    kept = [info.uri for info in STORE.list(f"{context.run.prefix}/checkpoints/")]
    assert any("/00000002-" in uri for uri in kept)
    assert list(STORE.list(f"{context.run.prefix}/models/")) == []
    shutil.rmtree(context.work)
    tracker = RecordingTracker()
    resumed = train(replace(context, start_tracker=lambda config: tracker))
    assert the_weights(resumed) == the_weights(trained.result)
    assert tracker.rows[0]["step"] == 3
    assert list(STORE.list(f"{context.run.prefix}/checkpoints/")) == []
    version = resumed.model.uri.removesuffix("/model")
    rows = [json.loads(line) for line in STORE.get(f"{version}/report/metrics.jsonl").decode().splitlines()]
    assert [row["step"] for row in rows if "train_loss" in row] == list(range(1, rows[-1]["step"] + 1))


def a_parrot(folder: Path, limit: int, *, count: int = 500) -> StageContext:
    """Return a training on posts that all end in the same fifty characters, which any model soon repeats."""
    folder.mkdir(parents=True, exist_ok=True)
    end = "and that is what the harbour master told the ferry in may"
    posts = "".join(
        f"{word} {number} {end}\n" for number in range(count // 5) for word in ("gull", "crab", "tide", "soup", "eel")
    )
    (folder / "posts.txt").write_text(posts)
    spec = {
        "training": {"epochs": 3},
        "filter": {"deduplicate": False},
        "evaluation": {"gates": {"maxVerbatimPercent": limit}},
        "history": {"models": 1},
    }
    prepared = prepare(a_context(folder, a_local_run(folder, spec=spec)))
    return a_context(folder, a_local_run(folder, stage="Train", dataset=prepared.dataset.digest, spec=spec))


def test_a_parrot_is_kept_beside_until_the_gate_is_loosened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tweetbot_trainer.stages.training_run.MEASURED_TEXTS", 200)
    context, tracker = a_parrot(tmp_path, 5), RecordingTracker()
    files = a_folder(tmp_path / "another", b"weights")
    former = store_rejected(STORE, context.run, files, a_version(files, context.run, "0" * 16), check=lambda: None)
    with pytest.raises(GateFailed, match=r"% of its samples are verbatim, .* is 5\. The model is stored at file"):
        train(replace(context, start_tracker=lambda config: tracker))
    assert tracker.figures["verbatimRate"] > 0.05
    assert (tracker.artifacts[-1][:2], bool(tracker.tables["samples"])) == (("output", "finetuned-model"), True)
    assert f"{context.run.prefix}/rejected/" in tracker.artifacts[-1][2]
    assert list(STORE.list(f"{context.run.prefix}/models/")) == []
    assert STORE.find(f"{context.run.prefix}/latest.json") is None
    kept = [info.uri for info in STORE.list(f"{context.run.prefix}/rejected/")]
    assert any(uri.endswith("/model/model.safetensors") for uri in kept)
    assert not any(uri.startswith(former) for uri in kept)

    with pytest.raises(GateFailed):
        train(replace(context, start_tracker=untouched))
    result = train(replace(a_parrot(tmp_path, 100), start_tracker=untouched))
    assert STORE.get(f"{result.model.uri}/model.safetensors")
    assert json.loads(STORE.get(f"{context.run.prefix}/latest.json"))["uri"] == result.model.uri

    strict = a_parrot(tmp_path, 5)
    assert prepare(replace(strict, run=strict.run.model_copy(update={"stage": "Prepare"}))).adopted is None
    with pytest.raises(GateFailed):
        train(replace(strict, start_tracker=untouched))


def test_a_parrot_of_a_small_account_is_kept_beside_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tweetbot_trainer.stages.training_run.MEASURED_TEXTS", 200)
    context = a_parrot(tmp_path, 5, count=120)
    with pytest.raises(GateFailed, match=r"% of its samples are verbatim, and maxVerbatimPercent is 5\. ") as failed:
        train(context)
    figures = failed.value.figures
    assert figures is not None
    assert (figures.verbatim_rate or 0) > 0.05
    assert STORE.find(f"{context.run.prefix}/latest.json") is None


def test_a_parrot_that_an_earlier_release_published_is_adopted_under_no_limit_that_it_misses(tmp_path: Path) -> None:
    spec = {"training": {"epochs": 1}, "evaluation": {"gates": {"maxVerbatimPercent": 5}}}
    context = a_training(tmp_path, spec=spec)
    key, folder = build_training_plan(context).key, a_folder(tmp_path / "finished", b"weights")
    standing = a_version(folder, context.run, version=key[:16], training_key=key)
    parrot = standing.metrics.model_copy(update={"verbatim_rate": 0.73, "reliability": "Low"})
    publish(STORE, context.run, folder, standing.model_copy(update={"metrics": parrot}))
    assert prepare(replace(context, run=context.run.model_copy(update={"stage": "Prepare"}))).adopted is None
    with pytest.raises(GateFailed, match=r"^GateFailed: 73\.0 % of its samples are verbatim") as failed:
        train(replace(context, start_tracker=untouched))
    assert failed.value.figures == parrot.figures


def test_a_model_that_fails_in_a_folder_taken_over_meanwhile_takes_nothing_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tweetbot_trainer.stages.training_run.MEASURED_TEXTS", 50)
    context = a_parrot(tmp_path, 5)
    files = a_folder(tmp_path / "another", b"weights")
    former = store_rejected(STORE, context.run, files, a_version(files, context.run, "0" * 16), check=lambda: None)
    theirs = f"{context.run.prefix}/checkpoints/{'b' * 16}/00000100-20201101T000000Z-01234567/MANIFEST.json"
    STORE.put(theirs, b"{}")

    def lose_the_folder(config: Mapping[str, Any]) -> RecordingTracker:
        join_prefix(STORE, context.run.model_copy(update={"uid": "b", "take_over": context.run.uid}), context.log)
        return RecordingTracker()

    with pytest.raises(GateFailed):
        train(replace(context, start_tracker=lose_the_folder))
    assert STORE.find(theirs)
    assert STORE.find(f"{former}/MANIFEST.json")


def untouched(config: Mapping[str, Any]) -> RecordingTracker:
    """Stand where nothing may be trained."""
    raise AssertionError("this was trained before")
