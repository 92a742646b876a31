"""From kubectl apply to five posts, and another version by an annotation."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from builders.serving.playground import try_bot
from e2e.real_platform import Platform
from e2e.team import Team
from tweetbot_cluster.seed import BUCKET

HANDLED = "{.status.lastHandledRetrainAt}"
ASK = """
import json, sys
from transformers import pipeline
ask = pipeline("text-generation", model=sys.argv[1])
print(json.dumps([answer["generated_text"] for answer in ask("My dream is", num_return_sequences=5)]))
"""


@pytest.fixture(scope="module")
def gulls(platform: Platform) -> Team:
    return Team(platform.cluster, platform.type)


@pytest.fixture(scope="module")
def status(gulls: Team) -> dict[str, Any]:
    """The quickstart's status once its model is ready."""
    gulls.apply("quickstart")
    return ready(gulls)


def ready(team: Team) -> dict[str, Any]:
    team.wait("quickstart", "ModelReady")
    found: dict[str, Any] = json.loads(team("get tweetbot quickstart -o json"))["status"]
    return found


def test_the_published_model_answers_five_times(platform: Platform, status: dict[str, Any], tmp_path: Path) -> None:
    s3, prefix = platform.cluster.s3(), status["model"]["uri"].removeprefix(f"s3://{BUCKET}/") + "/"
    for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]:
        s3.download_file(BUCKET, entry["Key"], str(tmp_path / entry["Key"].removeprefix(prefix)))
    command = [sys.executable, "-c", ASK, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answers = json.loads(done.stdout.splitlines()[-1])
    assert len(answers) == 5
    assert all(answer.startswith("My dream is") and len(answer) > len("My dream is") for answer in answers)


def test_the_stages_tell_what_they_do(gulls: Team, status: dict[str, Any]) -> None:
    said = {stage: gulls(f"logs -l tweetbot.dev/stage={stage} --tail=12") for stage in ("prepare", "train")}
    assert all(json.loads(line)["name"] == "quickstart" for lines in said.values() for line in lines.splitlines())
    assert [lines for lines in said.values() if not lines] == []
    assert "ModelReady" in gulls("describe tweetbot quickstart")


def test_the_operator_asked_the_training_how_far_it_was(status: dict[str, Any]) -> None:
    progress = status["currentRun"]["progress"]
    assert progress["percent"] == 100
    assert progress.get("step", progress["totalSteps"]) == progress["totalSteps"] > 0


def test_a_playground_writes_posts_from_a_restricted_pod_and_leaves_nothing_behind(
    platform: Platform, gulls: Team, status: dict[str, Any]
) -> None:
    command = f"kubectl tweetbot try quickstart -n {gulls.namespace} --no-browser -o json"
    with try_bot(command.split(), platform.type.environment) as playground:
        assert status["model"]["uri"].endswith(f"/{playground.document['version']}/model")
        assert "AI-generated" in playground.read_page()
        assert len(playground.write_posts(prompt="My dream is", count=5)) == 5
    gulls("wait pod -l app.kubernetes.io/managed-by=kubectl-tweetbot --for=delete --timeout=60s")


def test_the_doctor_finds_nothing_missing(platform: Platform, gulls: Team, status: dict[str, Any]) -> None:
    platform.type(f"kubectl tweetbot doctor quickstart -n {gulls.namespace} --probe")


def test_a_retrain_adopts_the_same_model_and_makes_another_version_only_if_forced(
    gulls: Team, status: dict[str, Any]
) -> None:
    again, forced = (retrain(gulls, names) for names in (("retrain-at",), ("retrain-at", "force-at")))
    assert (again["currentRun"]["reason"], again["model"]["uri"]) == ("Adopted", status["model"]["uri"])
    assert (forced["currentRun"]["reason"], forced["model"]["uri"] != status["model"]["uri"]) == ("Succeeded", True)
    assert forced["currentRun"]["number"] == status["currentRun"]["number"] + 2


def retrain(team: Team, names: tuple[str, ...]) -> dict[str, Any]:
    """Set these annotations to a value that is new, and return the status once the run has ended well."""
    value = f"2026-11-23T00:00:0{len(names)}Z"
    team(f"annotate tweetbot quickstart --overwrite {' '.join(f'tweetbot.dev/{name}={value}' for name in names)}")
    team(f"wait tweetbot/quickstart --timeout=600s --for=jsonpath={HANDLED}={value}")
    team("wait tweetbot/quickstart --timeout=600s --for=jsonpath={.status.phase}=Succeeded")
    return ready(team)
