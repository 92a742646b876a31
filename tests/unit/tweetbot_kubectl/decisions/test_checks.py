from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builders.manifests import A_HUB, a_manifest
from tweetbot_contract.manifest import TweetBot, parse
from tweetbot_fakes.plugin import RUN, a_run
from tweetbot_kubectl.decisions.checks.check import Found
from tweetbot_kubectl.decisions.checks.platform import (
    RIGHTS,
    Right,
    check_api,
    check_lease,
    check_operator,
    check_right,
    choose_operators,
)
from tweetbot_kubectl.decisions.checks.room import check_limit_ranges, check_quota
from tweetbot_kubectl.decisions.checks.tenant import (
    check_class,
    check_gpu,
    check_progress,
    check_queue,
    check_reason,
    check_secret,
    check_service_account,
    list_secrets,
)

NOW = datetime(2026, 12, 1, tzinfo=UTC)
MISSING, FORBIDDEN = Found(problem="missing"), Found(problem="forbidden")


def a_bot(status: dict[str, Any] | None = None, **spec: Any) -> TweetBot:
    return parse({**a_manifest(**spec), "status": status or {}}, stored=True)


def a_list(*items: dict[str, Any]) -> Found:
    return Found({"items": list(items)})


def test_an_api_server_without_our_kinds_fails_with_what_to_install() -> None:
    served = Found({"resources": [{"name": "tweetbots"}, {"name": "tweetbots/status"}]})
    assert check_api(served).verdict == "ok"
    found = check_api(MISSING)
    assert (found.verdict, "chart" in found.advice) == ("failed", True)
    assert check_api(Found({"resources": [{"name": "tweetbotclasses"}]})).verdict == "failed"


def a_deployment(ready: int, watched: str = "") -> dict[str, Any]:
    env = [{"name": "TWEETBOT_NAMESPACES", "value": watched}] if watched else []
    container = {"name": "operator", "image": "tweetbot-operator:0.1.0", "command": ["tweetbot-operator"], "env": env}
    return {
        "metadata": {"name": "tweetbot-operator", "namespace": "tweetbot-system"},
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"readyReplicas": ready} if ready else {},
    }


def test_an_operator_without_a_ready_pod_fails_and_one_that_may_not_be_read_is_unknown() -> None:
    assert check_operator(a_list(a_deployment(1)), acting=False).message == (
        "tweetbot-system/tweetbot-operator has 1 ready Pod of tweetbot-operator:0.1.0."
    )
    assert check_operator(a_list(a_deployment(0)), acting=False).verdict == "failed"
    assert check_operator(a_list(), acting=False).verdict == "failed"
    assert check_operator(a_list(), acting=True).verdict == "warning"
    assert check_operator(FORBIDDEN, acting=False).verdict == "unknown"


def test_an_operator_of_other_namespaces_is_not_this_ones() -> None:
    other = {**a_deployment(1), "spec": {"template": {"spec": {"containers": [{"name": "operator", "image": "x"}]}}}}
    found = a_list(a_deployment(1, watched="team-b,team-c"), a_deployment(1, watched="team-a"), a_deployment(1), other)
    assert choose_operators(found, "team-a").items == found.items[1:3]
    assert choose_operators(FORBIDDEN, "team-a") == FORBIDDEN


@pytest.mark.parametrize(("age", "verdict"), [(2, "ok"), (29, "ok"), (31, "failed")])
def test_a_lease_that_nobody_renews_fails(age: int, verdict: str) -> None:
    renewed = (NOW - timedelta(seconds=age)).isoformat().replace("+00:00", "Z")
    spec = {"holderIdentity": "pod-1", "leaseDurationSeconds": 15, "renewTime": renewed}
    assert check_lease(Found({"spec": spec}), NOW).verdict == verdict


def test_a_lease_without_a_holder_is_a_warning() -> None:
    assert check_lease(Found({"spec": {}}), NOW).verdict == "warning"
    assert check_lease(MISSING, NOW).verdict == "warning"


def test_a_right_that_is_missing_names_the_commands_that_need_it() -> None:
    portforward = next(right for right in RIGHTS if right.resource == "pods/portforward")
    found = check_right(portforward, False, "team-a")
    assert (found.verdict, "try will be refused" in found.message) == ("warning", True)
    assert "edit" in found.advice
    assert check_right(Right("get", "tweetbots", "tweetbot.dev", "every command"), False, "team-a").verdict == "failed"
    assert check_right(portforward, None, "team-a").verdict == "unknown"


def test_every_secret_that_a_spec_names_is_looked_at() -> None:
    x = {"handle": "gull", "tokenSecret": {"name": "x-app", "key": "bearer"}, "acceptTerms": True}
    wandb = {"wandb": {"apiKeySecret": {"name": "wandb", "key": "api-key"}}}
    output = {"s3": {"uri": "s3://abc/m", "credentialsSecret": {"name": "s3"}}, "huggingFace": A_HUB}
    base = {"base": "hf://harbour/gpt2", "tokenSecret": {"name": "reader", "key": "token"}}
    found = list_secrets(a_bot(sources=[{"x": x}], tracking=wandb, output=output, model=base))
    assert [(each.name, each.keys, each.required) for each in found] == [
        ("s3", ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), True),
        ("x-app", ("bearer",), True),
        ("reader", ("token",), True),
        ("hub", ("token",), False),
        ("wandb", ("api-key",), False),
    ]


def test_a_secret_is_judged_by_the_names_of_its_keys_and_no_value_is_shown() -> None:
    (needed,) = list_secrets(a_bot())
    whole = check_secret(
        needed, Found({"data": {"AWS_ACCESS_KEY_ID": "c2VjcmV0", "AWS_SECRET_ACCESS_KEY": "c2VjcmV0"}})
    )
    half = check_secret(needed, Found({"data": {"AWS_ACCESS_KEY_ID": "c2VjcmV0"}}))
    assert (whole.verdict, half.verdict) == ("ok", "failed")
    assert "AWS_SECRET_ACCESS_KEY" in half.message
    assert "c2VjcmV0" not in f"{whole}{half}"
    assert "kubectl create secret" in check_secret(needed, MISSING).advice
    assert check_secret(needed, FORBIDDEN).verdict == "unknown"


def test_what_a_spec_names_and_nobody_made_fails() -> None:
    checks = (
        check_service_account("trainer", MISSING),
        check_queue("team-a", MISSING),
        check_class("standard", MISSING),
    )
    assert [check.verdict for check in checks] == ["failed"] * 3
    assert all(check.advice for check in checks)


def test_a_queue_that_is_not_active_fails_in_the_words_of_kueue() -> None:
    condition = {"type": "Active", "status": "False", "message": "clusterQueue is stopped"}
    assert "clusterQueue is stopped" in check_queue("team-a", Found({"status": {"conditions": [condition]}})).message
    assert (
        check_queue("team-a", Found({"status": {"pendingWorkloads": 2}})).message
        == "It is there; 2 workloads wait in it."
    )


def test_an_accelerator_that_no_open_node_offers_is_a_warning() -> None:
    node = {"status": {"allocatable": {"nvidia.com/gpu": "1"}}}
    assert check_gpu("nvidia.com/gpu", a_list(node, {})).message == "1 of 2 nodes offer it."
    assert check_gpu("nvidia.com/gpu", a_list({**node, "spec": {"unschedulable": True}})).verdict == "warning"
    assert check_gpu("amd.com/gpu", a_list(node)).verdict == "warning"
    assert check_gpu("nvidia.com/gpu", FORBIDDEN).verdict == "unknown"


def a_quota(hard: dict[str, str], used: dict[str, str], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "tweetbots"}, "spec": spec, "status": {"hard": hard, "used": used}}


def test_a_quota_without_room_for_the_training_is_a_warning_with_the_numbers() -> None:
    bot = a_bot(resources={"cpu": "4", "memory": "16Gi"})
    full = a_quota({"requests.memory": "32Gi", "pods": "10"}, {"requests.memory": "20Gi", "pods": "1"})
    found = check_quota(bot, a_list(full), running=False)
    assert found.verdict == "warning"
    assert "tweetbots has 32Gi of requests.memory, 20Gi of it used, 16Gi is needed" in found.message
    assert check_quota(bot, a_list(full), running=True).verdict == "ok"
    assert check_quota(bot, a_list(a_quota({"limits.cpu": "8"}, {"limits.cpu": "4"})), running=False).verdict == "ok"
    assert check_quota(bot, a_list(), running=False).verdict == "ok"


def test_a_quota_counts_accelerators_and_one_with_scopes_is_left_out() -> None:
    spent = a_quota({"requests.nvidia.com/gpu": "1"}, {"requests.nvidia.com/gpu": "1"})
    assert check_quota(a_bot(), a_list(spent), running=False).verdict == "warning"
    assert check_quota(a_bot(resources={"gpu": {"count": 0}}), a_list(spent), running=False).verdict == "ok"
    assert check_quota(a_bot(), a_list({**spent, "spec": {"scopes": ["BestEffort"]}}), running=False).verdict == "ok"


def test_a_limit_range_that_refuses_the_training_fails() -> None:
    def a_range(**limit: Any) -> Found:
        return a_list({"metadata": {"name": "small"}, "spec": {"limits": [{"type": "Container", **limit}]}})

    bot = a_bot(resources={"cpu": "4", "memory": "16Gi"})
    assert check_limit_ranges(bot, a_range(max={"memory": "8Gi"})).verdict == "failed"
    assert check_limit_ranges(bot, a_range(min={"cpu": "8"})).verdict == "failed"
    assert check_limit_ranges(bot, a_range(max={"memory": "16Gi", "cpu": "4"})).verdict == "ok"


def a_running_pod(ago: int) -> dict[str, Any]:
    started = (NOW - timedelta(seconds=ago)).isoformat().replace("+00:00", "Z")
    container = {"name": "trainer", "state": {"running": {"startedAt": started}}}
    return {"metadata": {"labels": {"tweetbot.dev/run": RUN}}, "status": {"containerStatuses": [container]}}


@pytest.mark.parametrize(("ago", "verdict"), [(60, None), (121, "warning")])
def test_a_training_whose_progress_nobody_hears_is_a_warning(ago: int, verdict: str | None) -> None:
    found = check_progress(a_bot({"currentRun": a_run(id=RUN, progress=None)}), a_list(a_running_pod(ago)), NOW)
    assert (found.verdict if found else None) == verdict
    assert found is None or "TCP port 8765" in found.advice


def test_progress_is_looked_at_only_while_a_trainer_runs() -> None:
    bot = a_bot({"currentRun": a_run(id=RUN)})
    found = check_progress(bot, a_list(a_running_pod(600)), NOW)
    assert found is not None
    assert "at 43 %" in found.message
    assert check_progress(bot, a_list(), NOW) is None
    assert check_progress(a_bot(), a_list(a_running_pod(600)), NOW) is None


def a_condition(type_: str, reason: str, message: str) -> dict[str, Any]:
    return {
        "type": type_,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-12-01T00:00:00Z",
        "observedGeneration": 1,
    }


def test_a_stalled_tweetbot_fails_in_the_operators_own_words() -> None:
    stalled = a_condition("Stalled", "BucketNotFound", "There is no bucket: create it.")
    found = check_reason(a_bot({"observedGeneration": 1, "conditions": [stalled]}))
    assert (found.verdict, found.message) == ("failed", "BucketNotFound: There is no bucket: create it.")


def test_an_edit_that_nobody_acted_on_is_a_warning() -> None:
    assert check_reason(a_bot()).verdict == "warning"
    ready = a_condition("Ready", "Succeeded", "All is well.")
    assert check_reason(a_bot({"observedGeneration": 1, "conditions": [ready], "phase": "Succeeded"})).verdict == "ok"
