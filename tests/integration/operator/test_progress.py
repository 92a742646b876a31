"""Progress from a Pod to `kubectl get tb -w`, on default settings: nothing is set, and nobody brings a certificate."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from builders.operator import a_prepare_result, a_train_result
from harness.operator_process import OperatorProcess, audited, until
from harness.tenant import Tenant
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_contract.result import encode

#: A trainer that serves its progress as the real one does, and trains by the clock; `go` lets it end.
_TRAINER = """#!{python}
import os, pathlib, sys, time
here, stage = pathlib.Path(__file__).parent, sys.argv[1]
if stage == "train":
    from tweetbot_trainer.runtime.log import Log
    from tweetbot_trainer.runtime.progress import StageProgress, serve_progress
    from tweetbot_trainer.stages.settings import read_settings
    settings, progress = read_settings(os.environ, "Train"), StageProgress()
    with serve_progress(progress, settings.run, settings.pod_uid, settings.pod_ip, Log()):
        for percent in range(100):
            figures = {{"percent": percent, "step": percent, "total_steps": 100, "train_loss": 2.5}}
            progress.update(**figures, eta_seconds=(100 - percent) * 3 // 10 + 700)
            time.sleep(0.3)
        while not (here / "go").exists():
            time.sleep(0.1)
pathlib.Path(os.environ["TWEETBOT_TERMINATION_LOG"]).write_bytes((here / (stage + ".json")).read_bytes())
"""


@dataclass(frozen=True)
class Place:
    """A cluster with an operator, and the folder that its trainers play from."""

    cluster: EmbeddedCluster
    operator: OperatorProcess
    image: Path


@pytest.fixture(scope="module")
def place(home: EmbeddedCluster, images: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    image = images["own-trainer*"]
    (image / "tweetbot-trainer").write_text(_TRAINER.format(python=sys.executable))
    (image / "tweetbot-trainer").chmod(0o755)
    (image / "prepare.json").write_bytes(encode(a_prepare_result()))
    (image / "train.json").write_bytes(encode(a_train_result()))
    env = {"TWEETBOT_TRAINER_IMAGE": "own-trainer:1"}
    with OperatorProcess(home.operator_kubeconfig, tmp_path_factory.mktemp("progress") / "log", env) as operator:
        yield Place(home, operator, image)


def watch_until(place: Place, tenant: Tenant, percent: int) -> list[tuple[int, str]]:
    """Return what `kubectl get tb -w` prints below PROGRESS and ETA until the training is so far."""
    lines = place.cluster.follow("-n", tenant.namespace, "get", "tb", "-w")
    head, seen = next(lines), list[tuple[int, str]]()
    progress, eta, kept = (head.index(title) for title in ("PROGRESS", "ETA", "KEPT"))
    for line in lines:
        if shown := line[progress:eta].strip():
            seen.append((int(shown.removesuffix("%")), line[eta:kept].strip()))
        if seen and seen[-1][0] >= percent:
            break
    lines.close()
    return seen


def test_percent_and_time_left_are_seen_while_a_training_goes_on(place: Place) -> None:
    tenant = Tenant(place.cluster)
    tenant.apply("gull")
    until(lambda: "progress" in tenant.status("gull").get("currentRun", {}), 240)
    seen = watch_until(place, tenant, 75)
    assert seen == sorted(seen, key=lambda one: one[0])
    assert len(set(seen)) >= 3
    assert all(eta in ("11m", "12m") for _, eta in seen[1:])
    progress = tenant.status("gull")["currentRun"]["progress"]
    assert (progress["totalSteps"], progress["trainLoss"], progress["eta"]) == (100, 2.5, "11m")
    series = f'tweetbot_run_progress_percent{{bot="gull",bot_namespace="{tenant.namespace}"}}'
    assert series in place.operator.metrics()

    (place.image / "go").touch()
    tenant.wait("gull", "ModelReady", 240)
    until(lambda: series not in place.operator.metrics(), 120)
    assert tenant.status("gull")["currentRun"]["progress"]["percent"] == 100
    assert 3 <= len(progress_writes(place.cluster, tenant)) <= 20


def progress_writes(cluster: EmbeddedCluster, tenant: Tenant) -> set[str]:
    """Return when the status of gull was written with progress in it, by the API server's audit log."""
    shown = [line.get("responseObject", {}) for line in audited(cluster.audit_log)]
    runs = [
        each.get("status", {}).get("currentRun") or {}
        for each in shown
        if each.get("kind") == "TweetBot" and each["metadata"]["namespace"] == tenant.namespace
    ]
    return {run["progress"]["updatedAt"] for run in runs if "progress" in run}
