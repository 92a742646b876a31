"""A TweetBot's report at Weights & Biases, made by the real client and library on a server of our own."""

import hashlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from builders.manifests import a_spec
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrackingResult
from tweetbot_contract.status import Stage
from tweetbot_fakes.remotes.wandb_server import KEY, wandb_server
from tweetbot_fakes.remotes.wandb_state import FakeWandb
from tweetbot_trainer.publishing.tracking import wandb_report
from tweetbot_trainer.publishing.tracking.mode import check_api_key
from tweetbot_trainer.publishing.tracking.start import TrackerStarter
from tweetbot_trainer.publishing.tracking.wandb_report import connect
from tweetbot_trainer.publishing.tracking.wandb_run import RunConfig
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.store.folder import FolderStore


@pytest.fixture
def server() -> Iterator[FakeWandb]:
    with wandb_server() as running:
        yield running


def tracked(
    folder: Path,
    server: FakeWandb,
    *,
    name: str = "gull",
    stage: Stage = "Train",
    run: str = "1",
    key: str = KEY,
    **wandb: Any,
) -> TrackingResult:
    """Track a stage of a bot's run, and return how that went."""
    secrets = folder / "secrets"
    (secrets / "wandb").mkdir(parents=True, exist_ok=True)
    (secrets / "wandb" / "api-key").write_text(key, encoding="utf-8")
    fields = {"baseURL": server.url, "report": True, **wandb}
    spec = a_spec(output={"s3": {"uri": f"file://{folder}/bucket"}}, tracking={"wandb": fields})
    run_id = hashlib.sha256(bytes(folder) + run.encode()).hexdigest()[:16]
    identity = {"namespace": "team-a", "name": name, "uid": "a1b2c3d4-0000", "run_id": run_id, "run_number": 1}
    document = RunDocument(**identity, stage=stage, dataset="d" * 64, spec=spec)
    starter = TrackerStarter(
        document,
        RunConfig.from_run(document, folder),
        store=FolderStore(),
        secrets=secrets,
        log=Log(StringIO()),
        probe=partial(check_api_key, pause=lambda _: None),
    )
    return starter({}).finish()


def test_a_bot_has_one_report_whatever_the_number_of_its_runs(server: FakeWandb, tmp_path: Path) -> None:
    results = [
        tracked(tmp_path, server, stage="Prepare"),
        tracked(tmp_path, server),
        tracked(tmp_path, server, run="2"),
    ]
    assert [result.degraded for result in results] == [None, None, None]
    (report,) = server.reports.values()
    assert {result.report_url for result in results} == {
        f"{server.url}/harbour/huggingtweets/reports/harbour_gull--{report.id.rstrip('=')}"
    }
    assert server.unknown == []


def test_another_bot_in_the_project_has_a_report_of_its_own(server: FakeWandb, tmp_path: Path) -> None:
    urls = {tracked(tmp_path, server, name=name).report_url for name in ("gull", "gull-2")}
    assert len(urls) == len(server.reports) == 2


def test_what_people_wrote_into_the_report_stays(server: FakeWandb, tmp_path: Path) -> None:
    first = tracked(tmp_path, server)
    (report,) = server.reports.values()
    report.title, report.spec = "Our gull", {"version": 5, "blocks": [{"type": "paragraph"}]}
    second = tracked(tmp_path, server, run="2")
    assert (report.title, len(server.reports), second.report_url) == ("Our gull", 1, first.report_url)


def test_the_report_shows_versions_curves_samples_and_posts_of_this_bot(server: FakeWandb, tmp_path: Path) -> None:
    tracked(tmp_path, server)
    (report,) = server.reports.values()
    titles = [block["children"][0]["text"] for block in report.spec["blocks"] if block["type"] == "heading"]
    assert titles == ["Versions", "Training", "Samples", "Posts"]
    grids = [block["metadata"] for block in report.spec["blocks"] if block["type"] == "panel-grid"]
    assert [shown_runs(grid) for grid in grids] == [{"bot": "team-a/gull", "jobType": stage} for stage in STAGES]
    shown = [
        metric
        for grid in grids
        for panel in grid["panelBankSectionConfig"]["panels"]
        for metric in panel["config"].get("metrics", [])
    ]
    assert {"test/bits_per_byte", "samples/verbatim_rate", "train/loss", "eval/loss", "downloaded", "kept"} <= set(
        shown
    )
    assert '"val": "samples"' in str(grids[2]).replace("'", '"')


STAGES = ("train", "train", "train", "prepare")


def shown_runs(grid: dict[str, Any]) -> dict[str, str]:
    (runs,) = grid["runSets"]
    return {one["key"]["name"]: one["value"] for one in runs["filters"]["filters"]}


def test_without_a_report_in_the_spec_none_is_made(server: FakeWandb, tmp_path: Path) -> None:
    assert tracked(tmp_path, server, report=False).report_url is None
    assert server.reports == {}


def test_a_report_that_cannot_be_made_degrades_the_tracking_and_nothing_else(server: FakeWandb, tmp_path: Path) -> None:
    server.reports_fault = True
    result = tracked(tmp_path, server)
    assert (result.wandb_mode, result.report_url) == ("Online", None)
    assert (result.degraded or "").startswith("the run is tracked, but could not make its report")
    assert KEY not in (result.degraded or "")
    (run,) = server.runs.values()
    assert run.exit_code == 0


def test_a_server_that_is_silent_about_reports_holds_no_run(
    server: FakeWandb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wandb_report, "ANSWER_LIMIT", 1)
    server.fault = "reports"
    result = tracked(tmp_path, server)
    assert (result.wandb_mode, result.wandb_url is None, result.report_url) == ("Online", False, None)
    assert "could not make its report" in (result.degraded or "")


def test_a_report_without_a_key_is_missed_aloud(server: FakeWandb, tmp_path: Path) -> None:
    result = tracked(tmp_path, server, key="")
    assert (result.wandb_mode, result.report_url) == ("Offline", None)
    assert "there is no API key" in (result.degraded or "")


def test_the_library_is_loaded_only_for_a_report(tmp_path: Path) -> None:
    code = (
        "import sys, tweetbot_trainer.cli.stage, tweetbot_trainer.publishing.tracking.wandb_report;"
        "sys.exit('wandb_workspaces' in sys.modules or 'wandb' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_queries_go_by_the_proxy_that_checks_addresses(server: FakeWandb, tmp_path: Path) -> None:
    tracked(tmp_path, server, report=False)  # the client must have been set up, as it is in a stage
    before = bytes(server.received)
    with closed_port() as port, pytest.raises(Exception, match=r"connection refused|Failed to verify"):
        connect(server.url, "harbour", KEY, f"http://127.0.0.1:{port}")
    assert bytes(server.received) == before


@contextmanager
def closed_port() -> Iterator[int]:
    """Yield a port that nobody answers on."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        yield unheard.getsockname()[1]
