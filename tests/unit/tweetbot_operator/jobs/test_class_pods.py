"""What a TweetBotClass gives to Pods, and what it cannot change."""

from dataclasses import replace
from typing import Any

import pytest

from builders.operator import SETTINGS, a_bot_in, a_class, a_run
from tweetbot_contract.handover import CA_BUNDLE_ENV, MANAGED_BY, MANAGED_BY_LABEL, RUN_ENV
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.platform_class.run_class import RunClass
from tweetbot_contract.status.tasks import PinStatus
from tweetbot_operator.jobs.cleanup import build_cleanup_job, build_pin_job
from tweetbot_operator.jobs.job import build_job, find_mutations, restore_job

EVERYTHING: dict[str, Any] = {
    "labels": {"sidecar.istio.io/inject": "false", "team": "a", MANAGED_BY_LABEL: "somebody"},
    "annotations": {"cost": "a", "kubectl.kubernetes.io/default-container": "other"},
    "env": [{"name": "MOOD", "value": "calm"}, {"name": RUN_ENV, "value": "{}"}],
    "envFrom": [{"configMapName": "common"}, {"secretName": "keys", "optional": True}],
    "proxy": {"http": "http://proxy:3128", "https": "http://proxy:3128", "bypass": [".svc", "10.0.0.0/8"]},
    "hubEndpoint": "https://hub.example.com",
    "imagePullPolicy": "Always",
    "imagePullSecrets": [{"name": "registry"}],
    "tolerations": [{"key": "team", "operator": "Exists"}],
    "securityContext": {"runAsUser": 1000, "supplementalGroups": [7]},
    "caBundle": {"name": "company"},
}


def a_bot_with(pods: dict[str, Any], **changes: Any) -> TweetBot:
    assert a_class(pods=pods).error == ""
    run_class = RunClass(name="standard", generation=1, spec={"pods": pods})
    return replace(a_bot_in("Train", **changes), run_class=run_class)


def the_job(bot: TweetBot) -> dict[str, Any]:
    return build_job(bot, bot.status.current_run or a_run(bot), SETTINGS)


def the_pod(job: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = job["spec"]["template"]["spec"]
    return pod


def env(job: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each.get("value") for each in the_pod(job)["containers"][0]["env"]}


def test_every_pod_gets_what_the_class_gives() -> None:
    job = the_job(a_bot_with(EVERYTHING, scheduling={"tolerations": [{"key": "gpu", "operator": "Exists"}]}))
    template, pod = job["spec"]["template"], the_pod(job)
    container = pod["containers"][0]
    for labels in (job["metadata"]["labels"], template["metadata"]["labels"]):
        assert (labels["sidecar.istio.io/inject"], labels["team"]) == ("false", "a")
    assert template["metadata"]["annotations"]["cost"] == "a"
    assert env(job)["MOOD"] == "calm"
    for name in ("HTTPS_PROXY", "https_proxy"):
        assert env(job)[name] == "http://proxy:3128"
    assert env(job)["no_proxy"] == ".svc,10.0.0.0/8"
    assert env(job)["HF_ENDPOINT"] == "https://hub.example.com"
    assert container["envFrom"] == [
        {"configMapRef": {"name": "common"}},
        {"secretRef": {"name": "keys", "optional": True}},
    ]
    assert (container["imagePullPolicy"], pod["imagePullSecrets"]) == ("Always", [{"name": "registry"}])
    assert [each["key"] for each in pod["tolerations"]] == ["gpu", "team"]
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["supplementalGroups"]) == (1000, [7])
    assert pod["volumes"][-1]["configMap"]["name"] == "company"
    assert env(job)[CA_BUNDLE_ENV] == "/var/run/tweetbot/class-ca/ca.crt"


def test_what_the_operator_sets_itself_stays() -> None:
    plain, job = the_job(a_bot_in("Train")), the_job(a_bot_with(EVERYTHING))
    assert job["metadata"]["labels"][MANAGED_BY_LABEL] == MANAGED_BY
    annotations = job["spec"]["template"]["metadata"]["annotations"]
    assert annotations["kubectl.kubernetes.io/default-container"] == "trainer"
    assert env(job)[RUN_ENV] == env(plain)[RUN_ENV]
    assert find_mutations(restore_job(job), job) == ()


def test_pods_stay_restricted_whatever_the_class_gives() -> None:
    pod = the_pod(the_job(a_bot_with(EVERYTHING)))
    security, container = pod["securityContext"], pod["containers"][0]["securityContext"]
    assert (security["runAsNonRoot"], security["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
    assert container["readOnlyRootFilesystem"]
    assert container["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(
    ("pods", "field"),
    [
        ({"securityContext": {"runAsUser": 0}}, "spec.pods.securityContext.runAsUser"),
        ({"env": [{"name": "a b"}]}, "spec.pods.env.0.name"),
        ({"envFrom": [{}]}, "spec.pods.envFrom.0"),
        ({"proxy": {"https": "proxy:3128"}}, "spec.pods.proxy.https"),
        ({"hubEndpoint": "hub"}, "spec.pods.hubEndpoint"),
    ],
)
def test_what_no_pod_may_have_is_refused_by_its_field(pods: dict[str, Any], field: str) -> None:
    assert a_class(pods=pods).error.startswith(f"{field}: ")


def test_the_cas_of_tweetbot_and_class_are_both_trusted() -> None:
    job = the_job(a_bot_with({"caBundle": {"name": "company"}}, caBundle={"name": "team"}))
    assert env(job)[CA_BUNDLE_ENV] == "/var/run/tweetbot/ca/ca.crt:/var/run/tweetbot/class-ca/ca.crt"


def test_the_jobs_beside_the_stages_get_it_too() -> None:
    bot = a_bot_with(EVERYTHING)
    pin = PinStatus(version="", requested_at="2026-01-01T12:00:00Z", generation=1)
    for job in (build_cleanup_job(bot, SETTINGS), build_pin_job(bot, pin, SETTINGS)):
        assert env(job)["HTTPS_PROXY"] == "http://proxy:3128"
        assert job["metadata"]["labels"]["team"] == "a"
