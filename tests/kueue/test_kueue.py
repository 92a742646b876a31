"""TweetBots in the queues of the real Kueue."""

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from harness.operator_process import OperatorProcess, until
from harness.tenant import Tenant
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.kubernetes.kueue import Kueue

EXAMPLE = Path(__file__).parents[2] / "crds" / "examples" / "queued.yaml"
ONE_PLACE = {"gpu": {"count": 0}, "cpu": "1", "memory": "64Mi"}
IN_LINE: dict[str, Any] = {"resources": ONE_PLACE, "scheduling": {"queueName": "gpus"}}
FIRST: dict[str, Any] = {**IN_LINE, "scheduling": {"queueName": "gpus", "workloadPriorityClassName": "high"}}


def message(tenant: Tenant, name: str) -> str:
    """Return what a TweetBot says that it does or waits for."""
    conditions = tenant.status(name).get("conditions", [])
    return "".join(each["message"] for each in conditions if each["type"] == "Progressing")


def wait_for_words(tenant: Tenant, name: str, words: str) -> None:
    until(lambda: words in message(tenant, name), 120)


def test_the_second_waits_until_the_first_has_ended(tenant: Tenant, operator: OperatorProcess) -> None:
    tenant.apply("gull", "training", **IN_LINE)
    tenant.wait("gull", "reason=Training")
    tenant.apply("tern", **IN_LINE)
    tenant.wait("tern", "reason=Queued")
    wait_for_words(tenant, "tern", "insufficient unused quota for cpu in flavor any-node")
    assert (tenant.status("tern")["phase"], tenant.reasons("tern")["DataReady"]) == ("Queued", "DatasetReady")
    tenant.apply("gull", "training", suspend=True, **IN_LINE)
    tenant.wait("tern", "ModelReady")


def test_a_higher_priority_takes_the_place_and_gives_it_back(tenant: Tenant, operator: OperatorProcess) -> None:
    tenant.apply("gull", "training", **IN_LINE)
    tenant.wait("gull", "reason=Training")
    until(lambda: "Running" in tenant.pod_phases("gull"), 120)
    tenant.apply("auk", "training", **FIRST)
    tenant.wait("gull", "reason=Evicted")
    tenant.wait("auk", "reason=Training")
    tenant("delete", "tweetbot", "auk", "--timeout=120s")
    tenant.wait("gull", "reason=Training")
    run = tenant.status("gull")["currentRun"]
    assert (run["attempt"], run["retries"], run["disruptions"]) == (1, 0, 0)


def test_a_stopped_queue_sends_away_and_takes_in_again(tenant: Tenant, operator: OperatorProcess) -> None:
    stop = ("patch", "clusterqueue", tenant.namespace, "--type=merge", "-p")
    tenant.apply("gull", "training", **IN_LINE)
    tenant.wait("gull", "reason=Training")
    tenant(*stop, json.dumps({"spec": {"stopPolicy": "HoldAndDrain"}}))
    tenant.wait("gull", "reason=Evicted")
    tenant.apply("tern", **IN_LINE)
    tenant.wait("tern", "reason=Queued")
    wait_for_words(tenant, "tern", "is inactive")
    tenant(*stop, json.dumps({"spec": {"stopPolicy": "None"}}))
    tenant.wait("gull", "reason=Training")


def test_a_queue_that_does_not_exist_is_named(tenant: Tenant, operator: OperatorProcess) -> None:
    tenant.apply("gull", resources=ONE_PLACE, scheduling={"queueName": "nowhere"})
    tenant.wait("gull", "reason=Queued")
    wait_for_words(tenant, "gull", "LocalQueue nowhere doesn't exist")
    tenant.apply("gull", **IN_LINE)
    tenant.wait("gull", "ModelReady")


def test_a_prepare_stage_that_is_asked_to_waits_too(tenant: Tenant, operator: OperatorProcess) -> None:
    tenant.apply("gull", resources=ONE_PLACE, scheduling={"queueName": "gpus", "queuePrepare": True})
    tenant.wait("gull", "ModelReady")
    assert {job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] for job in tenant.jobs()} == {"gpus"}
    assert len(json.loads(tenant("get", "workloads", "-o", "json"))["items"]) == 2


def test_kueue_that_is_dead_holds_up_a_creation_and_its_return_heals_it(
    tenant: Tenant, operator: OperatorProcess, kueue: Kueue
) -> None:
    kueue.kill()
    tenant.apply("gull", **IN_LINE)
    tenant.wait("gull", "reason=AdmissionUnavailable")
    wait_for_words(tenant, "gull", "mjob.kb.io")
    assert "Stalled" not in tenant.reasons("gull")
    kueue.start()
    tenant.wait("gull", "ModelReady")


def test_a_training_that_gives_way_ends_with_the_same_model(
    tenant: Tenant, home: EmbeddedCluster, kueue: Kueue
) -> None:
    home.put_secret(tenant.namespace)
    real = {"TWEETBOT_TRAINER_IMAGE": "tweetbot-trainer:1", "TWEETBOT_NAMESPACES": tenant.namespace}

    def logs(name: str) -> str:
        return home.node.logs(f"{name}-*-train-*", tenant.namespace)

    with OperatorProcess(home.operator_kubeconfig, home.logs / "operator-with-trainer.log", real):
        create(tenant, "steady")
        tenant.wait("steady", "ModelReady", 300)
        create(tenant, "moved")
        until(lambda: "train.started" in logs("moved"), 300)
        create(tenant, "auk", workloadPriorityClassName="high")
        tenant.wait("moved", "reason=Evicted", 300)
        tenant("delete", "tweetbot", "auk", "--timeout=300s")
        tenant.wait("moved", "ModelReady", 300)
    assert "checkpoint.resumed" in logs("moved")
    assert weights(home, tenant, "moved") == weights(home, tenant, "steady")


def create(tenant: Tenant, name: str, **scheduling: str) -> None:
    """Create the TweetBot of docs/queues.md under this name, for a queue without GPUs and with enough to do."""
    manifest = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    manifest["metadata"]["name"] = name
    manifest["spec"] |= {
        "resources": {**ONE_PLACE, "memory": "2Gi"},
        "scheduling": {"queueName": "gpus", **scheduling},
        "training": {"epochs": 8, "earlyStopping": False},
    }
    tenant("create", "-f", "-", input=json.dumps(manifest))


def weights(home: EmbeddedCluster, tenant: Tenant, name: str) -> str:
    """Return the hash of the weights that a TweetBot has published."""
    bucket, _, key = tenant.status(name)["model"]["uri"].removeprefix("s3://").partition("/")
    found = home.s3().get_object(Bucket=bucket, Key=f"{key}/model.safetensors")["Body"].read()
    return hashlib.sha256(found).hexdigest()
