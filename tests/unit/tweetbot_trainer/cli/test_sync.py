"""Sending a run to Weights & Biases after the fact: what arrives is what an online run would have sent, once."""

import json
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from builders.stages import a_context, a_folder, a_local_run, a_source, a_version
from tweetbot_contract.handover import ExitCode, RunDocument, explain_sync
from tweetbot_contract.result import TrackingResult
from tweetbot_fakes.remotes.wandb_server import KEY, wandb_server
from tweetbot_fakes.remotes.wandb_state import FakeWandb
from tweetbot_trainer.__main__ import run_command
from tweetbot_trainer.publishing.registry.manifest import VersionManifest, decode_manifest
from tweetbot_trainer.publishing.registry.publish import publish, store_rejected
from tweetbot_trainer.publishing.registry.run_record import read_record
from tweetbot_trainer.publishing.tracking.start import TrackerStarter
from tweetbot_trainer.publishing.tracking.wandb_run import RunConfig
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()
TRAINING = {"epochs": 4, "learning_rate": 3e-4}
METRICS = "".join(
    f"{json.dumps(row)}\n"
    for row in (
        {"step": 1, "epoch": 0.5, "train_loss": 3.5, "learning_rate": 3e-4},
        {"step": 2, "epoch": 1.0, "train_loss": 2.5, "learning_rate": 1e-4},
        {"step": 2, "epoch": 1.0, "eval_loss": 2.75},
    )
)


@dataclass(frozen=True)
class Version:
    """A version that was trained without a key, with the run of its training."""

    home: str
    run: RunDocument

    @property
    def manifest(self) -> VersionManifest:
        manifest = decode_manifest(STORE.get(f"{self.home}/MANIFEST.json"))
        assert manifest
        return manifest

    def run_id(self, stage: str) -> str:
        return f"gull-{self.run.run_id}-uid-gull-{stage}"


def a_version_of(
    folder: Path, *, rejected: bool = False, tracking: dict[str, Any] | None = None, **changes: Any
) -> Version:
    """Prepare a dataset, and publish a version that was trained from it."""
    a_source(folder)
    run_id = sha256(bytes(folder)).hexdigest()[:16]  # the client of all tests knows every run by its id
    run = a_local_run(folder, spec={"tracking": tracking} if tracking else {}, run_id=run_id)
    context = a_context(folder, run)
    starter = TrackerStarter(
        run, RunConfig.from_run(run, folder), store=STORE, secrets=context.secrets, log=context.log
    )
    prepared = prepare(replace(context, start_tracker=starter))
    record = read_record(STORE, run)
    assert record
    a_folder(folder / "finished", b"weights")
    (folder / "finished" / "report" / "metrics.jsonl").write_text(METRICS, encoding="utf-8")
    manifest = a_version(folder / "finished", run, dataset=prepared.dataset)
    origin = {
        "base": record.base.as_record(),
        "sources": record.sources,
        "training": TRAINING,
        "handle": "harbour_gull",
    }
    provenance = manifest.provenance.model_copy(update=origin | changes)
    manifest = manifest.model_copy(update={"provenance": provenance})
    if rejected:
        return Version(store_rejected(STORE, run, folder / "finished", manifest, check=lambda: None), run)
    result = publish(STORE, run, folder / "finished", manifest)
    return Version(result.model.uri.removesuffix("/model"), run)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWandb]:
    monkeypatch.setenv("TWEETBOT_ALLOWED_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    with wandb_server() as running:
        yield running


def sync(model: str, server: FakeWandb, *options: str) -> int:
    os.environ["WANDB_API_KEY"] = KEY  # the command takes it out of the environment
    return run_command(["sync", "--model", model, "--base-url", server.url, *options])


def test_a_version_arrives_with_its_metrics_its_configuration_and_its_lineage(
    tmp_path: Path, server: FakeWandb, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = a_version_of(tmp_path)
    assert sync(trained.home, server, "--entity", "harbour") == 0
    told, manifest = capsys.readouterr(), trained.manifest
    first, second = (server.runs[trained.run_id(stage)] for stage in ("prepare", "train"))
    assert [row["train/loss"] for row in second.history.values() if "train/loss" in row] == [3.5, 2.5]
    assert [row["eval/loss"] for row in second.history.values() if "eval/loss" in row] == [2.75]
    assert second.config["learning_rate"] == {"value": 3e-4}
    assert first.config["recipe"] == {"value": "modern"}
    assert (second.summary["test/loss"], first.summary["kept"]) == (manifest.metrics.eval_loss, 220)
    raw, dataset, model = (server.artifact(name) for name in ("tweets-gull-0", "dataset-gull", "model-gull"))
    assert (raw.used_by, dataset.made_by) == ({first.name}, {first.name})
    assert (dataset.used_by, model.made_by) == ({second.name}, {second.name})
    assert model.aliases == {"latest", manifest.version}
    assert server.artifact(f"run-{second.name}-samples").committed
    assert (server.uncommitted(), server.unknown) == ([], [])
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert (second.fields["groupName"], second.fields["jobType"]) == (f"gull/{trained.run.run_id}", "train")
    assert f"{server.url}/harbour/huggingtweets/runs/{second.name}" in told.out
    assert "WANDB_API_KEY" not in os.environ


def test_a_second_sync_changes_nothing(tmp_path: Path, server: FakeWandb, capsys: pytest.CaptureFixture[str]) -> None:
    trained = a_version_of(tmp_path)
    assert sync(trained.home, server) == 0
    rows = {name: dict(run.history) for name, run in server.runs.items()}
    known = sorted((one.name, one.digest, tuple(sorted(one.aliases))) for one in server.artifacts.values())
    capsys.readouterr()
    assert sync(trained.home, server) == 0
    assert {name: run.history for name, run in server.runs.items()} == rows
    assert sorted((one.name, one.digest, tuple(sorted(one.aliases))) for one in server.artifacts.values()) == known
    assert "0 of 4 rows to send" in capsys.readouterr().out


def test_a_sync_goes_on_where_a_run_was_cut_off(tmp_path: Path, server: FakeWandb) -> None:
    trained = a_version_of(tmp_path)
    assert sync(trained.home, server) == 0
    run = server.runs[trained.run_id("train")]
    whole = {step: {name: row[name] for name in row if name[0] != "_"} for step, row in run.history.items()}
    for step in (1, 2, 3):
        del run.history[step]
    run.summary.clear()
    assert sync(trained.home, server) == 0
    assert [row["step"] for row in run.history.values()] == [1, 2, 2, 2]
    assert {name for row in run.history.values() for name in row if name[0] != "_"} == {
        name for row in whole.values() for name in row
    }
    assert run.summary["test/loss"] == 2


def test_a_version_that_missed_a_gate_is_a_failed_run_and_never_the_latest_model(
    tmp_path: Path, server: FakeWandb
) -> None:
    trained = a_version_of(tmp_path, rejected=True)
    assert sync(trained.home, server) == 0
    run = server.runs[trained.run_id("train")]
    assert (run.exit_code, run.summary["test/loss"]) == (1, 2)
    assert server.artifact("rejected-gull").made_by == {run.name}
    assert server.versions("model-gull") == []


def test_of_an_older_version_is_told_what_nobody_knows_any_more(
    tmp_path: Path, server: FakeWandb, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = a_version_of(tmp_path, sources=(), handle=None, base={})
    (tmp_path / "bucket/team-a/gull/datasets" / trained.manifest.dataset.digest / "dataset.json").unlink()
    assert sync(trained.home, server) == 0
    told = capsys.readouterr().out
    assert "not known any more: the sources" in told
    assert "not known any more: the dataset's dataset.json" in told
    assert "not known any more: the base model" in told
    assert server.artifact("dataset-gull").used_by == {trained.run_id("train")}


def test_older_versions_tell_their_sources_by_what_was_read(tmp_path: Path, server: FakeWandb) -> None:
    trained = a_version_of(tmp_path)
    (source,) = trained.manifest.provenance.sources
    older = a_version_of(tmp_path / "older", sources=(source.model_copy(update={"uri": None}),))
    assert sync(older.home, server) == 0
    entries = server.artifact("tweets-gull-0").manifest["contents"].values()
    assert [entry["ref"] for entry in entries] == [source.objects[0].uri]


def test_posts_go_only_where_they_are_asked_for(tmp_path: Path, server: FakeWandb) -> None:
    trained = a_version_of(tmp_path)
    assert sync(trained.home, server) == 0
    assert b"pelican" not in server.received
    assert sync(trained.home, server, "--log-text") == 0
    assert b"pelican" in server.received


def test_an_older_version_that_takes_the_alias_latest_says_how_to_set_it_back(
    tmp_path: Path, server: FakeWandb, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = a_version_of(tmp_path)
    latest = tmp_path / "bucket/team-a/gull/latest.json"
    latest.write_text(json.dumps({"uri": "s3://team-a/gull/models/newer/model"}), encoding="utf-8")
    assert sync(trained.home, server) == 0
    assert "sync s3://team-a/gull/models/newer/model, which is served" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda metrics: metrics.unlink(), "metrics.jsonl is gone"),
        (lambda metrics: metrics.write_text("{}\n"), "metrics.jsonl differs from its manifest"),
    ],
    ids=["gone", "changed"],
)
def test_a_version_without_its_metrics_is_refused(
    tmp_path: Path, server: FakeWandb, capsys: pytest.CaptureFixture[str], change: Any, words: str
) -> None:
    trained = a_version_of(tmp_path)
    change(Path(trained.home.removeprefix("file://")) / "report/metrics.jsonl")
    assert sync(trained.home, server) == ExitCode.REFUSED
    assert words in capsys.readouterr().err
    assert server.runs == {}


def test_without_a_key_nothing_is_sent(
    tmp_path: Path, server: FakeWandb, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WANDB_API_KEY")
    code = run_command(["sync", "--model", a_version_of(tmp_path).home, "--base-url", server.url])
    assert (code, server.runs) == (ExitCode.NOT_AUTHORIZED, {})
    assert "set WANDB_API_KEY" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("401", ExitCode.NOT_AUTHORIZED, "refuses the API key in WANDB_API_KEY"),
        ("unavailable", ExitCode.TEMPORARY, "answered 503"),
    ],
)
def test_a_server_that_refuses_us_is_named(
    tmp_path: Path,
    server: FakeWandb,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: Any,
    code: ExitCode,
    words: str,
) -> None:
    monkeypatch.setattr("tweetbot_trainer.publishing.tracking.mode.PROBE_PAUSE", 0.0)
    server.fault = fault
    assert sync(a_version_of(tmp_path).home, server) == code
    assert words in capsys.readouterr().err


def test_a_project_that_the_key_may_not_write_to_is_named_with_its_option(
    tmp_path: Path, server: FakeWandb, capsys: pytest.CaptureFixture[str]
) -> None:
    server.closed.add("secret")
    assert sync(a_version_of(tmp_path).home, server, "--project", "secret") == ExitCode.NOT_AUTHORIZED
    told = capsys.readouterr().err
    assert "did not take a run for project secret of" in told
    assert "check --project and --entity" in told
    assert KEY not in told


def test_a_server_inside_is_not_reached(
    tmp_path: Path, server: FakeWandb, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TWEETBOT_ALLOWED_NETWORKS")
    assert sync(a_version_of(tmp_path).home, server) == ExitCode.REFUSED
    assert "--base-url: 127.0.0.1 resolves to 127.0.0.1, which is not a public address" in capsys.readouterr().err
    assert (bytes(server.received), server.runs) == (b"", {})


def test_a_run_that_lost_its_server_after_the_preparation_is_completed(tmp_path: Path, server: FakeWandb) -> None:
    """What the preparation sent is the same run and the same artifacts, so the lineage is one."""
    secret = {"apiKeySecret": {"name": "wandb", "key": "api-key"}, "baseURL": server.url}
    (tmp_path / "secrets" / "wandb").mkdir(parents=True)
    (tmp_path / "secrets" / "wandb" / "api-key").write_text(KEY, encoding="utf-8")
    trained = a_version_of(tmp_path, tracking={"wandb": secret})
    (before,) = server.runs.values()
    assert before.name == trained.run_id("prepare")
    config = {name: before.config[name] for name in before.config if name != "_wandb"}
    assert sync(trained.home, server) == 0
    assert {name: before.config[name] for name in before.config if name != "_wandb"} == config
    (raw,), (dataset,) = server.versions("tweets-gull-0"), server.versions("dataset-gull")
    assert (raw.used_by, dataset.made_by) == ({before.name}, {before.name})
    assert dataset.used_by == {trained.run_id("train")}


def test_a_report_can_be_asked_for(tmp_path: Path, server: FakeWandb, capsys: pytest.CaptureFixture[str]) -> None:
    trained = a_version_of(tmp_path)
    assert [sync(trained.home, server, "--report") for _ in range(2)] == [0, 0]
    (report,) = server.reports.values()
    assert "team-a/gull" in report.description
    assert f"the report is at {server.url}/harbour/huggingtweets/reports/harbour_gull--" in capsys.readouterr().out


def test_a_manifest_that_names_no_bot_is_refused(
    tmp_path: Path, server: FakeWandb, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = a_version_of(tmp_path)
    manifest = trained.manifest
    nowhere = manifest.model_copy(update={"dataset": manifest.dataset.model_copy(update={"uri": "s3://bucket"})})
    Path(trained.home.removeprefix("file://")).joinpath("MANIFEST.json").write_bytes(nowhere.encode())
    assert sync(trained.home, server) == ExitCode.REFUSED
    assert "does not say of which TweetBot it is" in capsys.readouterr().err


def test_the_command_that_a_status_shows_works_as_it_is(
    tmp_path: Path, server: FakeWandb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    trained = a_version_of(tmp_path)
    wandb = {"project": "two gulls", "entity": "harbour", "baseURL": server.url, "report": True}
    message = explain_sync(
        a_local_run(tmp_path, spec={"tracking": {"wandb": wandb}}).spec,
        f"{trained.home}/model",
        TrackingResult(wandb_mode="Offline"),
    )
    assert message
    program, *arguments = shlex.split(message.partition(" and run: ")[2])
    assert (program, run_command(arguments)) == ("tweetbot-trainer", 0)
    assert {run.fields["project"] for run in server.runs.values()} == {"two gulls"}
    assert len(server.reports) == 1


@pytest.mark.parametrize(
    ("variables", "options", "words"),
    [
        ({"TWEETBOT_ALLOWED_NETWORKS": "10.0.0.1/8"}, (), "TWEETBOT_ALLOWED_NETWORKS: 10.0.0.1/8 has host bits set"),
        ({}, ("--project", "two/gulls"), "project two/gulls: could not start"),
    ],
    ids=["a network with bits of a host", "a project with a slash"],
)
def test_what_cannot_be_used_is_named(
    tmp_path: Path,
    server: FakeWandb,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    options: tuple[str, ...],
    words: str,
) -> None:
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    assert sync(a_version_of(tmp_path).home, server, *options) == ExitCode.REFUSED
    assert words in capsys.readouterr().err
