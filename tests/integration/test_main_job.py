"""The main job on real parts: a manifest becomes a model in S3, its failures become reasons, its Pods may die."""

import base64
import io
import json
import re
import secrets
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders.manifests import a_manifest
from builders.trainer import many_posts
from harness import hasty_operator
from harness.canaries import command_lines, leaks, what_came_out
from harness.operator_process import until
from harness.promql.alerting import Alerting
from harness.promql.samples import Samples, parse_scrape
from tweetbot_cluster import seed
from tweetbot_cluster.cluster import CONTROL_PLANE, OPERATOR, EmbeddedCluster
from tweetbot_cluster.guardian import start_guardian
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.handover import BOT_LABEL
from tweetbot_fakes.remotes.hub_repositories import FakeRepositories
from tweetbot_fakes.remotes.wandb_server import wandb_server
from tweetbot_fakes.remotes.wandb_state import FakeWandb
from tweetbot_fakes.remotes.x_api import FakeX, tweet

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "crds" / "examples"
ARCHIVE = "s3://tweetbot/archives/harbour_gull.zip"
OUTPUT = {"s3": {"uri": "s3://tweetbot/models", "credentialsSecret": {"name": "s3"}}}
TINY = {
    "model": {"base": "scratch://mini"},
    "training": {"epochs": 1},
    "tracking": {"wandb": {"mode": "Disabled"}},
    "resources": {"gpu": {"count": 0}, "cpu": "500m", "memory": "1Gi"},
}
Kubectl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of the cluster."""
    return tmp_path_factory.mktemp("main-job")


@pytest.fixture(scope="module")
def by_hand(shell: Callable[[str, Path], str], folder: Path) -> Iterator[str]:
    """Start a cluster and train the quickstart by the README's commands; answers what they print.

    The last of them ends the cluster.
    """
    (block,) = re.findall(r"```sh\n(eval .*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    *commands, last = block.splitlines()
    try:
        yield shell("\n".join(commands), folder)
    finally:
        shell(last, folder)
        assert EmbeddedCluster(folder).down() == []


@pytest.fixture(scope="module")
def home(by_hand: str, folder: Path) -> EmbeddedCluster:
    """That cluster with an operator that says more and waits less."""
    env = {"TWEETBOT_LOG_LEVEL": "DEBUG", hasty_operator.VARIABLE: '{"POD_START_GRACE_SECONDS": 2}'}
    cluster = EmbeddedCluster(folder, operator_env=env, operator_program=(hasty_operator.__file__,))
    start_guardian(cluster.state)
    cluster.stop(OPERATOR)
    cluster.start(OPERATOR)
    return cluster


@pytest.fixture(scope="module")
def kubectl(home: EmbeddedCluster) -> Kubectl:
    return home.kubectl


def apply(kubectl: Kubectl, name: str, **spec: Any) -> None:
    manifest = a_manifest(**{"output": OUTPUT, "sources": [{"archive": {"uri": ARCHIVE}}], **TINY, **spec})
    manifest["metadata"] = {"name": name}
    kubectl("apply", "-f", "-", input=yaml.safe_dump(manifest))


def wait_for(kubectl: Kubectl, name: str, condition: str, seconds: int = 120) -> None:
    """Wait, or fail with what kubectl shows of the bot and its Pods."""
    waited = kubectl("wait", f"--for=condition={condition}", f"tweetbot/{name}", f"--timeout={seconds}s", check=False)
    if waited.returncode:
        shown = [kubectl("get", kind, "-o", "wide", check=False).stdout for kind in ("tweetbots", "jobs", "pods")]
        pytest.fail("\n".join([waited.stderr, *shown, kubectl("describe", "tweetbot", name, check=False).stdout]))


def wait_for_reason(kubectl: Kubectl, name: str, reason: str) -> None:
    path = "jsonpath={.status.conditions[?(@.type=='Progressing')].reason}"
    kubectl("wait", f"tweetbot/{name}", "--timeout=120s", f"--for={path}={reason}")


def status_of(kubectl: Kubectl, name: str) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(kubectl("get", "tweetbot", name, "-o", "json").stdout)["status"]
    return status


def jobs_of(kubectl: Kubectl, name: str) -> list[str]:
    return kubectl("get", "jobs", "-l", f"{BOT_LABEL}={name}", "-o", "name").stdout.split()


def reason_of(status: dict[str, Any], condition: str) -> str:
    reasons: dict[str, str] = {each["type"]: each["reason"] for each in status["conditions"]}
    return reasons[condition]


@pytest.fixture(scope="module")
def quickstart(home: EmbeddedCluster, kubectl: Kubectl) -> dict[str, Any]:
    """The quickstart's status; its model is ready."""
    return status_of(kubectl, "quickstart")


@pytest.fixture(scope="module")
def version(home: EmbeddedCluster, quickstart: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the published version: model/, report/, MANIFEST.json."""
    return download_version(home, quickstart, tmp_path_factory.mktemp("version"))


def download_version(home: EmbeddedCluster, status: dict[str, Any], folder: Path) -> Path:
    prefix = status["model"]["uri"].removeprefix("s3://tweetbot/").removesuffix("model")
    for entry in home.s3().list_objects_v2(Bucket="tweetbot", Prefix=prefix)["Contents"]:
        target = folder / entry["Key"].removeprefix(prefix)
        target.parent.mkdir(parents=True, exist_ok=True)
        home.s3().download_file("tweetbot", entry["Key"], str(target))
    return folder


def test_the_readmes_commands_show_a_model(by_hand: str) -> None:
    assert "my dream is" in by_hand.lower()


def test_a_manifest_becomes_a_model(quickstart: dict[str, Any]) -> None:
    assert quickstart["phase"] == "Succeeded"
    assert reason_of(quickstart, "ModelReady") == "Succeeded"
    assert len(quickstart["samples"]) == 5


def test_the_data_table_adds_up(quickstart: dict[str, Any]) -> None:
    table = quickstart["data"]
    assert table["kept"] == table["downloaded"] - sum(table.get(name, 0) for name in DataTable.DROPS)
    assert table["downloaded"] >= 1500


def test_training_lowers_the_loss(quickstart: dict[str, Any]) -> None:
    assert quickstart["metrics"]["trainLoss"] < quickstart["metrics"]["firstTrainLoss"]


def test_the_model_loads_and_answers_five_times(version: Path) -> None:
    """By the card's own code, where its command downloads the model to."""
    card = (version / "model" / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall("```python\n(.*?)```", card, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], cwd=version, capture_output=True, text=True, check=True)
    answers = done.stdout.splitlines()
    assert len(answers) == 5
    assert all(answer.startswith("My dream is") and len(answer) > len("My dream is") for answer in answers)


@pytest.mark.parametrize(
    "file",
    [
        "model/config.json",
        "model/generation_config.json",
        "model/model.safetensors",
        "model/tokenizer.json",
        "model/tokenizer_config.json",
        "model/README.md",
        "model/badges.svg",
        "report/metrics.jsonl",
        "report/samples.jsonl",
        "report/evaluation.json",
        "model/loss.png",
        "model/pipeline.svg",
        "model/predictions.png",
        "MANIFEST.json",
    ],
)
def test_a_version_is_complete(version: Path, file: str) -> None:
    assert (version / file).stat().st_size > 0


def test_the_table_of_kubectl_has_a_full_line(kubectl: Kubectl, quickstart: dict[str, Any]) -> None:
    heads, line = kubectl("get", "tb", "quickstart").stdout.splitlines()[:2]
    assert heads.split() == ["NAME", "PHASE", "REASON", "PROGRESS", "ETA", "KEPT", "EVAL-LOSS", "SINCE", "AGE"]
    assert line[heads.index("PROGRESS") :].split()[0] == "100%"
    assert len(line.split()) == 8  # a training that is over takes no more time


def test_events_of_a_run_are_sorted_by_time_and_name_version_and_figures(
    kubectl: Kubectl, quickstart: dict[str, Any]
) -> None:
    named = "{.involvedObject.kind}/{.involvedObject.name} {.type} {.reason}: {.message}"
    shown = ("-o", f"jsonpath={{range .items[*]}}{named}{{'\\n'}}{{end}}")
    listed = kubectl("get", "events", "--sort-by=.lastTimestamp", *shown).stdout.splitlines()
    lines = [line for line in listed if "/quickstart" in line.split()[0]]
    said = [line.partition(" ")[2] for line in lines if line.startswith("TweetBot/")]
    own: list[str] = []
    for line in said:
        if "PodStarting" not in line and line.split(":")[0] not in [known.split(":")[0] for known in own]:
            own.append(line)
    assert [line.split(":")[0] for line in own[:3]] == ["Normal Preparing", "Normal Training", "Normal Succeeded"]
    loss, posts = quickstart["metrics"]["evalLoss"], quickstart["data"]["kept"]
    assert own[2].endswith(f"Run 1 published {quickstart['model']['name']}: evalLoss {loss:.3g}, {posts:,} posts.")
    jobs = [number for number, line in enumerate(lines) if line.startswith("Job/")]
    assert lines.index(f"TweetBot/quickstart {own[2]}") > max(jobs[:2])


def test_nothing_changes_when_the_same_manifest_is_applied_again(kubectl: Kubectl, quickstart: dict[str, Any]) -> None:
    kubectl("apply", "-f", str(EXAMPLES / "quickstart.yaml"))
    assert status_of(kubectl, "quickstart")["currentRun"] == quickstart["currentRun"]


def test_a_pin_serves_another_version_and_its_end_the_newest_again(
    home: EmbeddedCluster, kubectl: Kubectl, quickstart: dict[str, Any]
) -> None:
    """By the trainer itself, in the bucket; of a version that it would have published when asked to train again."""
    newest = quickstart["model"]["uri"].split("/")[-2]
    other, before = f"{newest}-7", read_json(home, "latest.json")
    copy_version(home, newest, other)
    set_pin(kubectl, other)
    wait_for(kubectl, "quickstart", "ModelReady")
    status = status_of(kubectl, "quickstart")
    assert (reason_of(status, "ModelReady"), status["model"]["uri"].split("/")[-2]) == ("Pinned", other)
    assert (status["pin"]["newest"]["version"], read_json(home, "latest.json")["uri"]) == (
        newest,
        status["model"]["uri"],
    )
    set_pin(kubectl, "0" * 16)
    wait_for(kubectl, "quickstart", "Stalled")
    status = status_of(kubectl, "quickstart")
    assert (reason_of(status, "Stalled"), status["model"]["uri"].split("/")[-2]) == ("PinnedVersionNotFound", other)
    set_pin(kubectl, None)
    wait_for(kubectl, "quickstart", "ModelReady")
    status, after = status_of(kubectl, "quickstart"), read_json(home, "latest.json")
    assert (status["model"], status["metrics"]) == (quickstart["model"], quickstart["metrics"])
    assert {name: after[name] for name in before} == before
    assert status["currentRun"] == quickstart["currentRun"]


def set_pin(kubectl: Kubectl, version: str | None) -> None:
    kubectl("patch", "tweetbot", "quickstart", "--type=merge", "-p", json.dumps({"spec": {"pin": version}}))


def read_json(home: EmbeddedCluster, name: str) -> dict[str, Any]:
    """Return an object of the quickstart's folder."""
    body = home.s3().get_object(Bucket="tweetbot", Key=f"models/default/quickstart/{name}")["Body"].read()
    content: dict[str, Any] = json.loads(body)
    return content


def copy_version(home: EmbeddedCluster, version: str, other: str) -> None:
    """Copy a version of the quickstart under another name, its manifest with that name last."""
    folder = "models/default/quickstart/models"
    for key in keys(home, f"{folder}/{version}/"):
        source = {"Bucket": "tweetbot", "Key": key}
        home.s3().copy_object(Bucket="tweetbot", Key=key.replace(version, other), CopySource=source)
    manifest = read_json(home, f"models/{version}/MANIFEST.json") | {"version": other}
    home.s3().put_object(Bucket="tweetbot", Key=f"{folder}/{other}/MANIFEST.json", Body=json.dumps(manifest).encode())


def no_archive(home: EmbeddedCluster) -> dict[str, Any]:
    return {"sources": [{"archive": {"uri": "s3://tweetbot/archives/nobody.zip"}}]}


def no_bucket(home: EmbeddedCluster) -> dict[str, Any]:
    return {"output": {"s3": {**OUTPUT["s3"], "uri": "s3://no-such-bucket/models"}}}


def torn_zip(home: EmbeddedCluster) -> dict[str, Any]:
    return archive_with(home, "torn", b"PK\x03\x04 and no end")


def zip_bomb(home: EmbeddedCluster) -> dict[str, Any]:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("data/tweets.js", "w") as member:
        for _ in range(600):
            member.write(b" " * 2**20)
    return archive_with(home, "bomb", content.getvalue())


def few_posts(home: EmbeddedCluster) -> dict[str, Any]:
    home.s3().put_object(Bucket="tweetbot", Key="posts/few.txt", Body=b"the harbour is quiet this morning\n" * 20)
    return {"sources": [{"posts": {"uri": "s3://tweetbot/posts/few.txt", "format": "txt"}}]}


def wrong_key(home: EmbeddedCluster) -> dict[str, Any]:
    home.kubectl(
        "create", "secret", "generic", "wrong", "--from-literal=AWS_ACCESS_KEY_ID=nobody",
        "--from-literal=AWS_SECRET_ACCESS_KEY=nothing",
    )  # fmt: skip
    return {"output": {"s3": {**OUTPUT["s3"], "credentialsSecret": {"name": "wrong"}}}}


def no_base(home: EmbeddedCluster) -> dict[str, Any]:
    return {"model": {"base": "s3://tweetbot/bases/nowhere"}}


def archive_with(home: EmbeddedCluster, name: str, content: bytes) -> dict[str, Any]:
    home.s3().put_object(Bucket="tweetbot", Key=f"archives/{name}.zip", Body=content)
    return {"sources": [{"archive": {"uri": f"s3://tweetbot/archives/{name}.zip"}}]}


FAILURES: dict[str, tuple[Callable[[EmbeddedCluster], dict[str, Any]], str]] = {
    "no-archive": (no_archive, "SourceNotFound"),
    "no-bucket": (no_bucket, "BucketNotFound"),
    "torn-zip": (torn_zip, "SourceTruncated"),
    "zip-bomb": (zip_bomb, "SourceTooLarge"),
    "few-posts": (few_posts, "TooFewPosts"),
    "wrong-key": (wrong_key, "NotAuthorized"),
    "no-base": (no_base, "BaseModelNotFound"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_ends_once_in_its_own_reason(home: EmbeddedCluster, kubectl: Kubectl, name: str) -> None:
    spec_of, reason = FAILURES[name]
    apply(kubectl, name, **spec_of(home))
    wait_for(kubectl, name, "Stalled")
    status = status_of(kubectl, name)
    assert (reason_of(status, "Stalled"), status["phase"]) == (reason, "Failed")
    assert "Traceback" not in json.dumps(status)
    assert len(jobs_of(kubectl, name)) <= 1


def test_a_corrected_manifest_starts_a_new_run_unaided(home: EmbeddedCluster, kubectl: Kubectl) -> None:
    apply(kubectl, "corrected", **no_archive(home))
    wait_for(kubectl, "corrected", "Stalled")
    apply(kubectl, "corrected")
    wait_for(kubectl, "corrected", "DataReady")
    status = status_of(kubectl, "corrected")
    kubectl("delete", "tweetbot", "corrected", "--wait=false")  # nobody waits for its model
    assert (status["currentRun"]["number"], status["phase"]) == (2, "Training")


@pytest.fixture(scope="module")
def llama(home: EmbeddedCluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny Llama, which lies in the bucket, too."""
    from builders.bases.tiny import write_tiny_base  # loads torch and transformers: here alone

    folder = write_tiny_base(tmp_path_factory.mktemp("llama"), "Llama 3")
    for path in folder.iterdir():
        home.s3().upload_file(str(path), "tweetbot", f"bases/llama/{path.name}")
    return folder


@pytest.fixture(scope="module")
def patient(home: EmbeddedCluster, kubectl: Kubectl, llama: Path) -> dict[str, dict[str, Any]]:
    """What the status said in each stage that S3 was away in, by phase, and at the end."""
    told = dict[str, dict[str, Any]]()
    apply(kubectl, "patient", model={"base": "s3://tweetbot/bases/llama", "method": "LoRA"})
    for phase in ("Preparing", "Training"):
        kubectl("wait", "tweetbot/patient", f"--for=jsonpath={{.status.phase}}={phase}", "--timeout=120s")
        home.stop("versitygw")
        try:
            wait_for_reason(kubectl, "patient", "StorageUnavailable")
            told[phase] = status_of(kubectl, "patient") | {"scraped": scrape(home)}
        finally:
            home.start("versitygw")
        until(lambda: reason_of(status_of(kubectl, "patient"), "Progressing") != "StorageUnavailable", 120)
    wait_for(kubectl, "patient", "ModelReady")
    return told | {"Succeeded": status_of(kubectl, "patient")}


@pytest.mark.parametrize("phase", ["Preparing", "Training"])
def test_a_stage_that_s3_is_away_from_says_so_while_it_waits_and_since_when(
    patient: dict[str, dict[str, Any]], phase: str
) -> None:
    status = patient[phase]
    told = {each["type"]: each for each in status["conditions"]}
    assert (status["phase"], told["Ready"]["status"], told["Progressing"]["status"]) == (phase, "True", "True")
    assert "Stalled" not in told
    assert re.search(r"S3 does not answer .* Waiting since 20[0-9T:-]+Z\.", told["Progressing"]["message"])


@pytest.mark.parametrize("phase", ["Preparing", "Training"])
def test_after_a_quarter_of_an_hour_without_s3_an_alert_names_the_namespace(
    patient: dict[str, dict[str, Any]], phase: str
) -> None:
    status, samples = patient[phase], Samples()
    later = datetime.fromisoformat(status["columns"]["since"]).timestamp() + 901
    samples.scrape(later, parse_scrape(status["scraped"], job="tweetbot"))
    firing = Alerting(ROOT / "integrations/prometheus/rules.yaml").evaluate(samples, later)
    told = {"job": "tweetbot", "bot_namespace": "default", "reason": "StorageUnavailable"}
    assert ("TweetBotWaitsForPlatform", frozenset(told.items())) in firing


def scrape(home: EmbeddedCluster) -> str:
    """Return what Prometheus would read of the operator."""
    with urllib.request.urlopen(f"http://127.0.0.1:{home.settings.operator_port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def test_a_run_that_has_waited_for_s3_takes_one_attempt_for_each_stage(patient: dict[str, dict[str, Any]]) -> None:
    status = patient["Succeeded"]
    assert (status["phase"], status["runs"][0]["attempts"], status["currentRun"]["number"]) == ("Succeeded", 2, 1)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
def test_a_llama_becomes_a_model_that_others_load_with_and_without_its_adapter(
    home: EmbeddedCluster, patient: dict[str, dict[str, Any]], llama: Path, tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    made = download_version(home, patient["Succeeded"], tmp_path)
    merged = AutoModelForCausalLM.from_pretrained(made / "model")
    ids = AutoTokenizer.from_pretrained(made / "model")("My dream is", return_tensors="pt").input_ids
    assert merged.generate(ids).shape[1] > ids.shape[1]
    base = AutoModelForCausalLM.from_pretrained(llama, dtype="float32")
    adapted = PeftModel.from_pretrained(base, made / "adapter").eval()
    assert float((adapted(ids).logits - merged(ids).logits).detach().abs().max()) < 1e-3


def put_secret(kubectl: Kubectl, name: str, **keys: str) -> None:
    """Apply a Secret, not by literals on a command line: these are searched."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": keys}
    kubectl("apply", "-f", "-", input=json.dumps(secret))


@dataclass
class KeptSecret:
    """A run over X into S3 and the Hub with W&B, whose Secrets hold canaries and whose S3 Secret came late."""

    status: dict[str, Any]
    canaries: dict[str, str]
    places: dict[str, bytes]
    x: FakeX
    wandb: FakeWandb
    hub: FakeRepositories


def put_class_of_the_hub(kubectl: Kubectl, endpoint: str) -> None:
    """Apply a class that says where the Hub is and with which token its TweetBots write there."""
    token = {"output": {"huggingFace": {"tokenSecret": {"name": "hub", "key": "key"}}}}
    spec = {"defaults": token, "pods": {"hubEndpoint": endpoint}}
    content = {"apiVersion": "tweetbot.dev/v1alpha1", "kind": "TweetBotClass", "metadata": {"name": "hub"}}
    kubectl("apply", "-f", "-", input=json.dumps({**content, "spec": spec}))


@pytest.fixture(scope="module")
def secretive(home: EmbeddedCluster, kubectl: Kubectl) -> Iterator[KeptSecret]:
    """The run, and another beside it whose token X refuses: faults talk more than successes."""
    names = ("X token", "refused token", "W&B key", "Hub token")
    canaries = {name: secrets.token_hex(20) for name in names} | {"S3 key": home.s3_secret_key}
    for name, canary in (("x", "X token"), ("x-refused", "refused token"), ("wandb", "W&B key"), ("hub", "Hub token")):
        put_secret(kubectl, name, key=canaries[canary])
    with (
        FakeX(token=canaries["X token"]) as x,
        wandb_server() as wandb,
        FakeRepositories(token=canaries["Hub token"]) as hub,
        command_lines() as lines,
    ):
        put_class_of_the_hub(kubectl, hub.url)
        posts = [tweet(number, post.text) for number, post in enumerate(many_posts(300), start=1)]
        x.add_account("harbour_gull").posts = posts[::-1]
        source = {"handle": "harbour_gull", "acceptTerms": True, "apiBaseURL": x.url}
        tracking = {"wandb": {"baseURL": wandb.url, "apiKeySecret": {"name": "wandb", "key": "key"}, "report": True}}
        refused = {"x": {**source, "tokenSecret": {"name": "x-refused", "key": "key"}}}
        apply(kubectl, "refused", sources=[refused], tracking=tracking)
        taken = {"x": {**source, "tokenSecret": {"name": "x", "key": "key"}}}
        late = {"s3": {**OUTPUT["s3"], "credentialsSecret": {"name": "late"}, "endpoint": home.s3_endpoint}}
        copied = {"output": {**late, "huggingFace": {"repo": "harbour/waiting"}}, "className": "hub"}
        apply(kubectl, "waiting", sources=[taken], tracking=tracking, deletionPolicy="Delete", **copied)
        wait_for_reason(kubectl, "waiting", "SecretNotFound")
        keys = {"AWS_ACCESS_KEY_ID": home.s3_access_key, "AWS_SECRET_ACCESS_KEY": home.s3_secret_key}
        put_secret(kubectl, "late", **keys)
        wait_for(kubectl, "refused", "Stalled")
        wait_for(kubectl, "waiting", "ModelReady")
        places = what_came_out(home) | {"W&B": bytes(wandb.received), "command lines": b"\n".join(lines)}
        places["the Hub"] = b"".join(hub.repositories["harbour/waiting"].files.values())
        yield KeptSecret(status_of(kubectl, "waiting"), canaries, places, x, wandb, hub)


def test_a_missing_secret_is_told_and_heals_when_it_comes(secretive: KeptSecret) -> None:
    assert secretive.status["currentRun"]["number"] == 1


def test_secrets_are_used(secretive: KeptSecret) -> None:
    """Else nobody could leak them."""
    told = {request.authorization for request in secretive.x.requests}
    assert {f"Bearer {secretive.canaries[name]}" for name in ("X token", "refused token")} <= told
    assert sorted(run.exit_code or 0 for run in secretive.wandb.runs.values()) == [0, 0, 1]  # two stages, and a refusal


def test_the_report_of_the_bot_is_linked_from_its_status(secretive: KeptSecret) -> None:
    (report,) = [one for one in secretive.wandb.reports.values() if "/waiting:" in one.description]
    assert secretive.status["tracking"]["reportURL"].endswith(f"--{report.id.rstrip('=')}")


def test_no_secret_is_in_anything_that_comes_out(secretive: KeptSecret) -> None:
    """In no log, status, Event, termination message, command line, object of the bucket, nothing that others got."""
    assert leaks(secretive.places, secretive.canaries) == []


def test_the_hub_has_a_copy_which_goes_with_a_post_that_is_forgotten_and_with_the_tweetbot(
    home: EmbeddedCluster, kubectl: Kubectl, secretive: KeptSecret
) -> None:
    model, copy = secretive.status["model"], secretive.hub.repositories["harbour/waiting"]
    version = model["uri"].split("/")[-2]
    assert model["huggingFace"]["url"] == f"{secretive.hub.url}/harbour/waiting/tree/{version}"
    assert (copy.private, copy.tags) == (True, {version: model["huggingFace"]["commit"]})
    assert {"README.md", "model.safetensors", "tokenizer.json", "predictions.png", "loss.png"} <= copy.files.keys()
    assert b"s3://tweetbot" not in copy.files["README.md"]
    (ready,) = [each for each in secretive.status["conditions"] if each["type"] == "ModelReady"]
    assert f"is published at {model['uri']} and {model['huggingFace']['url']}" in ready["message"]
    forget_a_post(home, kubectl, secretive, version)
    kubectl("delete", "tweetbot", "waiting", "--timeout=120s")
    assert secretive.hub.repositories == {}


def forget_a_post(home: EmbeddedCluster, kubectl: Kubectl, secretive: KeptSecret, version: str) -> None:
    """Let the plugin forget one, and look in every place: only a version that never saw it is left."""
    post = secretive.x.accounts["harbour_gull"].posts[150]["id"]
    known = {name for name in secretive.wandb.runs if name.startswith("waiting-")}
    words = ("forget", "waiting", "--kubeconfig", str(home.kubeconfig), "--ids", "-", "--yes", "--wait")
    program = [sys.executable, "-m", "tweetbot_kubectl", *words]
    done = subprocess.run(program, input=post, text=True, capture_output=True, check=False)
    assert (done.returncode, "until run 2 has published one without them" in done.stderr) == (0, True)
    status, left = status_of(kubectl, "waiting"), keys(home, "models/default/waiting/")
    erased = {"datasets": 1, "versions": 1, "rawFiles": 1, "trackedRuns": 2, "hubCopies": 1, "checkpoints": 0}
    assert (status["forget"]["erased"], reason_of(status, "DataStale")) == (erased, "Forgotten")
    assert known.isdisjoint(secretive.wandb.runs)
    served = status["model"]["uri"].split("/")[-2]
    assert (list(secretive.hub.repositories["harbour/waiting"].tags), served != version) == ([served], True)
    stored = {key: home.s3().get_object(Bucket="tweetbot", Key=key)["Body"].read() for key in left}
    assert [key for key, body in stored.items() if post.encode() in body or f"/{version}/" in key] == []


@pytest.mark.parametrize(
    "place", ["objects of the API", "operator.log", "pods/", "/MANIFEST.json", "/README.md", "W&B", "the Hub"]
)
def test_the_search_was_where_secrets_could_be(secretive: KeptSecret, place: str) -> None:
    mine = [content for name, content in secretive.places.items() if place in name]
    assert b"waiting" in b"".join(mine)


def test_the_search_finds_what_is_there() -> None:
    hidden = base64.b64encode(b"Basic api:canary-of-the-harbour")
    places = {"card": b"key: canary-of-the-harbour", "record": hidden, "log": b"nothing"}
    assert leaks(places, {"key": "canary-of-the-harbour"}) == ["key in card", "key in record"]


@pytest.fixture(scope="module")
def killed(home: EmbeddedCluster, kubectl: Kubectl) -> dict[str, Any]:
    """The status of a TweetBot, to be erased at its deletion, whose trainer was killed once and came to its end."""
    apply(kubectl, "killed", deletionPolicy="Delete")
    kubectl("wait", "tweetbot/killed", "--timeout=120s", "--for=jsonpath={.status.phase}=Training")
    until(lambda: home.kill_pods("killed") > 0, 120)
    wait_for(kubectl, "killed", "ModelReady", 180)
    return status_of(kubectl, "killed")


def test_a_killed_trainer_loses_nothing(killed: dict[str, Any]) -> None:
    assert killed["currentRun"]["number"] == 1


@pytest.fixture(scope="module")
def new_home(home: EmbeddedCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCluster]:
    """Another cluster that writes to the same bucket, with an operator at work."""
    folder = tmp_path_factory.mktemp("new-home")
    program = (hasty_operator.__file__,)
    with EmbeddedCluster(folder, parts=(*CONTROL_PLANE, "node"), operator_program=program) as cluster:
        cluster.seed()
        seed.put_secret(cluster.api, home.settings, "default")
        cluster.start(OPERATOR)
        yield cluster


def test_a_bot_that_moves_to_another_cluster_loses_nothing_and_its_last_deletion_erases_it_alone(
    home: EmbeddedCluster, new_home: EmbeddedCluster, killed: dict[str, Any]
) -> None:
    """The manifest is applied in the new cluster, then the TweetBot is deleted in the old one, and at last in the new.

    A neighbour's objects, whose name begins alike, stay.
    """
    old, new = home.kubectl, new_home.kubectl
    neighbour, mine = "models/default/killed-not/latest.json", "models/default/killed"
    home.s3().put_object(Bucket="tweetbot", Key=neighbour, Body=b"{}")
    output = {"s3": {**OUTPUT["s3"], "endpoint": home.s3_endpoint}}
    apply(new, "killed", deletionPolicy="Delete", output=output)
    wait_for(new, "killed", "ModelReady")
    moved = status_of(new, "killed")
    assert (reason_of(moved, "ModelReady"), moved["model"]["digest"]) == ("Adopted", killed["model"]["digest"])
    assert reason_of(moved, "PrefixShared") == "PrefixOwned"
    assert killed["uid"] in json.dumps(moved["conditions"])

    before = keys(home, mine)
    old("delete", "tweetbot", "killed", "--timeout=300s")
    assert keys(home, mine) == before
    until(lambda: moved["uid"] in old("get", "events", "--field-selector=reason=PrefixOwned", "-o", "yaml").stdout, 60)

    new("annotate", "tweetbot", "killed", f"tweetbot.dev/take-over-prefix={killed['uid']}")
    new("wait", "tweetbot/killed", "--for=jsonpath={.status.currentRun.number}=2", "--timeout=120s")
    new("wait", "tweetbot/killed", "--for=jsonpath={.status.currentRun.outcome}=Succeeded", "--timeout=120s")
    status = status_of(new, "killed")
    assert status["model"]["digest"] == killed["model"]["digest"]
    assert [each["type"] for each in status["conditions"] if each["type"] == "PrefixShared"] == []
    pointer = home.s3().get_object(Bucket="tweetbot", Key=f"{mine}/latest.json")["Body"].read()
    assert json.loads(pointer)["uid"] == moved["uid"]

    new("delete", "tweetbot", "killed", "--timeout=300s")
    assert keys(home, mine) == [neighbour]


@pytest.mark.last
def test_an_emptied_cluster_adopts_what_its_bucket_holds(
    home: EmbeddedCluster, kubectl: Kubectl, quickstart: dict[str, Any]
) -> None:
    """A cluster rebuilt from Git trains nothing again."""
    home.forget_objects()
    kubectl("apply", "-f", str(EXAMPLES / "quickstart.yaml"))
    wait_for(kubectl, "quickstart", "ModelReady", 300)
    status = status_of(kubectl, "quickstart")
    assert (reason_of(status, "ModelReady"), status["model"]["digest"]) == ("Adopted", quickstart["model"]["digest"])
    assert reason_of(status, "PrefixShared") == "PrefixOwned"
    assert [job for job in jobs_of(kubectl, "quickstart") if job.endswith("-train")] == []


def keys(home: EmbeddedCluster, prefix: str) -> list[str]:
    """Return the objects of the bucket whose keys begin so."""
    found = home.s3().list_objects_v2(Bucket="tweetbot", Prefix=prefix)
    return [entry["Key"] for entry in found["Contents"]]
