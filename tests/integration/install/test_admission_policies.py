"""Each admission policy of the chart on a real API server: what it lets pass, and what it refuses."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders.manifests import a_manifest
from harness.helm import Helm
from harness.operator_process import until
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.kubernetes.api_server import ApiServer
from tweetbot_cluster.kubernetes.rights import ACCOUNT

OPEN: dict[str, Any] = {"uri": "s3://team-a/models", "kmsKeyId": "alias/gulls"}
S3: dict[str, Any] = {**OPEN, "credentialsSecret": {"name": "s3"}}
X: dict[str, Any] = {"handle": "gull", "tokenSecret": {"name": "x", "key": "token"}, "acceptTerms": True}
WANDB = {"wandb": {"apiKeySecret": {"name": "wandb", "key": "key"}}}
ARCHIVE = {"archive": {"uri": "s3://team-a/a.zip"}}
VALUES: dict[str, Any] = {
    "secrets": {"enabled": True},
    "serviceAccounts": {"enabled": True},
    "gpus": {"enabled": True, "maxCount": 0},
    "buckets": {
        "enabled": True,
        "prefixes": ["s3://{namespace}", "s3://models"],
        "shared": ["s3://bases"],
        "kmsKeys": ["alias/gulls"],
    },
    "sources": {"enabled": True, "kinds": ["archive", "x", "bluesky"]},
    "relations": {"enabled": True},
}
#: What every manifest has unless a case says otherwise; it passes all policies.
GOOD: dict[str, Any] = {
    "subject": {"handle": "gull", "relation": "Self"},
    "sources": [ARCHIVE],
    "output": {"s3": S3},
    "resources": {"gpu": {"count": 0}},
}
#: Policy, what is changed in a good manifest, what the refusal says; None: it passes.
CASES: dict[str, tuple[dict[str, Any], str | None]] = {
    "a good one": ({}, None),
    "a Secret that its author may not read": (
        {"output": {"s3": {**S3, "credentialsSecret": {"name": "others"}}}},
        "name only Secrets that you may get yourself in namespace team-a; you may not get all of these: others",
    ),
    "a key of W&B that its author may not read": ({"tracking": WANDB}, "you may not get all of these: s3, wandb"),
    "a token of X that its author may not read": ({"sources": [{"x": X}]}, "you may not get all of these: s3, x"),
    "no Secret at all": ({"output": {"s3": OPEN}}, None),
    "no key of the KMS": ({"output": {"s3": {"uri": "s3://team-a/models"}}}, "spec.output.s3.kmsKeyId: write one of"),
    "another key of the KMS": (
        {"output": {"s3": {**S3, "kmsKeyId": "alias/others"}}},
        "kmsKeyId: write one of",
    ),
    "an account that is not allowed": ({"serviceAccountName": "admin"}, "spec.serviceAccountName: leave it out"),
    "the trainers' account": ({"serviceAccountName": "tweetbot-trainer"}, None),
    "a GPU": ({"resources": {"gpu": {"count": 1}}}, "spec.resources.gpu.count: write at most 0"),
    "a foreign bucket": (
        {"output": {"s3": {**S3, "uri": "s3://team-b/models"}}},
        "spec.output.s3.uri: write s3://models",
    ),
    "a bucket whose name begins with ours": ({"output": {"s3": {**S3, "uri": "s3://team-abc"}}}, "spec.output.s3.uri"),
    "a shared bucket, where the operator adds the namespace": ({"output": {"s3": {**S3, "uri": "s3://models"}}}, None),
    "a foreign prefix in a shared bucket": (
        {"output": {"s3": {**S3, "uri": "s3://models/team-b"}}},
        "spec.output.s3.uri",
    ),
    "a foreign archive": ({"sources": [{"archive": {"uri": "s3://team-b/a.zip"}}]}, "not s3://team-b/a.zip"),
    "a foreign repository of Bluesky": ({"sources": [{"bluesky": {"car": "s3://team-b/a.car"}}]}, "not s3://team-b"),
    "a way out of the own prefix to read": (
        {"sources": [{"archive": {"uri": "s3://team-a/../team-b/a.zip"}}]},
        "without . and .. segments",
    ),
    "a way out of the own prefix to write": (
        {"output": {"s3": {**S3, "uri": "s3://models/team-a/.."}}},
        "without . and .. segments",
    ),
    "dots that lead nowhere": ({"sources": [{"archive": {"uri": "s3://team-a/..a/b../v1.2.zip"}}]}, None),
    "a shared base": ({"model": {"base": "s3://bases/gpt2"}}, None),
    "a foreign base": ({"model": {"base": "s3://models/team-b/gull/model"}}, "not s3://models/team-b"),
    "a kind of source that is not allowed": (
        {"sources": [{"mastodon": {"uri": "s3://team-a/outbox.json"}}]},
        "spec.sources: only these kinds are allowed here: archive, x, bluesky",
    ),
    "no word on the person": ({"subject": {"handle": "gull"}}, "spec.subject.relation: write one of Self, Consented"),
    "a consent that is nowhere": (
        {"subject": {"handle": "gull", "relation": "Consented"}},
        "spec.subject.consentRef: write where the consent is recorded",
    ),
    "a consent on record": ({"subject": {"handle": "gull", "relation": "Consented", "consentRef": "DOC-7"}}, None),
    "what no class limits": ({"model": {"base": "hf://gpt2-xl"}, "className": "other"}, None),
    "what the class allows": ({"model": {"base": "hf://owner/small"}, "className": "strict"}, None),
    "a base that the class does not allow": (
        {"model": {"base": "hf://gpt2-xl"}, "className": "strict"},
        "spec.model.base: TweetBotClass strict allows hf://gpt2, hf://owner/*",
    ),
    "a source that the class does not allow": (
        {"sources": [{"bluesky": {"actor": "gull.example.com"}}], "className": "strict"},
        "spec.sources: TweetBotClass strict allows archive",
    ),
    "a relation that the class does not allow": (
        {"subject": {"handle": "gull", "relation": "Fictional"}, "className": "strict"},
        "spec.subject.relation: TweetBotClass strict allows Self",
    ),
    "a bucket that the class does not allow": (
        {"output": {"s3": {**S3, "uri": "s3://models"}}, "className": "strict"},
        "spec.output.s3.uri: TweetBotClass strict allows s3://team-a",
    ),
    "more time than the class allows": (
        {"run": {"activeDeadlineSeconds": 7200}, "className": "strict"},
        "spec.run.activeDeadlineSeconds: TweetBotClass strict allows at most 3600",
    ),
    "what the default class does not allow": (
        {"run": {"activeDeadlineSeconds": 100000}},
        "spec.run.activeDeadlineSeconds: TweetBotClass standard allows at most 86400",
    ),
    "what only the class can say": ({"output": None, "className": "strict"}, None),
}
CLASSES: dict[str, dict[str, Any]] = {
    "strict": {
        "bases": ["hf://gpt2", "hf://owner/*"],
        "sources": ["archive"],
        "relations": ["Self"],
        "buckets": ["s3://{namespace}"],
        "maxActiveDeadlineSeconds": 3600,
    },
    "standard": {"maxActiveDeadlineSeconds": 86400},
}
#: The policies on TweetBots leave team-41 alone, which has a class.
OTHERS = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["team-41"]}]}
DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCluster]:
    """An API server with the chart's objects and a person who may edit TweetBots and read one Secret in team-a."""
    folder = tmp_path_factory.mktemp("policies")
    with EmbeddedCluster(folder, parts=("etcd", "kube-apiserver")) as cluster:
        ann = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "ann"}
        tenants = [{"namespace": "team-a", "subjects": [ann]}]
        policies = {**VALUES, "namespaceSelector": OTHERS}
        values = {"admissionPolicies": policies, "tenants": tenants, "tests": {"enabled": False}}
        objects = Helm(folder / "helm").render(values=values)
        cluster.kubectl("create", "namespace", "tweetbot-system")
        cluster.kubectl("create", "namespace", "team-a")
        cluster.kubectl("apply", "--server-side", "-f", "-", input=yaml.safe_dump_all(objects))
        in_team = ("-n", "team-a")
        cluster.kubectl("create", "role", "key", "--verb=get", "--resource=secrets", "--resource-name=s3", *in_team)
        cluster.kubectl("create", "rolebinding", "key", "--role=key", "--user=ann", *in_team)
        cluster.kubectl("wait", "--for=condition=Established", "crd/tweetbots.tweetbot.dev", "--timeout=120s")
        cluster.kubectl("wait", "--for=condition=Established", "crd/tweetbotclasses.tweetbot.dev", "--timeout=120s")
        cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(a_class(*each) for each in CLASSES.items()))
        await_policies(cluster)
        yield cluster


def a_class(name: str, limits: dict[str, Any]) -> dict[str, Any]:
    head = {"apiVersion": "tweetbot.dev/v1alpha1", "kind": "TweetBotClass"}
    default = {"annotations": {"tweetbot.dev/is-default-class": "true"}} if name == "standard" else {}
    return {**head, "metadata": {"name": name, **default}, "spec": {"limits": limits}}


def await_policies(cluster: EmbeddedCluster) -> None:
    """A policy holds a moment after it is stored; the server names the first alone that refuses."""
    refused = [spec for spec, refusal in CASES.values() if refusal]
    until(lambda: all(refusal_of(cluster, spec) for spec in refused), 120)


def refusal_of(cluster: EmbeddedCluster, spec: dict[str, Any]) -> str:
    """Return what Ann hears who would create a TweetBot; nothing if she may."""
    manifest = {**a_manifest(**{**GOOD, **spec}), "metadata": {"name": "gull", "namespace": "team-a"}}
    manifest["spec"] = {field: value for field, value in manifest["spec"].items() if value is not None}
    ann = ApiServer(cluster.kubeconfig, played="ann")
    return ann.refusal("/apis/tweetbot.dev/v1alpha1/namespaces/team-a/tweetbots", manifest)


@pytest.mark.parametrize("case", CASES)
def test_a_manifest_passes_or_is_refused_with_a_word_on_what_to_write(server: EmbeddedCluster, case: str) -> None:
    spec, refusal = CASES[case]
    told = refusal_of(server, spec)
    assert (told == "") == (refusal is None), told
    assert refusal is None or refusal in told


def test_what_leaves_the_spec_alone_is_nobodys_concern(server: EmbeddedCluster) -> None:
    """The operator sets finalizer and status without any right to Secrets; so may people set labels."""
    manifest = a_manifest(**{**GOOD, "output": {"s3": {**S3, "credentialsSecret": {"name": "others"}}}})
    manifest["metadata"] = {"name": "tern", "namespace": "team-a"}
    server.kubectl("apply", "-f", "-", input=json.dumps(manifest))
    operator = f"--as={ACCOUNT}"
    patch = ("patch", "tweetbot", "tern", "-n", "team-a", "--type=merge", "-p")
    server.kubectl(*patch, '{"metadata":{"finalizers":["tweetbot.dev/erase"]}}', operator)
    # kubectl reads what it patches; the operator does not
    server.kubectl("create", "clusterrole", "kubectl", "--verb=get", "--resource=tweetbots/status")
    server.kubectl("create", "clusterrolebinding", "kubectl", "--clusterrole=kubectl", f"--user={ACCOUNT}")
    server.kubectl(*patch, '{"status":{"phase":"Preparing"}}', "--subresource=status", operator)
    server.kubectl(*patch, '{"metadata":{"finalizers":null,"labels":{"a":"b"}}}', "--as=ann")
    refused = server.kubectl(*patch, '{"spec":{"suspend":true}}', "--as=ann", check=False)
    assert "you may not get all of these: others" in refused.stderr


def test_editors_may_not_write_a_status(server: EmbeddedCluster) -> None:
    """A program that serves the model trusts the status that names it."""
    for verb in ("get", "create", "update", "patch", "delete"):
        asked = ("auth", "can-i", verb, "tweetbots", "-n", "team-a", "--as=ann")
        assert server.kubectl(*asked).stdout.strip() == "yes"
    for verb in ("update", "patch"):
        write = ("auth", "can-i", verb, "tweetbots", "--subresource=status", "-n", "team-a", "--as=ann")
        assert server.kubectl(*write, check=False).stdout.strip() == "no"


def test_a_tenant_reads_the_events_pods_and_logs_of_their_namespace_and_nothing_else(server: EmbeddedCluster) -> None:
    ann = ("-n", "team-a", "--as=ann")
    manifest = {**a_manifest(**GOOD), "metadata": {"name": "auk", "namespace": "team-a"}}
    server.kubectl("apply", "-f", "-", input=json.dumps(manifest))
    uid = server.kubectl("get", "tweetbot", "auk", *ann, "-o", "jsonpath={.metadata.uid}").stdout
    for each in (an_event("auk", uid), a_pod("auk")):
        server.kubectl("apply", "-f", "-", input=json.dumps(each))
    assert "StorageUnavailable" in server.kubectl("describe", "tb", "auk", *ann).stdout.partition("Events:")[2]
    assert "StorageUnavailable" in server.kubectl("events", "--for=tweetbot/auk", *ann).stdout
    server.kubectl("get", "pods,jobs,events.events.k8s.io", *ann)
    server.kubectl("logs", "auk", *ann)  # empty, as no node runs the Pod; a person without the right hears Forbidden
    for place, who, verb in (("team-b", "ann", "get"), ("team-a", "ben", "get"), ("team-a", "ann", "delete")):
        asked = ("auth", "can-i", verb, "pods/log" if verb == "get" else "pods", "-n", place, f"--as={who}")
        assert server.kubectl(*asked, check=False).stdout.strip() == "no"


def test_the_commands_that_onboard_a_team_work_as_written(server: EmbeddedCluster, tmp_path: Path) -> None:
    ca = tmp_path / "ca.crt"
    ca.write_text("a certificate")
    page = (DOCS / "onboarding.md").read_text(encoding="utf-8")
    blocks = re.findall(r"<!-- a test runs this block -->\n```sh\n(.*?)```", page, flags=re.DOTALL)
    commands = "".join(blocks).replace("=ca.crt", f"={ca}").replace("\\\n", " ").splitlines()
    answers = [server.kubectl(*shlex.split(command)[1:]).stdout for command in commands]
    assert answers[-3].strip() == "yes"
    assert "standard   true" in answers[-2]
    assert "gull created (server dry run)" in answers[-1]
    for may_not in (["create", "tweetbotclasses"], ["get", "secrets/others", "-n", "team-41"]):
        asked = server.kubectl("auth", "can-i", *may_not, "--as=somebody", "--as-group=team-41", check=False)
        assert asked.stdout.strip() == "no"


def test_the_policy_on_names_of_classes_that_the_page_shows_does_what_it_says(server: EmbeddedCluster) -> None:
    page = (DOCS / "classes.md").read_text(encoding="utf-8").partition("## Which class a team may name")[2]
    (policy,) = re.findall(r"```yaml\n(.*?)```", page.partition("\n## ")[0], flags=re.DOTALL)
    named = {"className": "strict"}
    server.kubectl("apply", "-f", "-", input=policy)
    until(lambda: "spec.className: leave it out, or write" in refusal_of(server, named), 120)
    assert refusal_of(server, {}) == ""
    note = ("annotate", "namespace", "team-a", "--overwrite")
    server.kubectl(*note, "example.com/tweetbot-classes=standard,strict")
    until(lambda: refusal_of(server, named) == "", 120)
    server.kubectl(*note, "example.com/tweetbot-classes-")
    server.kubectl("delete", "-f", "-", input=policy)
    until(lambda: refusal_of(server, named) == "", 120)


def an_event(name: str, uid: str) -> dict[str, Any]:
    """Return an Event of a TweetBot as the operator posts them."""
    about = {"apiVersion": "tweetbot.dev/v1alpha1", "kind": "TweetBot", "namespace": "team-a", "name": name, "uid": uid}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.1", "namespace": "team-a"},
        "involvedObject": about,
        "type": "Warning",
        "reason": "StorageUnavailable",
        "message": "S3 does not answer.",
        "source": {"component": "tweetbot-operator"},
    }


def a_pod(name: str) -> dict[str, Any]:
    """Return a Pod that no node takes."""
    container = {"name": "trainer", "image": "trainer"}
    metadata = {"name": name, "namespace": "team-a"}
    spec = {"containers": [container], "serviceAccountName": "tweetbot-trainer"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
