"""What the API server itself accepts and refuses, and what it shows."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from builders.manifests import NO_COPY, NO_CPU, NO_MEMORY, PLAUSIBLE, a_manifest
from builders.operator import NOON, a_bot_in, a_prepare_result, a_train_result
from builders.sentences import FULL
from builders.sentences.fields import CORRECTIONS
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.kubernetes.api_server import ApiError
from tweetbot_contract.spec.quantities import MEMORY_ADVICE
from tweetbot_contract.status import DataStatus, ModelStatus, ProgressStatus, TweetBotStatus
from tweetbot_operator.decisions.status import set_summary
from tweetbot_operator.types.stage_state import Summary

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "crds" / "examples").glob("*.yaml"))
VLLM = ROOT / "integrations" / "vllm" / "deployment.yaml"
Kubectl = Callable[..., CompletedProcess[str]]
A_SECRET_KEY = {"name": "x", "key": "token"}
S3 = {"uri": "s3://team-a/models", "credentialsSecret": {"name": "s3"}}

#: One rule broken at a time: while a schema error stands, the server runs no CEL.
MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    **NO_COPY,
    "a handle with @": ({"subject": {"handle": "@gull"}}, "spec.subject.handle"),
    "no source": ({"sources": []}, "spec.sources"),
    "a pin to a model's name": ({"pin": "team-a-gull-9108a32a5b6d4c1f"}, "spec.pin"),
    "a pin to the start of a version": ({"pin": "9108a32a"}, "spec.pin"),
    "two kinds in one source": (
        {"sources": [{"archive": {"uri": "s3://abc/a.zip"}, "posts": {"uri": "s3://abc/p.jsonl"}}]},
        "spec.sources[0]",
    ),
    "an archive outside S3": ({"sources": [{"archive": {"uri": "http://a/b"}}]}, "spec.sources[0].archive.uri"),
    "X without its terms": (
        {"sources": [{"x": {"handle": "gull", "tokenSecret": A_SECRET_KEY}}]},
        "spec.sources[0].x.acceptTerms",
    ),
    "a Bluesky source of two origins": (
        {"sources": [{"bluesky": {"actor": "gull.example.com", "car": "s3://abc/gull.car"}}]},
        "spec.sources[0].bluesky",
    ),
    "a Bluesky handle with @": (
        {"sources": [{"bluesky": {"actor": "@gull.example.com"}}]},
        "spec.sources[0].bluesky.actor",
    ),
    "a repository outside S3": ({"sources": [{"bluesky": {"car": "gull.car"}}]}, "spec.sources[0].bluesky.car"),
    "a server for a repository": (
        {"sources": [{"bluesky": {"car": "s3://abc/gull.car", "apiBaseURL": "http://localhost"}}]},
        "spec.sources[0].bluesky.apiBaseURL",
    ),
    "an archive beside its bucket": (
        {"sources": [{"archive": {"uri": "s3://abc/../a.zip"}}]},
        "spec.sources[0].archive.uri",
    ),
    "a repository beside its bucket": (
        {"sources": [{"bluesky": {"car": "s3://abc/a/../gull.car"}}]},
        "spec.sources[0].bluesky.car",
    ),
    "a weight on one source alone": (
        {"sources": [{"posts": {"uri": "s3://abc/a"}, "weight": 2}, {"posts": {"uri": "s3://abc/b"}}]},
        "spec.sources",
    ),
    "an output with a slash at its end": ({"output": {"s3": {**S3, "uri": "s3://abc/m/"}}}, "spec.output.s3.uri"),
    "an output beside its bucket": ({"output": {"s3": {**S3, "uri": "s3://abc/.."}}}, "spec.output.s3.uri"),
    "an endpoint without a scheme": ({"output": {"s3": {**S3, "endpoint": "minio"}}}, "spec.output.s3.endpoint"),
    "the original's recipe with an option": (
        {"filter": {"recipe": "huggingtweets", "minWords": 2}},
        "spec.filter.recipe",
    ),
    "a language in words": ({"filter": {"languages": ["eng1"]}}, "spec.filter.languages"),
    "an unknown kind of base": ({"model": {"base": "gpt2"}}, "spec.model.base"),
    "a base beside its claim": ({"model": {"base": "pvc://models/../gpt2"}}, "spec.model.base"),
    "a base beside its bucket": ({"model": {"base": "s3://abc/../gpt2"}}, "spec.model.base"),
    "adapters on random weights": ({"model": {"base": "scratch://mini", "method": "LoRA"}}, "spec.model.method"),
    "adapters by the original's recipe": (
        {"model": {"method": "LoRA"}, "training": {"recipe": "huggingtweets"}},
        "spec.model.method",
    ),
    "the size of an adapter without one": ({"model": {"lora": {"rank": 8}}}, "spec.model.lora"),
    "a revision without a hub": ({"model": {"base": "scratch://mini", "revision": "main"}}, "spec.model.revision"),
    "a learning rate in words": ({"training": {"learningRate": "fast"}}, "spec.training.learningRate"),
    "no learning rate at all": ({"training": {"learningRate": "0e5"}}, "spec.training.learningRate"),
    "a learning rate above 1": ({"training": {"learningRate": "1.01"}}, "spec.training.learningRate"),
    "a learning rate beyond all numbers": ({"training": {"learningRate": "1e999"}}, "spec.training.learningRate"),
    "the original's training with a rate": (
        {"training": {"recipe": "huggingtweets", "learningRate": "5e-5"}},
        "spec.training.recipe",
    ),
    "the original's training with weights": (
        {"sources": [{"posts": {"uri": "s3://abc/a"}, "weight": 2}], "training": {"recipe": "huggingtweets"}},
        "spec.training.recipe",
    ),
    "a model that may be twice as bad and worse": (
        {"evaluation": {"gates": {"maxRegressionPercent": 101}}},
        "spec.evaluation.gates.maxRegressionPercent",
    ),
    "no epochs": ({"training": {"epochs": 0}}, "spec.training.epochs"),
    **{f"memory of {memory!r}": ({"resources": {"memory": memory}}, "spec.resources.memory") for memory in NO_MEMORY},
    **{f"cpu of {cpu!r}": ({"resources": {"cpu": cpu}}, "spec.resources.cpu") for cpu in NO_CPU},
    "memory as an accelerator": ({"resources": {"gpu": {"resource": "memory"}}}, "spec.resources.gpu.resource"),
    "an accelerator without its domain": ({"resources": {"gpu": {"resource": "gpu"}}}, "spec.resources.gpu.resource"),
    "an accelerator of Kubernetes' own": (
        {"resources": {"gpu": {"resource": "kubernetes.io/gpu"}}},
        "spec.resources.gpu.resource",
    ),
    "a toleration of a value that exists": (
        {"scheduling": {"tolerations": [{"key": "gpu", "operator": "Exists", "value": "yes"}]}},
        "spec.scheduling.tolerations[0].value",
    ),
    "a label's key with a space": (
        {"scheduling": {"nodeSelector": {"the gpu": "a100"}}},
        "spec.scheduling.nodeSelector",
    ),
    "a label's value with a space": (
        {"scheduling": {"nodeSelector": {"gpu": "an a100"}}},
        "spec.scheduling.nodeSelector",
    ),
    "a label of the prepare stage with a space": (
        {"scheduling": {"prepare": {"nodeSelector": {"gpu": "an a100"}}}},
        "spec.scheduling.prepare.nodeSelector",
    ),
    "a report of a run offline": (
        {"tracking": {"wandb": {"mode": "Offline", "report": True}}},
        "spec.tracking.wandb.report",
    ),
    "a schedule of four fields": ({"schedule": {"cron": "3 * * 1"}}, "spec.schedule.cron"),
    "a minute that no hour has": ({"schedule": {"cron": "60 3 * * 1"}}, "spec.schedule.cron"),
    "an hour that no day has": ({"schedule": {"cron": "0 9,24 * * *"}}, "spec.schedule.cron"),
    "a day that no month has": ({"schedule": {"cron": "0 3 1-32 * *"}}, "spec.schedule.cron"),
    "a month that no year has": ({"schedule": {"cron": "0 3 1 MAYO *"}}, "spec.schedule.cron"),
    "a day that no week has": ({"schedule": {"cron": "0 3 * * 8"}}, "spec.schedule.cron"),
    "a time zone from a file": (
        {"schedule": {"cron": "0 3 * * 1", "timeZone": "../../etc/passwd"}},
        "spec.schedule.timeZone",
    ),
    "no models kept": ({"history": {"models": 0}}, "spec.history.models"),
    "nine GPUs": ({"resources": {"gpu": {"count": 9}}}, "spec.resources.gpu.count"),
}


def apply(kubectl: Kubectl, namespace: str, manifest: dict[str, Any]) -> CompletedProcess[str]:
    return kubectl("apply", "-n", namespace, "-f", "-", input=json.dumps(named(manifest, "gull")), check=False)


def named(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    return {**manifest, "metadata": {"name": name}}


def refusal(home: EmbeddedCluster, manifest: dict[str, Any]) -> str:
    return home.api.refusal("/apis/tweetbot.dev/v1alpha1/namespaces/default/tweetbots", manifest)


def test_a_good_manifest_is_not_refused(home: EmbeddedCluster) -> None:
    assert refusal(home, named(a_manifest(), "gull")) == ""


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_manifest_is_refused_with_its_path(home: EmbeddedCluster, case: str) -> None:
    spec, path = MALFORMED[case]
    assert path in refusal(home, named(a_manifest(**spec), "gull"))


@pytest.mark.parametrize("case", PLAUSIBLE)
def test_what_is_unusual_and_right_is_not_refused(home: EmbeddedCluster, case: str) -> None:
    assert refusal(home, named(a_manifest(**PLAUSIBLE[case]), "gull")) == ""


def test_thousandths_of_a_byte_are_refused_with_what_to_write(home: EmbeddedCluster) -> None:
    words = refusal(home, named(a_manifest(resources={"memory": "128m"}), "gull"))
    assert MEMORY_ADVICE in words


def test_an_unknown_field_is_refused(home: EmbeddedCluster) -> None:
    assert 'unknown field "spec.autopilot"' in refusal(home, named(a_manifest(autopilot=True), "gull"))


@pytest.mark.parametrize(("name", "path"), [("g" * 47, "metadata.name"), ("gull.two", "metadata.name")])
def test_a_name_that_its_jobs_cannot_carry_is_refused(home: EmbeddedCluster, name: str, path: str) -> None:
    assert path in refusal(home, named(a_manifest(), name))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_accepted(kubectl: Kubectl, example: Path) -> None:
    answer = kubectl("apply", "-f", str(example), "--dry-run=server", check=False)
    assert answer.returncode == 0, answer.stderr


def test_the_manifest_that_serves_by_vllm_is_accepted(kubectl: Kubectl) -> None:
    answer = kubectl("apply", "-f", str(VLLM), "--dry-run=server", "--validate=strict", check=False)
    assert (answer.returncode, "warning" in answer.stderr.lower()) == (0, False), answer.stderr


OTHER_STORES = [
    {"uri": "s3://team-b/models"},
    {"endpoint": "https://s3.example.com"},
    {"uri": "s3://team-b/models", "endpoint": "https://s3.example.com"},
]


@pytest.mark.parametrize("change", OTHER_STORES, ids=lambda change: " and ".join(change))
def test_the_output_can_move_until_a_model_is_published(
    kubectl: Kubectl, namespace: str, change: dict[str, str]
) -> None:
    apply(kubectl, namespace, a_manifest())
    moved = a_manifest(output={"s3": {**S3, **change}})
    assert apply(kubectl, namespace, moved).returncode == 0
    assert apply(kubectl, namespace, a_manifest()).returncode == 0
    publish_a_model(kubectl, namespace)
    answer = apply(kubectl, namespace, moved)
    assert all(f"spec.output.s3.{field}" in answer.stderr for field in change)
    assert "create another TweetBot" in answer.stderr
    assert apply(kubectl, namespace, a_manifest(suspend=True)).returncode == 0


def test_who_drops_the_status_does_not_move_the_output(kubectl: Kubectl, namespace: str) -> None:
    apply(kubectl, namespace, a_manifest())
    publish_a_model(kubectl, namespace)
    moved = named(a_manifest(output={"s3": {**S3, "uri": "s3://team-b/models"}}), "gull")
    found = json.loads(kubectl("get", "tb", "gull", "-n", namespace, "-o", "json").stdout)
    replaced = {**found, "spec": moved["spec"], "status": {}}
    answer = kubectl("replace", "-n", namespace, "-f", "-", input=json.dumps(replaced), check=False)
    assert "spec.output.s3.uri" in answer.stderr


@pytest.mark.parametrize("published", [False, True], ids=["before a model is published", "after that"])
def test_whoever_follows_advice_is_not_refused(
    home: EmbeddedCluster, kubectl: Kubectl, namespace: str, published: bool
) -> None:
    """Only the output stays where a model is; then the advice says so (test_advice.py)."""
    apply(kubectl, namespace, a_manifest(**FULL))
    if published:
        publish_a_model(kubectl, namespace)
    refused = {field for field, spec in CORRECTIONS.items() if not may_patch(home, namespace, spec)}
    assert refused == ({"spec.output.s3.uri", "spec.output.s3.endpoint"} if published else set())


def may_patch(home: EmbeddedCluster, namespace: str, spec: dict[str, Any]) -> bool:
    """Tell whether the API server would take a change of the spec."""
    path = f"/apis/tweetbot.dev/v1alpha1/namespaces/{namespace}/tweetbots/gull?dryRun=All&fieldValidation=Strict"
    try:
        home.api.request("PATCH", path, json.dumps({"spec": spec}).encode(), "application/merge-patch+json")
    except ApiError:
        return False
    return True


def publish_a_model(kubectl: Kubectl, namespace: str) -> None:
    model = {"name": "a", "uri": "s3://team-a/models/a/model", "digest": "0", "sizeBytes": 1, "publishedAt": "now"}
    status = {"status": {"model": {**model, "runId": "1", "identity": "1"}}}
    patch = ("patch", "tb", "gull", "-n", namespace, "--subresource=status", "--type=merge", "-p", json.dumps(status))
    kubectl(*patch)


def test_a_fresh_resource_is_pending_and_not_yet_observed(kubectl: Kubectl, namespace: str) -> None:
    apply(kubectl, namespace, a_manifest())
    status = yaml.safe_load(kubectl("get", "tb", "gull", "-n", namespace, "-o", "jsonpath={.status}").stdout)
    assert (status["observedGeneration"], status["phase"]) == (-1, "Pending")
    said = {each["type"]: each["status"] for each in status["conditions"]}
    assert said == {"Progressing": "Unknown", "Ready": "Unknown"}
    waited = kubectl("wait", "--for=condition=Ready", "tb/gull", "-n", namespace, "--timeout=1s", check=False)
    assert waited.returncode != 0
    heads, line = kubectl("get", "tb", "gull", "-n", namespace, "-o", "wide").stdout.splitlines()
    assert line.split()[:3] == ["gull", "Pending", "WaitingForOperator"]
    assert line[heads.index("MESSAGE") :].strip() == "Waiting for the operator."


def usual_statuses() -> Iterator[TweetBotStatus]:
    """Return statuses with figures, names and sentences as long as usual ones are."""
    running = {"progress": ProgressStatus(percent=43, eta="1h20m", updated_at="2026-01-01T12:00:00Z")}
    result, prepared = a_train_result(), a_prepare_result().dataset
    uri = "s3://team-a/models/team-a/harbour-gull/models/9108a32a5b6d4c1f/model"
    model = ModelStatus(**result.model.model_copy(update={"uri": uri}).model_dump(), run_id="f" * 16, identity="e" * 16)
    data = DataStatus(
        **prepared.table.model_copy(update={"downloaded": 123956, "kept": 123456}).model_dump(), digest=prepared.digest
    )
    known = {
        "phase": "Training",
        "model": model,
        "data": data,
        "metrics": result.metrics.model_copy(update={"eval_loss": 0.74896}),
    }
    bot = a_bot_in("Train", run_fields=running, status_fields=known)
    nodes = "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match Pod's node affinity/selector."
    for summary in (
        Summary("Training", "Training", "Fine-tuning, step 320 of 727."),
        Summary("Training", "StartDeadlineExceeded", f"The Pod did not start within 600 s: {nodes}"),
        Summary("Preparing", "WaitingForPreviousPod", "Waiting for a Job or Pod of an earlier run to end."),
        Summary("Training", "Unschedulable", f"{nodes} Lower spec.resources, or add a node."),
    ):
        yield set_summary(bot, summary, NOON)


def test_wide_lines_of_usual_states_have_less_than_200_characters(kubectl: Kubectl, namespace: str) -> None:
    for number, status in enumerate(usual_statuses()):
        name = f"gull-of-the-harbor-{number}"
        manifest = named(a_manifest(scheduling={"queueName": "gpus-a"}), name)
        kubectl("apply", "-n", namespace, "-f", "-", input=json.dumps(manifest))
        patch = json.dumps({"status": status.to_dict()})
        kubectl("patch", "tb", name, "-n", namespace, "--subresource=status", "--type=merge", "-p", patch)
    heads, *lines = kubectl("get", "tb", "-n", namespace, "-o", "wide").stdout.splitlines()
    assert heads.split()[1:6] == ["PHASE", "REASON", "PROGRESS", "ETA", "KEPT"]
    assert heads.split()[6:] == ["EVAL-LOSS", "SINCE", "AGE", "MODEL", "QUEUE", "MESSAGE"]
    assert max(len(line) for line in lines) < 200
    assert lines[0].split()[1:6] == ["Training", "Training", "43%", "1h20m", "123456"]
    assert lines[0].endswith("9108a32a5b6d4c1f   gpus-a   Fine-tuning, step 320 of 727.")
    assert lines[-1].endswith("0/3 nodes are available: 1 Insufficient cpu, 2…")


def test_only_what_no_class_may_give_is_filled_in(kubectl: Kubectl, namespace: str) -> None:
    """Else nobody could tell what the author has left out; a part that is taken whole is filled in inside."""
    apply(kubectl, namespace, a_manifest(model={"method": "LoRA"}, resources={"cpu": "2"}))
    stored = yaml.safe_load(kubectl("get", "tweetbot", "gull", "-n", namespace, "-o", "yaml").stdout)["spec"]
    assert (stored["model"]["base"], stored["resources"]) == ("hf://gpt2", {"cpu": "2"})
    assert not stored.keys() & {"training", "filter", "scheduling", "evaluation", "tracking", "run", "history"}
    assert (stored["subject"]["relation"], stored["suspend"]) == ("Unspecified", False)


def test_it_is_explained_like_a_manual(kubectl: Kubectl) -> None:
    text = kubectl("explain", "tweetbot.spec.sources").stdout
    assert "of exactly one kind" in text
    assert "<empty>" not in text


def test_phases_can_be_selected(kubectl: Kubectl, namespace: str) -> None:
    apply(kubectl, namespace, a_manifest())
    selected = kubectl("get", "tb", "-n", namespace, "--field-selector=status.phase=Pending", "-o", "name").stdout
    assert selected.split() == ["tweetbot.tweetbot.dev/gull"]
