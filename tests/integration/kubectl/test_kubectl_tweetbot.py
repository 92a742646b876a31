"""`kubectl tweetbot` on a real API server and a real S3 server: each command once, and once without rights."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from builders.model import a_saved_base
from builders.serving.playground import try_bot
from builders.stages import a_folder, a_local_run, a_version
from harness.operator_process import until
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.node.images import PROGRAMS
from tweetbot_contract.spec.output import S3Output
from tweetbot_fakes.plugin import a_condition, a_model, a_run, a_stored_bot
from tweetbot_kubectl.__main__ import run_command
from tweetbot_kubectl.output.output import Output
from tweetbot_kubectl.parser import parse_arguments
from tweetbot_kubectl.session import build_session
from tweetbot_trainer.publishing.registry.publish import publish
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store.s3 import S3Store

OLD, NEW = "1" * 16, "2" * 16
LABELS = {"tweetbot.dev/bot": "gull", "tweetbot.dev/run": "1a2b3c4d5e6f7a8b", "tweetbot.dev/stage": "train"}
BOTS = "/apis/tweetbot.dev/v1alpha1/namespaces/{}/tweetbots"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def bucket(home: EmbeddedCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a bucket for models."""
    home.start("versitygw")
    home.s3().create_bucket(Bucket="team-a")
    yield "s3://team-a/models"
    home.stop("versitygw")


@pytest.fixture
def run(home: EmbeddedCluster, namespace: str, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in the test's namespace; answers exit code, output and notes."""

    def run_words(*words: str, kubeconfig: Path = home.kubeconfig) -> tuple[int, str, str]:
        arguments = parse_arguments(["-n", namespace, "--kubeconfig", str(kubeconfig), *words])
        capfd.readouterr()
        code = run_command(arguments, build_session(arguments, Output(arguments.output)))
        return code, *capfd.readouterr()

    return run_words


@pytest.fixture
def gull(home: EmbeddedCluster, namespace: str, bucket: str, tmp_path: Path) -> None:
    """A TweetBot that trains, with two versions in the bucket, and a Pod of its train stage."""
    output = {"s3": {"uri": bucket, "endpoint": home.s3_endpoint, "credentialsSecret": {"name": "s3"}}}
    output["huggingFace"] = {"repo": "harbour/gull", "tokenSecret": {"name": "s3", "key": "hub-token"}}
    status = {
        "phase": "Training",
        "conditions": [a_condition("Progressing", "True", "Training", "Fine-tuning the model.")],
        "currentRun": a_run(),
        "model": a_model(NEW) | {"uri": f"{bucket}/{namespace}/gull/models/{NEW}/model"},
        "samples": [{"prompt": "My dream is", "text": "My dream is the harbour"}],
    }
    path = f"/apis/tweetbot.dev/v1alpha1/namespaces/{namespace}/tweetbots/gull"
    bot = a_stored_bot(namespace=namespace, output=output)
    del bot["metadata"]["uid"], bot["metadata"]["generation"]
    home.api.apply(path, bot)
    home.api.apply(f"{path}/status", {**bot, "status": status})
    home.put_secret(namespace)
    publish_versions(home, bucket, namespace, tmp_path)
    container = {"name": "trainer", "image": "busybox:1", "command": ["sh", "-c", "echo trained"]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "gull-train", "labels": LABELS},
           "spec": {"restartPolicy": "Never", "containers": [container]}}  # fmt: skip
    pods = f"/api/v1/namespaces/{namespace}/pods"
    home.api.create(pods, pod)
    until(lambda: home.api.get(f"{pods}/gull-train")["status"]["phase"] == "Succeeded", 120)


def publish_versions(home: EmbeddedCluster, bucket: str, namespace: str, folder: Path) -> None:
    for number, version in enumerate((OLD, NEW), 1):
        files = a_folder(folder / version, b"weights")
        (files / "model" / "README.md").write_text("# Gull\n")
        publish_version(home, bucket, namespace, (files, version, number))


def publish_version(home: EmbeddedCluster, bucket: str, namespace: str, made: tuple[Path, str, int]) -> None:
    """Publish what is in a folder under a version's name, as that of the run of this number."""
    folder, version, number = made
    run = a_local_run(folder.parent, run_id=f"{number:016x}", run_number=number, namespace=namespace, name="gull")
    s3 = run.spec.output.model_copy(update={"s3": S3Output(uri=bucket, endpoint=home.s3_endpoint)})
    run = run.model_copy(update={"spec": run.spec.model_copy(update={"output": s3})})
    changes: dict[str, Any] = {
        "training_key": version + "0" * 48,
        "published_at": f"2026-11-{number:02}T06:00:00.000Z",
    }
    publish(S3Store(home.s3(), RetryBudget(10)), run, folder, a_version(folder, run, version, **changes))


@pytest.mark.usefixtures("gull")
def test_each_command_that_reads_says_what_it_read(namespace: str, run: Run) -> None:
    assert "43%, 12m left" in run("list")[1]
    assert namespace in run("list", "-A")[1]
    code, output, _ = run("status", "gull")
    assert (code, "Fine-tuning the model." in output) == (0, True)
    assert run("logs", "gull", "--stage", "train") == (0, "trained\n", "==> train, Pod gull-train <==\n")
    assert "My dream is the harbour" in run("samples", "gull")[1]
    assert [line.split()[0] for line in run("versions", "gull")[1].splitlines()] == ["version", NEW, OLD]
    assert run("compare", "gull")[1].startswith(f"A  {OLD}")
    links = json.loads(run("open", "gull", "-o", "json")[1])["links"]
    assert [link["file"] for link in links] == ["README.md"]
    assert run("status", "heron")[0] == 3


@pytest.mark.usefixtures("gull")
def test_who_has_no_rights_is_told_which_one_is_missing(
    home: EmbeddedCluster, namespace: str, run: Run, tmp_path: Path
) -> None:
    eve = write_kubeconfig(home, namespace, tmp_path / "eve")
    for words in (("list",), ("status", "gull"), ("logs", "gull"), ("versions", "gull")):
        code, output, notes = run(*words, kubeconfig=eve)
        verb = "list" if words == ("list",) else "get"
        assert (code, output) == (4, "")
        assert (
            f"You may not {verb} tweetbots in namespace {namespace}. It is granted by the role <release>-view" in notes
        )
    let_view(home, namespace)
    until(lambda: run("list", kubeconfig=eve)[0] == 0, 60)
    code, output, _ = run("status", "gull", kubeconfig=eve)
    assert (code, output.count("It is granted by the Role tweetbot-logs")) == (0, 3)
    code, _, notes = run("versions", "gull", kubeconfig=eve)
    assert (code, 'the Secret "s3"' in notes) == (4, True)


@pytest.mark.usefixtures("gull")
def test_kubectl_finds_the_plugin_and_completes_names(
    home: EmbeddedCluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert "gull" in home.kubectl("tweetbot", "list", "-n", namespace).stdout
    completed = home.kubectl("__complete", "tweetbot", "status", "-n", namespace, "g").stdout
    assert completed.splitlines()[0] == "gull"


@pytest.mark.usefixtures("gull")
def test_each_command_that_steers_changes_the_tweetbot(
    home: EmbeddedCluster, namespace: str, run: Run, tmp_path: Path
) -> None:
    def read() -> dict[str, Any]:
        found: dict[str, Any] = home.api.get(f"{BOTS.format(namespace)}/gull")
        return found

    assert run("retrain", "gull", "--force")[0] == 0
    annotations = read()["metadata"]["annotations"]
    assert annotations["tweetbot.dev/retrain-at"] == annotations["tweetbot.dev/force-at"]
    for words, field, value in (
        (("suspend", "gull"), "suspend", True),
        (("resume", "gull"), "suspend", False),
        (("pin", "gull", OLD), "pin", OLD),
        (("unpin", "gull"), "pin", None),
    ):
        code, output, _ = run(*words)
        assert (code, read()["spec"].get(field), "Warning" in output) == (0, value, False)
    ids = tmp_path / "deleted.txt"
    for listed in ("7", "8"):
        ids.write_text(listed)
        assert run("forget", "gull", "--ids", str(ids), "--yes")[0] == 0
    assert read()["spec"]["filter"]["excludeIds"] == ["7", "8"]
    assert read()["metadata"]["annotations"]["tweetbot.dev/forget-at"]
    owners = {each["manager"] for each in read()["metadata"]["managedFields"]}
    assert "kubectl-tweetbot" in owners


@pytest.mark.usefixtures("gull")
def test_a_field_that_argo_cd_applied_is_steered_with_a_warning(
    home: EmbeddedCluster, namespace: str, run: Run
) -> None:
    bot = {**a_head(namespace), "spec": a_stored_bot(suspend=False)["spec"]}
    flags = ("--server-side", "--field-manager=argocd-controller", "--force-conflicts", "-f", "-")
    home.kubectl("apply", *flags, input=json.dumps(bot))
    code, output, _ = run("suspend", "gull")
    assert (code, "Argo CD manages suspend" in output) == (0, True)
    assert home.api.get(f"{BOTS.format(namespace)}/gull")["spec"]["suspend"] is True


def test_a_manifest_of_init_is_taken_by_the_api_server(
    home: EmbeddedCluster, namespace: str, run: Run, tmp_path: Path
) -> None:
    flags = ("--handle", "gull", "--relation", "Self", "--source", "archive:s3://team-a/gull.zip")
    file = tmp_path / "gull.yaml"
    assert run("init", *flags, "--to", "s3://team-a/models", "--secret", "s3", "--file", str(file))[0] == 0
    home.kubectl("apply", "--dry-run=server", "-f", str(file))
    assert "namespace: " + namespace in file.read_text()


@pytest.mark.usefixtures("gull")
def test_doctor_finds_what_is_there_and_reads_the_bucket_from_a_pod(
    home: EmbeddedCluster, namespace: str, run: Run
) -> None:
    home.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    code, output, _ = run("doctor", "gull", "--probe", "--image", "python:3", "-o", "json")
    checks = {each["what"]: each for each in json.loads(output)["checks"]}
    bad = {name: each["message"] for name, each in checks.items() if each["verdict"] != "ok"}
    assert bad == {
        "operator": "There is no Deployment of the operator for this namespace.",
        "Secret s3": "It lacks hub-token, which the copy on the Hugging Face Hub needs; "
        "it has AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.",
        "state": "The operator has not acted on the latest edit yet.",
    }
    assert (code, checks["bucket"]["verdict"]) == (1, "ok")
    until(lambda: list_own_pods(home, namespace) == [], 60)


@pytest.mark.usefixtures("gull")
def test_commands_that_act_name_the_right_that_is_missing(
    home: EmbeddedCluster, namespace: str, run: Run, tmp_path: Path
) -> None:
    eve = write_kubeconfig(home, namespace, tmp_path / "eve")
    let_view(home, namespace)
    until(lambda: run("list", kubeconfig=eve)[0] == 0, 60)
    (tmp_path / "ids").write_text("7")
    forget = ("forget", "gull", "--yes", "--ids", str(tmp_path / "ids"))
    for words in (("retrain", "gull"), ("suspend", "gull"), ("pin", "gull", OLD), forget):
        code, _, notes = run(*words, kubeconfig=eve)
        assert (code, f"You may not patch tweetbots in namespace {namespace}" in notes) == (4, True)
    for command in ("try", "drafts", "publish"):
        code, _, notes = run(command, "gull", "--image", "python:3", kubeconfig=eve)
        assert (code, f"You may not create pods in namespace {namespace}" in notes) == (4, True)
    code, output, _ = run("doctor", "gull", "-o", "json", kubeconfig=eve)
    checks = {each["what"]: each["verdict"] for each in json.loads(output)["checks"]}
    assert (code, checks["operator"], checks["Secret s3"]) == (0, "unknown", "unknown")
    assert checks["right to create pods/portforward"] == "warning"


@pytest.mark.usefixtures("gull")
def test_a_playground_and_drafts_come_from_restricted_pods_that_leave_nothing_behind(
    home: EmbeddedCluster, bucket: str, namespace: str, run: Run, tmp_path: Path
) -> None:
    home.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    real = a_saved_base(tmp_path / "real" / "model", context=128).parent
    publish_version(home, bucket, namespace, (real, "3" * 16, 3))
    model = a_model("3" * 16) | {"uri": f"{bucket}/{namespace}/gull/models/{'3' * 16}/model"}
    home.api.apply(f"{BOTS.format(namespace)}/gull/status", {**a_head(namespace), "status": {"model": model}})
    kubectl = home._binary("kubectl")
    env = {
        **os.environ,
        "KUBECONFIG": str(home.kubeconfig),
        "PATH": f"{kubectl.parent}:{PROGRAMS}:{os.environ['PATH']}",
    }
    command = (
        "kubectl",
        "tweetbot",
        "try",
        "gull",
        "-n",
        namespace,
        "--image",
        "python:3",
        "--no-browser",
        "-o",
        "json",
    )
    with try_bot(command, env) as playground:
        assert playground.document["version"] == "3" * 16
        assert "AI-generated" in playground.read_page()
        posts = playground.write_posts(prompt="My dream is", count=2, seed=7)
        assert [post.startswith("My dream is") for post in posts] == [True, True]
        assert list_own_pods(home, namespace) == [playground.document["pod"]]
    code, output, _ = run("drafts", "gull", "--count", "2", "--image", "python:3")
    drafts = [json.loads(line) for line in output.splitlines()]
    assert (code, [(draft["index"], draft["ai_generated"]) for draft in drafts]) == (0, [(0, True), (1, True)])
    assert_refused_without_a_token(run)
    until(lambda: list_own_pods(home, namespace) == [], 60)


def assert_refused_without_a_token(run: Run) -> None:
    """Have a Pod try to send the version; the Secret has no token for the Hub."""
    code, _, notes = run("publish", "gull", "--image", "python:3")
    assert (code, "there is no token: create the Secret" in notes) == (1, True)
    assert f"{'3' * 16} was not sent" in notes


def a_head(namespace: str) -> dict[str, Any]:
    """Return what names the TweetBot."""
    bot = a_stored_bot(namespace=namespace)
    return {**bot, "metadata": {"name": "gull", "namespace": namespace}}


def list_own_pods(home: EmbeddedCluster, namespace: str) -> list[str]:
    """Return the Pods that the plugin started."""
    selector = "labelSelector=app.kubernetes.io%2Fmanaged-by%3Dkubectl-tweetbot"
    return [
        each["metadata"]["name"] for each in home.api.get(f"/api/v1/namespaces/{namespace}/pods?{selector}")["items"]
    ]


def write_kubeconfig(home: EmbeddedCluster, namespace: str, file: Path) -> Path:
    """Make a ServiceAccount without rights, and a kubeconfig with its token."""
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    home.api.create(accounts, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "eve"}})
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = home.api.create(f"{accounts}/eve/token", request)["status"]["token"]
    content = json.loads(home.kubectl("config", "view", "--raw", "-o", "json").stdout)
    content["users"] = [{"name": user["name"], "user": {"token": token}} for user in content["users"]]
    file.write_text(json.dumps(content))
    return file


def let_view(home: EmbeddedCluster, namespace: str) -> None:
    """Let eve read TweetBots, and nothing else."""
    home.kubectl("create", "role", "view", "--verb=get,list", "--resource=tweetbots.tweetbot.dev", "-n", namespace)
    home.kubectl("create", "rolebinding", "view", "--role=view", f"--serviceaccount={namespace}:eve", "-n", namespace)
