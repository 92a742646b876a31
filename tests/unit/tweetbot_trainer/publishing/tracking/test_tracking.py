"""What Weights & Biases receives, through its real client and a server of our own, and what a dead server costs."""

import hashlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from io import StringIO
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from builders.manifests import a_spec
from builders.stages import ENOUGH, a_context, a_local_run, a_source
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.reasons import STORAGE_FULL
from tweetbot_contract.status import Stage
from tweetbot_fakes.remotes.wandb_server import KEY, wandb_server
from tweetbot_fakes.remotes.wandb_state import FakeWandb
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.publishing.tracking.background import BackgroundTracker
from tweetbot_trainer.publishing.tracking.interface import (
    TrackedArtifact,
    Tracker,
    make_base_artifact,
    make_dataset_artifact,
)
from tweetbot_trainer.publishing.tracking.mode import check_api_key, choose_mode
from tweetbot_trainer.publishing.tracking.start import TrackerStarter
from tweetbot_trainer.publishing.tracking.wandb_run import RunConfig, TrackedRun
from tweetbot_trainer.runtime.egress import guard_connections
from tweetbot_trainer.runtime.egress_proxy import serve_egress_proxy
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()
AT_ONCE = partial(check_api_key, pause=lambda _: None)
SECRET = {"name": "wandb", "key": "api-key"}
TABLE = DataTable(downloaded=10, retweets=3, kept=7)


@pytest.fixture
def server() -> Iterator[FakeWandb]:
    with wandb_server() as running:
        yield running


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    (tmp_path / "secrets" / "wandb").mkdir(parents=True)
    (tmp_path / "secrets" / "wandb" / "api-key").write_text(f"{KEY}\n", encoding="utf-8")
    return tmp_path / "secrets"


def a_run(tmp_path: Path, stage: Stage = "Train", **wandb: Any) -> RunDocument:
    spec = a_spec(output={"s3": {"uri": f"file://{tmp_path}/bucket"}}, tracking={"wandb": wandb})
    run_id = hashlib.sha256(bytes(tmp_path)).hexdigest()[:16]  # the client of all tests knows every run by its id
    identity = {"namespace": "team-a", "name": "gull", "uid": "a1b2c3d4-0000", "run_id": run_id}
    return RunDocument(**identity, stage=stage, run_number=1, dataset="d" * 64, spec=spec)


class FullStore(FolderStore):
    """A store that takes nothing."""

    def put(self, *_: Any) -> None:
        raise SpecRefused(STORAGE_FULL, "the bucket is full")


def started(run: RunDocument, tmp_path: Path, secrets: Path, config: dict[str, Any] | None = None) -> Tracker:
    tracked, folder = TrackedRun.from_document(run), tmp_path / "work" / "wandb" / run.stage.lower()
    report = run.spec.tracking.wandb.report
    run_config = RunConfig(tracked, folder, init_timeout=120, finish_timeout=120, report=report)
    starter = TrackerStarter(run, run_config, store=STORE, secrets=secrets, log=Log(StringIO()), probe=AT_ONCE)
    return starter(config or {"learning_rate": 3e-3})


LOADING = """
import sys
from io import StringIO
from ipaddress import ip_network
from pathlib import Path
from tweetbot_contract.handover import RunDocument
from tweetbot_trainer.runtime.egress import guard_connections
from tweetbot_trainer.runtime.egress_proxy import serve_egress_proxy
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.store.folder import FolderStore
from tweetbot_trainer.publishing.tracking.start import TrackerStarter
from tweetbot_trainer.publishing.tracking.wandb_run import RunConfig, TrackedRun
run = RunDocument.model_validate_json(sys.argv[1])
run_config = RunConfig(TrackedRun.from_document(run), Path(sys.argv[2]))
starter = TrackerStarter(run, run_config, store=FolderStore(), secrets=Path(sys.argv[2]), log=Log(StringIO()))
assert "wandb" not in sys.modules
tracker = starter({})
assert not getattr(sys.modules["wandb"].__spec__, "_initializing", False)
tracker.finish()
"""


def test_the_client_is_loaded_before_the_stage_goes_on(tmp_path: Path) -> None:
    """On a thread beside the import of torch, each could wait for a module that the other holds."""
    command = [sys.executable, "-c", LOADING, a_run(tmp_path).encode(), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def uploaded(run: RunDocument) -> list[str]:
    start = f"{run.prefix}/runs/{run.run_id}/wandb/{run.stage.lower()}/"
    return [info.uri.removeprefix(start) for info in STORE.list(start)]


def test_both_stages_of_a_run_are_on_the_server_with_their_lineage(
    server: FakeWandb, tmp_path: Path, secrets: Path
) -> None:
    prepare = started(a_run(tmp_path, "Prepare", apiKeySecret=SECRET, baseURL=server.url), tmp_path, secrets)
    prepare.log_artifact(
        TrackedArtifact("tweets-gull-0", "raw-dataset", "s3://team-a/gull.zip", "input", {"source": 0})
    )
    prepare.log_artifact(make_dataset_artifact("gull", "s3://team-a/datasets/d", "d", TABLE, direction="output"))
    result = prepare.finish()
    train = started(a_run(tmp_path, apiKeySecret=SECRET, baseURL=server.url), tmp_path, secrets, {"epochs": 4})
    train.log_artifact(make_dataset_artifact("gull", "s3://team-a/datasets/d", "d", TABLE, direction="input"))
    for step in range(1, 4):
        train.log({"step": step, "train/loss": 1 / step})
    train.log_table("samples", ("prompt", "prediction"), [("My dream is", "My dream is the harbour")])
    train.set_summary({"evalLoss": 2.5})
    train.log_artifact(TrackedArtifact("model-gull", "finetuned-model", "s3://team-a/models/m/model", "output"))
    assert (result.wandb_mode, result.degraded, train.finish().degraded) == ("Online", None, None)

    run_id = a_run(tmp_path).run_id
    first, second = (server.runs[f"gull-{run_id}-a1b2c3d4-{stage}"] for stage in ("prepare", "train"))
    assert result.wandb_url == f"{server.url}/harbour/huggingtweets/runs/{first.name}"
    assert (first.fields["groupName"], first.fields["jobType"]) == (f"gull/{run_id}", "prepare")
    assert second.config["epochs"] == {"value": 4}
    losses = [row["train/loss"] for row in second.history.values() if "train/loss" in row]
    assert losses == pytest.approx([1, 1 / 2, 1 / 3])
    assert (second.summary["test/loss"], second.summary.get("evalLoss")) == (2.5, None)
    assert any("samples" in row for row in second.history.values())
    raw, dataset, model = (server.artifact(name) for name in ("tweets-gull-0", "dataset-gull", "model-gull"))
    assert (raw.type, raw.used_by) == ("raw-dataset", {first.name})
    assert (dataset.type, dataset.made_by, dataset.used_by) == ("train-dataset", {first.name}, {second.name})
    assert (model.type, model.made_by) == ("finetuned-model", {second.name})
    assert dataset.metadata["kept"] == 7
    assert [entry["ref"] for entry in model.manifest["contents"].values()] == ["s3://team-a/models/m/model"]
    assert server.unknown == []
    assert KEY.encode() not in server.received
    assert (first.exit_code, second.exit_code) == (0, 0)


def test_nothing_about_the_machine_or_the_command_line_is_sent(
    server: FakeWandb, tmp_path: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/opt/canary-program", "--canary-argument"])
    tracker = started(a_run(tmp_path, apiKeySecret=SECRET, baseURL=server.url, report=True), tmp_path, secrets)
    tracker.log({"step": 1, "train/loss": 1.0})
    assert tracker.finish().degraded is None
    (run,) = server.runs.values()
    assert not {"wandb-metadata.json", "requirements.txt", "diff.patch", "output.log"} & set(run.files)
    machine = {os.getcwd(), sys.executable, platform.processor() or platform.platform(), "canary-program", "canary-arg"}
    whole = bytes(server.received) + json.dumps([run.fields, run.config, run.summary], default=str).encode()
    assert [text for text in machine if text.encode() in whole] == []


def find_child_processes(name: str) -> Iterator[Path]:
    """Yield the folders in /proc of this process's children with a name."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]
            if parent == str(os.getpid()) and (folder / "comm").read_text(encoding="utf-8").strip() == name:
                yield folder


def test_no_process_has_the_key_in_its_environment_or_arguments(
    server: FakeWandb, tmp_path: Path, secrets: Path
) -> None:
    tracker = started(a_run(tmp_path, apiKeySecret=SECRET, baseURL=server.url, report=True), tmp_path, secrets)
    assert tracker.finish().degraded is None
    children = list(find_child_processes("wandb-core"))
    assert children
    for folder in children:
        assert KEY.encode() not in (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
    assert KEY not in os.environ.values()


def test_the_base_is_used_by_the_training_and_made_by_no_run(server: FakeWandb, tmp_path: Path, secrets: Path) -> None:
    base = make_base_artifact(BaseIdentity("hf://harbour/gpt2", "hub", "c0ffee"))
    assert base is not None
    train = started(a_run(tmp_path, apiKeySecret=SECRET, baseURL=server.url), tmp_path, secrets)
    train.log_artifact(base)
    assert train.finish().degraded is None
    (run,) = server.runs
    pretrained = server.artifact("harbour-gpt2")
    assert (pretrained.type, pretrained.made_by, pretrained.used_by) == ("pretrained-model", set(), {run})
    assert pretrained.metadata["digest"] == "c0ffee"
    references = [entry["ref"] for entry in pretrained.manifest["contents"].values()]
    assert references == ["https://huggingface.co/harbour/gpt2/tree/c0ffee"]


@pytest.mark.parametrize("log_text", [False, True])
def test_the_posts_texts_reach_the_server_only_where_the_spec_says_so(
    server: FakeWandb, tmp_path: Path, secrets: Path, log_text: bool
) -> None:
    a_source(tmp_path)
    wandb = {"apiKeySecret": SECRET, "baseURL": server.url, "logText": log_text}
    run = a_local_run(tmp_path, spec={"tracking": {"wandb": wandb}}, run_id=a_run(tmp_path).run_id)
    context = replace(
        a_context(tmp_path, run), start_tracker=lambda config: started(run, tmp_path, secrets, {**config})
    )
    result = prepare(context)
    raw, dataset = server.artifact("tweets-gull-0"), server.artifact("dataset-gull")
    assert (result.tracking.wandb_mode, result.tracking.degraded) == ("Online", None)
    assert (raw.metadata["downloaded"], dataset.metadata["kept"]) == (ENOUGH, result.dataset.table.kept)
    assert (b"pelican" in server.received) == log_text
    assert server.unknown == []


def test_a_retried_stage_goes_on_in_the_same_run(server: FakeWandb, tmp_path: Path, secrets: Path) -> None:
    run = a_run(tmp_path, apiKeySecret=SECRET, baseURL=server.url)
    for _ in range(2):
        tracker = started(run, tmp_path, secrets)
        tracker.log({"step": 1, "train/loss": 2.0})
        assert tracker.finish().wandb_mode == "Online"
    (recorded,) = server.runs.values()
    assert [row["step"] for row in recorded.history.values()] == [1, 1]


def test_a_failed_stage_is_a_failed_run(server: FakeWandb, tmp_path: Path, secrets: Path) -> None:
    started(a_run(tmp_path, apiKeySecret=SECRET, baseURL=server.url), tmp_path, secrets).finish(failed=True)
    assert [run.exit_code for run in server.runs.values()] == [1]


def test_without_a_key_the_run_is_in_the_output(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    tracker = started(run, tmp_path, tmp_path / "none")
    tracker.log({"step": 1, "train/loss": 2.0})
    tracker.log_artifact(TrackedArtifact("model-gull", "finetuned-model", "s3://team-a/models/m/model", "output"))
    result = tracker.finish()
    assert (result.wandb_mode, result.wandb_url, result.degraded) == ("Offline", None, None)
    assert [name for name in uploaded(run) if name.endswith(".wandb")] != []


def test_what_an_offline_run_left_in_the_output_can_be_synced_later(server: FakeWandb, tmp_path: Path) -> None:
    run = a_run(tmp_path)
    tracker = started(run, tmp_path, tmp_path / "none")
    for step in range(3):
        tracker.log({"step": step, "train/loss": 2.0})
    tracker.log_table("samples", ("prompt", "prediction"), [("My dream is", "My dream is the harbour")])
    tracker.log_artifact(make_dataset_artifact("gull", "s3://team-a/datasets/d", "d", TABLE, direction="input"))
    tracker.log_artifact(TrackedArtifact("gpt2", "pretrained-model", "https://huggingface.co/gpt2", "input"))
    tracker.log_artifact(TrackedArtifact("tweets-gull-0", "raw-dataset", "s3://team-a/gull.zip", "input"))
    tracker.log_artifact(TrackedArtifact("model-gull", "finetuned-model", "s3://team-a/models/m/model", "output"))
    tracker.finish()
    shutil.rmtree(tmp_path / "work")
    (folder,) = (tmp_path / "bucket/team-a/gull/runs" / run.run_id / "wandb/train/wandb").iterdir()
    environment = os.environ | {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": KEY, "HOME": str(tmp_path)}
    client = Path(sys.executable).parent / "wandb"
    command = [str(client), "sync", "--yes", str(folder)]
    subprocess.run(command, cwd=folder.parent, env=environment, check=True, capture_output=True, timeout=60)
    (synced,) = server.runs.values()
    assert [row["train/loss"] for row in synced.history.values() if "train/loss" in row] == [2.0, 2.0, 2.0]
    assert [name for name in synced.files if name.startswith("media/table/samples")] != []
    assert server.artifact("model-gull").committed
    assert {one.name for one in server.artifacts.values()} & {"dataset-gull", "gpt2"} == set()
    assert server.artifact("tweets-gull-0").committed


@pytest.mark.parametrize("fault", ["hang", "unavailable", "refuse"])
def test_a_server_that_dies_in_the_middle_neither_fails_nor_holds_a_run(
    server: FakeWandb, tmp_path: Path, secrets: Path, fault: Any
) -> None:
    run = a_run(tmp_path, apiKeySecret=SECRET, baseURL=server.url)
    command = [sys.executable, "-m", "tweetbot_fakes.tracked_process", run.encode(), str(secrets), str(tmp_path / "w")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["wandbMode"] == "Online"
        server.fault = fault
        result = json.loads(process.communicate("\n", timeout=300)[0])
    assert result["degraded"]
    assert KEY not in result["degraded"]
    assert [name for name in uploaded(run) if name.endswith(".wandb")] != []
    assert [info.uri for info in STORE.list(f"{run.prefix}/") if KEY.encode() in STORE.get(info.uri)] == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [("401", "refuses the API key"), ("refuse", "does not answer"), ("unavailable", "answered 503")],
)
def test_a_server_that_refuses_us_is_reported_and_left_alone(
    server: FakeWandb, tmp_path: Path, secrets: Path, fault: Any, words: str
) -> None:
    server.fault = fault
    result = started(a_run(tmp_path, apiKeySecret=SECRET, baseURL=server.url), tmp_path, secrets).finish()
    assert result.wandb_mode == "Offline"
    assert words in (result.degraded or "")
    assert server.runs == {}


def test_an_address_too_long_for_the_result_is_cut(tmp_path: Path, secrets: Path) -> None:
    address = f"https://wandb.example/{'w' * 490}"
    run = a_run(tmp_path, apiKeySecret=SECRET, baseURL=address)
    run_config = RunConfig(
        TrackedRun.from_document(run),
        tmp_path / "work" / "wandb" / "train",
        init_timeout=0,
        finish_timeout=0,
        finish_slack=60,
    )
    silent = partial(TrackerStarter, run, run_config, store=STORE, secrets=secrets, log=Log(StringIO()))
    result = silent(probe=lambda url, key: f"{url} does not answer")({}).finish()
    assert result.wandb_mode == "Offline"
    assert (result.degraded or "").startswith(address)


def test_a_client_that_says_nothing_about_its_run_is_not_waited_for(tmp_path: Path) -> None:
    class Speechless:
        """A client that passes on whatever its server sent."""

        def __getattr__(self, name: str) -> None:
            raise ValueError("no address")

    run_config = RunConfig(
        TrackedRun.from_document(a_run(tmp_path)), tmp_path / "work", init_timeout=0, finish_timeout=0, finish_slack=60
    )
    start: Any = Speechless
    result = BackgroundTracker(run_config, start, upload=lambda: None, log=Log(StringIO())).finish()
    assert result.degraded == "could not read how it is tracked: ValueError: no address"


def test_what_tracking_does_less_is_known_at_once_and_that_nothing_is_left_to_sync(tmp_path: Path) -> None:
    run, noted = a_run(tmp_path, apiKeySecret=SECRET), list[str]()
    run_config = RunConfig(TrackedRun.from_document(run), tmp_path / "work", init_timeout=120, finish_timeout=120)
    places: dict[str, Any] = {"secrets": tmp_path / "none", "log": Log(StringIO()), "probe": AT_ONCE}
    tracker = TrackerStarter(run, run_config, store=STORE, **places, note_degraded=noted.append)({})
    assert "has no key" in (tracker.get_current_result().degraded or "")
    assert ["has no key" in message for message in noted] == [True]
    offline = a_run(tmp_path, mode="Offline")
    full = TrackerStarter(offline, run_config, store=FullStore(), **places)({}).finish()
    assert (full.degraded or "").startswith("the run's files could not be stored")


def test_a_key_that_is_missing_from_its_secret_is_reported(tmp_path: Path) -> None:
    spec = a_spec(tracking={"wandb": {"apiKeySecret": SECRET}}).tracking.wandb
    decision = choose_mode(spec, tmp_path, "https://wandb.example", probe=lambda url, key: None)
    assert (decision.mode, decision.degraded) == ("Offline", "the Secret wandb has no key api-key: create it")


def test_offline_asks_no_server_even_with_a_key(secrets: Path) -> None:
    def unasked(url: str, key: str) -> str | None:
        raise AssertionError(url)

    spec = a_spec(tracking={"wandb": {"mode": "Offline"}}).tracking.wandb
    assert choose_mode(spec, secrets, "https://wandb.example", probe=unasked).mode == "Offline"


def test_a_server_that_hangs_is_not_waited_for(server: FakeWandb) -> None:
    server.fault = "hang"
    fault = check_api_key(server.url, KEY, pause=lambda _: None, timeout=0.1)
    assert "does not answer" in (fault or "")


def test_disabled_tracking_does_not_load_the_client() -> None:
    code = "import sys, tweetbot_trainer.cli.stage, tweetbot_trainer.stages.prepare; sys.exit('wandb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_client_in_its_own_process_uploads_nothing_to_an_address_inside(
    server: FakeWandb, tmp_path: Path, secrets: Path
) -> None:
    """Addresses of uploads come from the server; the client in Go connects by our proxy, which checks them."""
    inside = socket.create_server(("127.0.0.2", 0))
    inside.settimeout(0.1)
    server.uploads_url = f"http://127.0.0.2:{inside.getsockname()[1]}"
    run = a_run(tmp_path, apiKeySecret=SECRET, baseURL=server.url)
    lines = StringIO()
    allowed = (ip_network("127.0.0.1/32"),)
    with guard_connections(allowed, {}), serve_egress_proxy({}, Log(lines)) as proxy:
        place = RunConfig(
            TrackedRun.from_document(run), tmp_path / "work" / "wandb", finish_timeout=3, finish_slack=10, proxy=proxy
        )
        tracker = TrackerStarter(run, place, store=STORE, secrets=secrets, log=Log(lines), probe=AT_ONCE)({"epochs": 4})
        tracker.log({"step": 1, "train/loss": 1.0})
        tracker.finish()
    assert server.runs
    with inside, pytest.raises(TimeoutError):
        inside.accept()
    assert "127.0.0.2 is not a public address" in lines.getvalue()
