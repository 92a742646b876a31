"""`kubectl tweetbot doctor`: what it asks, what it shows, and what its exit code says."""

import json
from typing import Any

from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import Finished, a_condition, a_stored_bot, run_plugin, say_time

KEYS = {"AWS_ACCESS_KEY_ID": "eA==", "AWS_SECRET_ACCESS_KEY": "eA=="}


def a_secret(**data: str) -> dict[str, Any]:
    return {"kind": "Secret", "metadata": {"name": "s3", "namespace": "team-a"}, "data": data}


def a_whole_cluster(**spec: Any) -> FakeApi:
    """A cluster in which nothing is missing."""
    here = {"name": "tweetbot-operator", "namespace": "tweetbot-system"}
    labels = {"app.kubernetes.io/name": "tweetbot-operator", "app.kubernetes.io/component": "operator"}
    env = [{"name": "TWEETBOT_TRAINER_IMAGE", "value": "t:1"}]
    container = {"name": "operator", "image": "operator:1", "command": ["tweetbot-operator"], "env": env}
    deployment = {
        "kind": "Deployment",
        "metadata": {**here, "labels": labels},
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"readyReplicas": 1},
    }
    lease = {"holderIdentity": "pod-1", "leaseDurationSeconds": 15, "renewTime": say_time(3)}
    node = {"kind": "Node", "metadata": {"name": "gpu-1"}, "status": {"allocatable": {"nvidia.com/gpu": "1"}}}
    status = {"observedGeneration": 1, "phase": "Succeeded", "conditions": [a_condition("Ready", "True", "Succeeded")]}
    return FakeApi(
        deployment,
        {"kind": "Lease", "metadata": here, "spec": lease},
        node,
        a_secret(**KEYS),
        a_stored_bot(status=status, **spec),
    )


def diagnose(api: FakeApi, *words: str) -> tuple[int, dict[str, dict[str, str]]]:
    done = run_plugin(api, "doctor", *words, "-o", "json")
    return done.code, {check["what"]: check for check in json.loads(done.output)["checks"]}


def test_a_cluster_that_has_everything_is_well() -> None:
    code, checks = diagnose(a_whole_cluster(), "gull")
    assert {name: check["verdict"] for name, check in checks.items() if check["verdict"] != "ok"} == {}
    assert code == 0
    assert list(checks)[:3] == ["resource definition", "operator", "leader"]


def test_a_secret_without_a_key_fails_with_what_to_do() -> None:
    api = a_whole_cluster()
    api.add(a_secret(AWS_ACCESS_KEY_ID="eA=="))
    code, checks = diagnose(api, "gull")
    assert (code, checks["Secret s3"]["verdict"]) == (1, "failed")
    assert "AWS_SECRET_ACCESS_KEY" in checks["Secret s3"]["message"]


def test_a_tenant_who_may_read_little_sees_what_remains_unknown() -> None:
    api = a_whole_cluster()
    for verb, resource in (("list", "deployments"), ("get", "secrets"), ("list", "nodes"), ("list", "resourcequotas")):
        api.forbid(verb, resource)
    code, checks = diagnose(api, "gull")
    unknown = {name for name, check in checks.items() if check["verdict"] == "unknown"}
    assert unknown == {"operator", "Secret s3", "accelerator nvidia.com/gpu", "quota"}
    assert checks["right to get secrets"]["verdict"] == "warning"
    assert code == 0


def test_a_cluster_without_our_kinds_fails() -> None:
    api = a_whole_cluster()
    api.without_kind = True
    code, checks = diagnose(api)
    assert (code, checks["resource definition"]["verdict"]) == (1, "failed")


def test_a_tweetbot_that_is_not_there_fails() -> None:
    code, checks = diagnose(a_whole_cluster(), "heron")
    assert (code, checks["TweetBot heron"]["verdict"]) == (1, "failed")


def test_what_a_spec_names_is_looked_at() -> None:
    api = a_whole_cluster(serviceAccountName="trainer", scheduling={"queueName": "team-a"}, className="standard")
    _, checks = diagnose(api, "gull")
    for name in ("service account trainer", "queue team-a", "class standard"):
        assert checks[name]["verdict"] == "failed"


def test_rights_that_one_has_are_shown_only_if_asked_for() -> None:
    def show(*words: str) -> Finished:
        return run_plugin(a_whole_cluster(), "doctor", "gull", *words)

    assert "right to" not in show().output
    assert "right to create pods/portforward" in show("--all").output


def test_a_probe_lists_the_versions_from_a_pod_that_is_deleted() -> None:
    api = a_whole_cluster()

    def end(seconds: float) -> None:
        (path,) = (each for each in api.documents if "/pods/" in each)
        ended = {"name": "trainer", "state": {"terminated": {"exitCode": 0}}}
        api.documents[path]["status"] = {"phase": "Succeeded", "containerStatuses": [ended]}
        api.logs[path.rpartition("/")[2]] = ["{}"]

    done = run_plugin(api, "doctor", "gull", "--probe", "-o", "json", sleep=end)
    bucket = next(check for check in json.loads(done.output)["checks"] if check["what"] == "bucket")
    assert bucket["verdict"] == "ok"
    assert [verb for verb, path, _ in api.sent if "/pods" in path] == ["POST", "DELETE"]
    assert [path for path in api.documents if "/pods/" in path] == []
