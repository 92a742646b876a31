from typing import Any

import pytest

from builders.manifests import a_manifest
from tweetbot_contract.manifest import TweetBot, parse
from tweetbot_kubectl.manifests.found_settings import read_deployment, read_job
from tweetbot_kubectl.manifests.own_pods import (
    DraftRequest,
    Playground,
    build_drafts_pod,
    build_playground_pod,
    build_probe_pod,
)
from tweetbot_operator.settings import OperatorSettings

SETTINGS = OperatorSettings(trainer_image="registry/trainer@sha256:1", allowed_networks="10.0.0.0/8")
WANTED = Playground(name="gull-playground-1", port=20001, token="t0ken", idle_seconds=900, limit_seconds=7200)
DRAFTS = DraftRequest(name="gull-drafts-1", count=5, prompt="My dream is", seed=42, limit_seconds=1200)
CLASS = {
    "labels": {"sidecar.istio.io/inject": "false"},
    "proxy": {"https": "http://proxy:3128"},
    "caBundle": {"name": "proxy-ca"},
    "imagePullSecrets": [{"name": "registry"}],
}


def a_bot(pods: dict[str, Any] | None = None, **spec: Any) -> TweetBot:
    model = {
        "name": "team-a-gull-9108a32a5b6d4c1f",
        "uri": "s3://team-a/models/team-a/gull/models/9108a32a5b6d4c1f/model",
        "digest": "3" * 64,
        "sizeBytes": 512 * 2**20,
        "publishedAt": "2026-12-01T00:00:00Z",
        "runId": "0" * 16,
        "identity": "1" * 16,
    }
    run = {
        "id": "0" * 16,
        "number": 1,
        "trigger": "",
        "identity": "1" * 16,
        "execution": "2" * 16,
        "stage": "Train",
        "startedAt": "2026-12-01T00:00:00Z",
        "class": {"name": "standard", "generation": 1, "spec": {"pods": pods or {}}},
    }
    return parse({**a_manifest(**spec), "status": {"model": model, "currentRun": run}}, stored=True)


def the_container(pod: dict[str, Any]) -> dict[str, Any]:
    (container,) = pod["spec"]["containers"]
    found: dict[str, Any] = container
    return found


PODS = {
    "playground": lambda: build_playground_pod(a_bot(), WANTED, SETTINGS),
    "drafts": lambda: build_drafts_pod(a_bot(), DRAFTS, SETTINGS),
    "probe": lambda: build_probe_pod(a_bot(), "gull-probe-1", SETTINGS, limit_seconds=180),
}


@pytest.mark.parametrize("purpose", PODS)
def test_a_pod_of_the_plugin_meets_pod_security_restricted(purpose: str) -> None:
    pod = PODS[purpose]()
    container, security = the_container(pod), pod["spec"]["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert {key for volume in pod["spec"]["volumes"] for key in volume} <= {
        "name",
        "emptyDir",
        "projected",
        "downwardAPI",
    }
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("purpose", PODS)
def test_a_pod_of_the_plugin_goes_with_its_tweetbot_and_ends_by_itself(purpose: str) -> None:
    pod = PODS[purpose]()
    (owner,) = pod["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("TweetBot", "gull", "uid-gull")
    assert "controller" not in owner
    assert pod["spec"]["activeDeadlineSeconds"] in (180, 1200, 7200)
    assert pod["spec"]["restartPolicy"] == "Never"


@pytest.mark.parametrize("purpose", PODS)
def test_the_operator_does_not_take_such_a_pod_for_one_of_a_run(purpose: str) -> None:
    labels = PODS[purpose]()["metadata"]["labels"]
    assert labels["app.kubernetes.io/managed-by"] == "kubectl-tweetbot"
    assert "tweetbot.dev/run" not in labels
    assert labels["app.kubernetes.io/component"] == purpose


def test_the_playground_listens_on_its_loopback_and_reads_its_token_from_a_file() -> None:
    pod = PODS["playground"]()
    container = the_container(pod)
    command = container["command"]
    assert command[:4] == ["tweetbot-trainer", "serve", "--model", a_bot().status.model.uri]  # type: ignore[union-attr]
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert "t0ken" not in str(container)
    mounted = next(each for each in container["volumeMounts"] if each["name"] == "token")
    assert command[command.index("--token-file") + 1].startswith(mounted["mountPath"])


def test_the_playground_uses_the_tweetbots_own_secret_and_reaches_its_server() -> None:
    s3 = {"uri": "s3://team-a/m", "endpoint": "http://minio:9000", "credentialsSecret": {"name": "keys"}}
    pod = build_playground_pod(a_bot(output={"s3": s3}, serviceAccountName="trainer"), WANTED, SETTINGS)
    command, env = the_container(pod)["command"], {each["name"]: each["value"] for each in the_container(pod)["env"]}
    secret = next(volume for volume in pod["spec"]["volumes"] if volume["name"] == "secrets")
    assert {source["secret"]["name"] for source in secret["projected"]["sources"]} == {"keys"}
    assert command[command.index("--endpoint") + 1] == "http://minio:9000"
    assert env["TWEETBOT_ALLOWED_NETWORKS"] == "10.0.0.0/8"
    assert pod["spec"]["serviceAccountName"] == "trainer"
    assert the_container(pod)["image"] == SETTINGS.trainer_image


def test_a_class_gives_the_playground_what_it_gives_to_runs() -> None:
    pod = build_playground_pod(a_bot(CLASS), WANTED, SETTINGS)
    env = {each["name"]: each["value"] for each in the_container(pod)["env"]}
    assert env["HTTPS_PROXY"] == "http://proxy:3128"
    assert "class-ca" in {volume["name"] for volume in pod["spec"]["volumes"]}
    assert pod["spec"]["imagePullSecrets"] == [{"name": "registry"}]
    assert pod["metadata"]["labels"]["sidecar.istio.io/inject"] == "false"


def test_memory_and_disk_follow_the_models_size() -> None:
    limits = the_container(PODS["playground"]())["resources"]["limits"]
    assert limits["memory"] == "2560Mi"
    tmp = next(volume for volume in PODS["playground"]()["spec"]["volumes"] if volume["name"] == "tmp")
    assert tmp["emptyDir"]["sizeLimit"] == "1024Mi"
    own = Playground(name="x", port=1, token="t", idle_seconds=1, limit_seconds=1, memory="8Gi")
    assert the_container(build_playground_pod(a_bot(), own, SETTINGS))["resources"]["limits"]["memory"] == "8Gi"


def a_deployment(**env: str) -> dict[str, Any]:
    container = {"name": "operator", "env": [{"name": name, "value": value} for name, value in env.items()]}
    return {"spec": {"template": {"spec": {"containers": [{"name": "mesh"}, container]}}}}


def test_the_operators_deployment_shows_its_settings() -> None:
    found = read_deployment(a_deployment(TWEETBOT_TRAINER_IMAGE="trainer:2", TWEETBOT_CA_CONFIG_MAP="cas"))
    assert found is not None
    assert (found.trainer_image, found.ca_config_map) == ("trainer:2", "cas")
    assert read_deployment(a_deployment(TWEETBOT_WORKERS="many")) is None


def test_a_job_shows_enough_where_the_deployment_may_not_be_read() -> None:
    container = {
        "name": "trainer",
        "image": "trainer:3",
        "env": [{"name": "TWEETBOT_ALLOWED_NETWORKS", "value": "10.0.0.0/8"}],
        "volumeMounts": [{"name": "ca", "mountPath": "/var/run/tweetbot/ca"}],
    }
    pod = {
        "containers": [container],
        "securityContext": {"runAsUser": 1234},
        "volumes": [{"name": "ca", "configMap": {"name": "cas"}}],
    }
    found = read_job({"spec": {"template": {"spec": pod}}})
    assert found is not None
    assert (found.trainer_image, found.run_as_user, found.ca_config_map) == ("trainer:3", 1234, "cas")
    assert found.allowed_networks == "10.0.0.0/8"
    assert read_job({"spec": {"template": {"spec": {"containers": [{"name": "other"}]}}}}) is None
