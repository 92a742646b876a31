"""What a train Pod gets for its reports, and that no other Pod gets it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders.operator import SETTINGS, a_bot_in, a_run
from tweetbot_contract.status import Stage
from tweetbot_operator.jobs.job import build_job
from tweetbot_operator.settings import OperatorSettings, Pem

GOLDEN = Path(__file__).parents[3] / "golden" / "pod-reporting.yaml"
CA = Pem("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
SERVING = OperatorSettings.model_construct(
    progress_url="https://tweetbot-operator.ops.svc:8443/",
    progress_certificate="/etc/tls/tls.crt",
    progress_key="/etc/tls/tls.key",
    progress_ca=CA,
)


def the_job(settings: OperatorSettings, stage: Stage = "Train") -> dict[str, Any]:
    bot = a_bot_in(stage)
    return build_job(bot, bot.status.current_run or a_run(bot), settings)


def words(job: dict[str, Any]) -> str:
    return json.dumps(job["spec"]["template"])


def added(settings: OperatorSettings) -> dict[str, Any]:
    """Return what a train Job has in addition to one that does not report."""
    ours, plain = (the_job(each)["spec"]["template"] for each in (settings, SETTINGS))
    mine, bare = ours["spec"]["containers"][0], plain["spec"]["containers"][0]
    annotations = ours["metadata"]["annotations"].items() - plain["metadata"]["annotations"].items()
    return {
        "annotations": dict(annotations),
        "env": [each for each in mine["env"] if each not in bare["env"]],
        "volumeMounts": [each for each in mine["volumeMounts"] if each not in bare["volumeMounts"]],
        "volumes": [each for each in ours["spec"]["volumes"] if each not in plain["spec"]["volumes"]],
    }


def test_the_pod_gets_what_was_reviewed() -> None:
    """To accept a change: write `yaml.safe_dump(added(SERVING), sort_keys=False)` there, and read the diff."""
    assert added(SERVING) == yaml.safe_load(GOLDEN.read_text())


def test_the_token_is_for_this_run_and_not_for_the_api_server() -> None:
    (volume,) = added(SERVING)["volumes"]
    token = volume["projected"]["sources"][0]["serviceAccountToken"]
    run = a_bot_in("Train").status.current_run
    assert run is not None
    assert token["audience"] == f"tweetbot.dev/v1alpha1/namespaces/team-a/tweetbots/gull/runs/{run.id}/progress"
    assert the_job(SERVING)["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        SERVING.model_copy(update={"progress_url": ""}),
        SERVING.model_copy(update={"progress_certificate": "", "progress_key": ""}),
    ],
    ids=["nothing set", "no address", "no certificate"],
)
def test_where_progress_is_off_the_pod_knows_nothing_of_it(settings: OperatorSettings) -> None:
    assert the_job(settings) == the_job(SETTINGS)
    assert "KUBEFLOW" not in words(the_job(settings))


def test_the_prepare_stage_gets_no_token() -> None:
    assert the_job(SERVING, "Prepare") == the_job(SETTINGS, "Prepare")


def test_a_certificate_that_every_image_knows_travels_with_no_pod() -> None:
    text = words(the_job(SERVING.model_copy(update={"progress_ca": Pem("")})))
    assert "KUBEFLOW_TRAINER_SERVER_URL" in text
    assert "CA_CERT" not in text
    assert "progress-ca" not in text
