"""A stolen token of the operator, on a real API server: its account creates the operator's Jobs, and nothing else."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml

from builders.manifests import a_manifest
from builders.operator import a_bot, a_bot_in, a_run
from harness.helm import Helm
from harness.operator_process import until
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.kubernetes.api_server import ApiError, ApiServer
from tweetbot_cluster.kubernetes.rights import ACCOUNT
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.status.tasks import ForgetStatus, PinStatus
from tweetbot_operator.jobs.cleanup import build_cleanup_job, build_forget_job, build_pin_job
from tweetbot_operator.jobs.job import build_job
from tweetbot_operator.settings import OperatorSettings

Manifest = dict[str, Any]
SETTINGS = OperatorSettings(allowed_networks="10.0.0.0/8", kueue_version="v1beta2")
BOTS_PATH, MERGE = "/apis/tweetbot.dev/v1alpha1/namespaces/team-b/tweetbots", "application/merge-patch+json"
SECRET_KEY = {"name": "key", "key": "key"}
EVERYTHING: Manifest = {
    "sources": [{"x": {"handle": "gull", "tokenSecret": SECRET_KEY, "acceptTerms": True}}],
    "model": {"base": "pvc://models/gpt2"},
    "tracking": {"wandb": {"apiKeySecret": SECRET_KEY}},
    "caBundle": {"name": "ca", "key": "ca.crt"},
    "resources": {"gpu": {"resource": "amd.com/gpu"}, "cpu": 0.5, "memory": 2**34},
    "serviceAccountName": "tweetbot-trainer",
    "scheduling": {
        "queueName": "gpus",
        "workloadPriorityClassName": "batch",
        "priorityClassName": "low",
        "runtimeClassName": "nvidia",
        "nodeSelector": {"gpu": "a10"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "affinity": {"required": [{"matchExpressions": [{"key": "zone", "operator": "Exists"}]}]},
        "prepare": {"nodeSelector": {"pool": "cpu"}, "tolerations": [{"key": "batch", "operator": "Exists"}]},
    },
}
BOTS: dict[str, TweetBot] = {
    "prepare": a_bot_in("Prepare"),
    "train": a_bot_in("Train"),
    "everything, prepare": a_bot_in("Prepare", **EVERYTHING),
    "everything, train": a_bot_in("Train", **EVERYTHING),
    "a training that avoids nodes": a_bot_in("Train", run_fields={"avoided_nodes": ("gpu-1.example.com", "gpu-2")}),
    "an archive of a CPU": a_bot_in("Train", resources={"gpu": {"count": 0}}, output={"s3": {"uri": "s3://a-b-c/m"}}),
}


def a_job(name: str = "train") -> Manifest:
    bot = BOTS[name]
    job = build_job(bot, bot.status.current_run or a_run(bot), SETTINGS)
    job["metadata"]["namespace"] = "team-a"
    return job


def a_cleanup(**spec: Any) -> Manifest:
    return in_team(build_cleanup_job(a_bot(deletionPolicy="Delete", **spec), SETTINGS))


def in_team(job: Manifest) -> Manifest:
    job["metadata"]["namespace"] = "team-a"
    return job


PIN = PinStatus(version="1" * 16, requested_at="2026-01-01T12:00:00Z", generation=1)
FORGET = ForgetStatus(request="now", requested_at="2026-01-01T12:00:00Z", started_at="2026-01-01T12:01:00Z")


REAL: dict[str, Manifest] = {
    **{name: a_job(name) for name in BOTS},
    "cleanup": a_cleanup(),
    "cleanup of everything": a_cleanup(**EVERYTHING),
    "pin": in_team(build_pin_job(a_bot(), PIN, SETTINGS)),
    "forget everything": in_team(build_forget_job(a_bot(**EVERYTHING), FORGET, SETTINGS)),
}


def pod_of(job: Manifest) -> Manifest:
    found: Manifest = job["spec"]["template"]["spec"]
    return found


def container_of(job: Manifest) -> Manifest:
    found: Manifest = pod_of(job)["containers"][0]
    return found


def in_pod(**fields: Any) -> Callable[[Manifest], None]:
    return lambda job: pod_of(job).update(fields)


def in_container(**fields: Any) -> Callable[[Manifest], None]:
    return lambda job: container_of(job).update(fields)


def in_security(**fields: Any) -> Callable[[Manifest], None]:
    return lambda job: container_of(job)["securityContext"].update(fields)


def in_pod_security(**fields: Any) -> Callable[[Manifest], None]:
    return lambda job: pod_of(job)["securityContext"].update(fields)


def in_metadata(**fields: Any) -> Callable[[Manifest], None]:
    return lambda job: job["metadata"].update(fields)


def with_volume(**source: Any) -> Callable[[Manifest], None]:
    return lambda job: pod_of(job)["volumes"].append({"name": "stolen", **source})


def with_variable(**variable: Any) -> Callable[[Manifest], None]:
    return lambda job: container_of(job)["env"].append(variable)


def with_mount(**mount: Any) -> Callable[[Manifest], None]:
    return lambda job: container_of(job)["volumeMounts"].append({"name": "work", **mount})


def label_it_otherwise(job: Manifest) -> None:
    for labels in (job["metadata"]["labels"], job["spec"]["template"]["metadata"]["labels"]):
        labels["app.kubernetes.io/managed-by"] = "Helm"


def own_it_otherwise(**fields: Any) -> Callable[[Manifest], None]:
    return lambda job: job["metadata"]["ownerReferences"][0].update(fields)


A_PROBE = {"exec": {"command": ["sh"]}}
A_CONTAINER = {"name": "more", "image": "tweetbot-trainer:0.1.0"}
FORM, SECURITY, MOUNTS = "one container", "restricted Pod Security Standard", "mounts scratch space"
NODE, COMMAND, ENV, OWNER = "nothing of its node", "runs tweetbot-trainer with its stage", "trainer's variables", "owns"
LABELS = "carries its labels"
#: What a thief changes in a Job of ours, and a part of what the API server answers.
THEFTS: dict[str, tuple[Callable[[Manifest], None], str]] = {
    "kube-system": (in_metadata(namespace="kube-system"), "may create no Job in namespace kube-system"),
    "the operator's namespace": (in_metadata(namespace="tweetbot-system"), "no Job in namespace tweetbot-system"),
    "other labels": (in_metadata(labels={"app": "miner"}), LABELS),
    "labels of others": (label_it_otherwise, LABELS),
    "a Pod without labels": (lambda job: job["spec"]["template"]["metadata"].pop("labels"), LABELS),
    "no owner": (in_metadata(ownerReferences=[]), OWNER),
    "an owner of another kind": (own_it_otherwise(kind="Deployment", apiVersion="apps/v1"), OWNER),
    "an owner of another name": (own_it_otherwise(name="tern"), OWNER),
    "an owner of another uid": (own_it_otherwise(uid="uid-of-tern"), OWNER),
    "an owner that does not control it": (own_it_otherwise(controller=False), OWNER),
    "another image": (in_container(image="evil.example.com/miner:1"), "the image is evil.example.com/miner:1, not"),
    "an image of a like name": (in_container(image="tweetbot-trainer.evil.example.com/x:1"), "the image is"),
    "a shell": (in_container(command=["sh", "-c", "id"]), COMMAND),
    "another subcommand": (in_container(command=["tweetbot-trainer", "forget"]), COMMAND),
    "arguments": (in_container(args=["--help"]), COMMAND),
    "a hook": (in_container(lifecycle={"preStop": A_PROBE}), COMMAND),
    "a probe": (in_container(livenessProbe=A_PROBE), COMMAND),
    "a second container": (lambda job: pod_of(job)["containers"].append(A_CONTAINER), FORM),
    "an init container": (in_pod(initContainers=[A_CONTAINER]), FORM),
    "many Pods": (lambda job: job["spec"].update(parallelism=50, completions=50), FORM),
    "privileges": (in_security(privileged=True, allowPrivilegeEscalation=True), SECURITY),
    "an escalation": (in_security(allowPrivilegeEscalation=True), SECURITY),
    "a capability": (in_security(capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}), SECURITY),
    "capabilities that are kept": (in_security(capabilities={}), SECURITY),
    "a root that can be written": (in_security(readOnlyRootFilesystem=False), SECURITY),
    "root in the container": (in_security(runAsUser=0), SECURITY),
    "no security context": (in_container(securityContext={}), SECURITY),
    "root in the Pod": (in_pod_security(runAsUser=0), SECURITY),
    "perhaps root": (in_pod_security(runAsNonRoot=False), SECURITY),
    "no seccomp": (in_pod_security(seccompProfile={"type": "Unconfined"}), SECURITY),
    "no seccomp in the container": (in_security(seccompProfile={"type": "Unconfined"}), SECURITY),
    "a sysctl": (in_pod_security(sysctls=[{"name": "net.ipv4.ip_forward", "value": "1"}]), SECURITY),
    "SELinux options": (in_security(seLinuxOptions={"type": "spc_t"}), SECURITY),
    "the node's network": (in_pod(hostNetwork=True), NODE),
    "the node's processes": (in_pod(hostPID=True), NODE),
    "the node's memory": (in_pod(hostIPC=True), NODE),
    "a port of the node": (in_container(ports=[{"containerPort": 8765, "hostPort": 8765}]), NODE),
    "a node past the scheduler": (in_pod(nodeName="control-plane"), NODE),
    "names of its own": (in_pod(hostAliases=[{"ip": "10.0.0.1", "hostnames": ["s3.example.com"]}]), NODE),
    "a system's priority": (in_pod(priorityClassName="system-node-critical"), NODE),
    "a folder of the node": (with_volume(hostPath={"path": "/"}), MOUNTS),
    "a token": (
        with_volume(projected={"sources": [{"serviceAccountToken": {"path": "token"}}]}),
        MOUNTS,
    ),
    "a token among Secrets": (
        with_volume(projected={"sources": [{"secret": {"name": "s3"}}, {"serviceAccountToken": {"path": "token"}}]}),
        MOUNTS,
    ),
    "a token of the Pod's own": (in_pod(automountServiceAccountToken=True), "mounts no token"),
    "a Secret as a whole": (with_volume(secret={"secretName": "admin"}), MOUNTS),
    "a claim to write to": (with_volume(persistentVolumeClaim={"claimName": "models"}), MOUNTS),
    "a volume of the network": (with_volume(nfs={"server": "10.0.0.1", "path": "/"}), MOUNTS),
    "a volume over the program": (with_mount(mountPath="/usr/local/bin"), MOUNTS),
    "a part of a volume": (lambda job: container_of(job)["volumeMounts"][0].update(subPath="x"), MOUNTS),
    "Secrets as variables": (in_container(envFrom=[{"secretRef": {"name": "admin"}}]), ENV),
    "a Secret as a variable": (
        with_variable(name="TWEETBOT_X", valueFrom={"secretKeyRef": {"name": "admin", "key": "k"}}),
        ENV,
    ),
    "a library to load": (with_variable(name="LD_PRELOAD", value="/work/evil.so"), ENV),
    "a module to load": (with_variable(name="PYTHONPATH", value="/work"), ENV),
    "an account that reads Secrets": (in_pod(serviceAccountName="admin"), "service account admin may read Secrets"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCluster]:
    """An API server with the chart's objects by default, and in team-a an account that may do what admins may."""
    folder, flags = tmp_path_factory.mktemp("theft"), {"kube-apiserver": {"allow-privileged": "true"}}
    with EmbeddedCluster(folder, parts=("etcd", "kube-apiserver"), flags=flags) as cluster:
        for namespace in ("tweetbot-system", "team-a", "team-b"):
            cluster.kubectl("create", "namespace", namespace)
        objects = Helm(folder / "helm").render(values={"tests": {"enabled": False}})
        cluster.kubectl("apply", "--server-side", "-f", "-", input=yaml.safe_dump_all(objects))
        for account in ("admin", "tweetbot-trainer"):
            cluster.kubectl("create", "serviceaccount", account, "-n", "team-a")
        cluster.kubectl("create", "role", "admin", "--verb=list", "--resource=secrets", "-n", "team-a")
        bound = ("--role=admin", "--serviceaccount=team-a:admin", "-n", "team-a")
        cluster.kubectl("create", "rolebinding", "admin", *bound)
        cluster.kubectl("wait", "--for=condition=Established", "crd/tweetbots.tweetbot.dev", "--timeout=120s")
        await_policies(cluster)
        yield cluster


def await_policies(cluster: EmbeddedCluster) -> None:
    """A policy holds a moment after it is stored."""
    job, bot = create(cluster, REAL["train"], "awaited", "kube-system"), f"{BOTS_PATH}/awaited"
    cluster.api.apply(bot, {**a_manifest(), "metadata": {"name": "awaited"}})
    thief = ApiServer(cluster.kubeconfig, played=ACCOUNT)
    until(lambda: refusal_of(cluster, THEFTS["a shell"][0]) != "", 120)
    until(lambda: is_refused(thief, "DELETE", job, b"{}", "application/json"), 120)
    until(lambda: is_refused(thief, "PATCH", bot, b'{"spec":{"suspend":true}}', MERGE), 120)


def is_refused(thief: ApiServer, method: str, path: str, body: bytes, content_type: str) -> bool:
    try:
        thief.request(method, f"{path}?dryRun=All", body, content_type)
    except ApiError:
        return True
    return False


@pytest.fixture
def thief(server: EmbeddedCluster) -> ApiServer:
    """Who acts with the operator's token."""
    return ApiServer(server.kubeconfig, played=ACCOUNT)


def refusal_of(cluster: EmbeddedCluster, change: Callable[[Manifest], Any], _words: str = "") -> str:
    """Return what the operator's account hears that would create a Job with a change; nothing if it may."""
    job = deepcopy(REAL["train"])
    change(job)
    namespace = job["metadata"]["namespace"]
    return ApiServer(cluster.kubeconfig, played=ACCOUNT).refusal(f"/apis/batch/v1/namespaces/{namespace}/jobs", job)


@pytest.mark.parametrize("name", REAL)
def test_every_job_of_the_operator_passes(thief: ApiServer, name: str) -> None:
    assert thief.refusal("/apis/batch/v1/namespaces/team-a/jobs", REAL[name]) == ""


@pytest.mark.parametrize("theft", THEFTS)
def test_no_other_job_does(server: EmbeddedCluster, theft: str) -> None:
    change, words = THEFTS[theft]
    refusal = refusal_of(server, change)
    assert words in refusal
    assert "ValidatingAdmissionPolicy" in refusal


def test_the_policy_binds_nobody_else(server: EmbeddedCluster) -> None:
    job = deepcopy(REAL["train"])
    container_of(job)["command"] = ["sh"]
    assert server.api.refusal("/apis/batch/v1/namespaces/kube-system/jobs", {**job, "metadata": {"name": "x"}}) == ""


def create(server: EmbeddedCluster, job: Manifest, name: str, namespace: str = "team-a") -> str:
    """Create a Job as an administrator; answers its path."""
    server.api.create(
        f"/apis/batch/v1/namespaces/{namespace}/jobs",
        {**job, "metadata": {**job["metadata"], "name": name, "namespace": namespace}},
    )
    return f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}"


def test_it_deletes_its_own_jobs_and_no_others(server: EmbeddedCluster, thief: ApiServer) -> None:
    ours, others = deepcopy(REAL["train"]), deepcopy(REAL["train"])
    label_it_otherwise(others)
    thief.delete(create(server, ours, "ours"))
    for path in (create(server, others, "others"), create(server, ours, "ours", "kube-system")):
        with pytest.raises(ApiError, match="the operator deletes no Job but its own"):
            thief.delete(path)


def test_it_changes_no_job_even_if_somebody_lets_it(server: EmbeddedCluster, thief: ApiServer) -> None:
    path = create(server, REAL["train"], "changed")
    server.kubectl("create", "role", "more", "--verb=patch,update", "--resource=jobs", "-n", "team-a")
    server.kubectl("create", "rolebinding", "more", "--role=more", f"--user={ACCOUNT}", "-n", "team-a")
    with pytest.raises(ApiError, match="the operator changes no Job"):
        thief.request("PATCH", path, b'{"spec":{"suspend":true}}', MERGE)


FINALIZER = {"finalizers": ["tweetbot.dev/erase"]}
EDITS: dict[str, tuple[Manifest, bool]] = {
    "its finalizer": ({"metadata": FINALIZER}, True),
    "no finalizer any more": ({"metadata": {"finalizers": None}}, True),
    "somebody else's finalizer": ({"metadata": {"finalizers": ["example.com/stay"]}}, False),
    "where credentials go": ({"spec": {"tracking": {"wandb": {"baseURL": "https://evil.example.com"}}}}, False),
    "whose account it runs as": ({"spec": {"serviceAccountName": "admin"}}, False),
    "a run": ({"metadata": {"annotations": {"tweetbot.dev/retrain-at": "now"}}}, False),
    "a label": ({"metadata": {"labels": {"team": "evil"}}}, False),
    "an owner, so that it is collected": (
        {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "x"}]}},
        False,
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_of_a_tweetbot_it_changes_its_finalizer_alone(server: EmbeddedCluster, thief: ApiServer, edit: str) -> None:
    path = f"{BOTS_PATH}/gull"
    server.api.apply(path, {**a_manifest(), "metadata": {"name": "gull"}})
    change, allowed = EDITS[edit]
    patch = ("PATCH", f"{path}?dryRun=All", json.dumps(change).encode(), MERGE)
    if allowed:
        thief.request(*patch)
    else:
        with pytest.raises(ApiError, match="sets and removes its own finalizer, and changes nothing else"):
            thief.request(*patch)
