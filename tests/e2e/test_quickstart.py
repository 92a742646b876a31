"""From kubectl apply to five posts, on the embedded cluster, or with E2E_USE_KUBECONFIG=1 on that of KUBECONFIG.

A given cluster has the resource and the operator, the Secret `s3` in the current namespace, and the archive in the
bucket `tweetbot`; AWS_ENDPOINT_URL_S3 names its S3 server. Its context is called tweetbot-test…: tests touch no other.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tweetbot_demo.places import BUCKET, Place, embedded_place, given_place
from tweetbot_demo.screen import Screen

QUICKSTART = Path(__file__).parents[2] / "crds" / "examples" / "quickstart.yaml"
ASK = """
import json, sys
from transformers import pipeline
ask = pipeline("text-generation", model=sys.argv[1])
print(json.dumps([answer["generated_text"] for answer in ask("My dream is", num_return_sequences=5)]))
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as stack:
        if os.environ.get("E2E_USE_KUBECONFIG") == "1":
            given = given_place(os.environ)
            context = given.run("config", "current-context").strip()
            assert context.startswith("tweetbot-test"), f"refusing to touch the cluster of context {context}"
            yield given
        else:
            yield embedded_place(stack, tmp_path_factory.mktemp("cluster"), Screen(sys.stderr))


@pytest.fixture(scope="module")
def status(place: Place) -> dict[str, Any]:
    """The quickstart's status once its model is ready."""
    place.run("apply", "-f", str(QUICKSTART))
    return ready(place)


def ready(place: Place) -> dict[str, Any]:
    place.run("wait", "--for=condition=ModelReady", "tweetbot/quickstart", "--timeout=600s")
    found: dict[str, Any] = json.loads(place.run("get", "tweetbot", "quickstart", "-o", "json"))["status"]
    return found


def test_the_published_model_answers_five_times(place: Place, status: dict[str, Any], tmp_path: Path) -> None:
    prefix = status["model"]["uri"].removeprefix(f"s3://{BUCKET}/") + "/"
    for entry in place.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]:
        place.s3.download_file(BUCKET, entry["Key"], str(tmp_path / entry["Key"].removeprefix(prefix)))
    command = [sys.executable, "-c", ASK, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answers = json.loads(done.stdout.splitlines()[-1])
    assert len(answers) == 5
    assert all(answer.startswith("My dream is") and len(answer) > len("My dream is") for answer in answers)


def test_a_retrain_makes_another_version(place: Place, status: dict[str, Any]) -> None:
    place.run("annotate", "tweetbot", "quickstart", "--overwrite", "tweetbot.dev/retrain-at=2026-11-23T00:00:00Z")
    place.run(
        "wait", "tweetbot/quickstart", "--timeout=600s",
        "--for=jsonpath={.status.lastHandledRetrainAt}=2026-11-23T00:00:00Z",
    )  # fmt: skip
    place.run("wait", "tweetbot/quickstart", "--timeout=600s", "--for=jsonpath={.status.phase}=Succeeded")
    again = ready(place)
    assert again["model"]["uri"] != status["model"]["uri"]
    assert again["currentRun"]["number"] == status["currentRun"]["number"] + 1
