"""Schedules, histories and deletions on a real API server, with trainers that answer at once."""

import json

from harness.kstatus import kstatus
from harness.operator_process import until, writes_of
from harness.tenant import Tenant
from tweetbot_cluster.cluster import EmbeddedCluster

EVERY_MINUTE = {"cron": "* * * * *", "minNewPosts": 10}
BY_THE_MINUTE = {"cron": "* * * * *"}
#: The versions that the trainer of the mood `versions` publishes: at first, by the schedule, beside a pin, of an edit.
FIRST, WORSE, BESIDE, EDITED = (digit * 16 for digit in "1234")


def finalizers(tenant: Tenant) -> list[str]:
    """Return those of its one TweetBot."""
    (bot,) = tenant.bots()
    found: list[str] = bot["metadata"].get("finalizers", [])
    return found


# ---- schedule and history


def test_a_schedule_runs_again_and_the_history_tells_of_it_and_a_bad_retrain_is_rolled_back(tenant: Tenant) -> None:
    """Two TweetBots wait for the same minute."""
    tenant.apply("rollback", "versions", schedule=BY_THE_MINUTE)
    tenant.apply("gull", "nothing", schedule=EVERY_MINUTE, history={"runs": 2})
    tenant.wait("gull", "ModelReady")
    model = tenant.status("gull")["model"]
    until(lambda: any(run["number"] > 1 for run in tenant.status("gull").get("runs", [])), 300)
    tenant.apply("gull", "nothing", suspend=True, history={"runs": 2})
    tenant.wait("gull", "Suspended")
    status = tenant.status("gull")
    assert status["model"]["uri"] == model["uri"]
    assert [run["number"] for run in status["runs"]] == sorted((run["number"] for run in status["runs"]), reverse=True)
    assert len(status["runs"]) == 2
    assert {run["reason"] for run in status["runs"] if run["number"] > 1} == {"NothingNew"}
    assert status["lastScheduleTime"].endswith(":00Z")
    assert status["currentRun"]["trigger"].startswith("schedule/")
    roll_back(tenant)


def roll_back(tenant: Tenant) -> None:
    """Follow the TweetBot through a bad retrain, a pin, a wrong pin, the end of the pin, an edit and its revert."""
    until(lambda: served(tenant) == WORSE, 120)
    assert shown(tenant) == ("Current", "Succeeded", 2)

    applied = tenant.apply("rollback", "versions", pin=FIRST)
    assert kstatus(applied) == "InProgress"
    tenant.wait("rollback", "ModelReady")
    assert (served(tenant), *shown(tenant)) == (FIRST, "Current", "Pinned", 2)
    assert tenant.status("rollback")["metrics"]["evalLoss"] == 1
    tenant("annotate", "tweetbot", "rollback", "tweetbot.dev/retrain-at=now")
    until(lambda: tenant.status("rollback")["runs"][0]["number"] == 3, 120)
    assert (served(tenant), *shown(tenant)) == (FIRST, "Current", "Pinned", 3)
    assert tenant.status("rollback")["pin"]["newest"]["version"] == BESIDE

    assert kstatus(tenant.apply("rollback", "versions", pin="f" * 16)) == "InProgress"
    tenant.wait("rollback", "Stalled")
    assert (served(tenant), *shown(tenant)) == (FIRST, "Failed", "PinnedVersionNotFound", 3)

    assert kstatus(tenant.apply("rollback", "versions")) == "InProgress"
    tenant.wait("rollback", "ModelReady")
    assert (served(tenant), *shown(tenant)) == (BESIDE, "Current", "Succeeded", 3)
    assert "pin" not in tenant.status("rollback")

    assert kstatus(tenant.apply("rollback", "versions", training={"epochs": 2})) == "InProgress"
    tenant.wait("rollback", "ModelReady")
    assert (served(tenant), *shown(tenant)) == (EDITED, "Current", "Succeeded", 4)
    assert kstatus(tenant.apply("rollback", "versions")) == "InProgress"
    tenant.wait("rollback", "ModelReady")
    assert (served(tenant), *shown(tenant)) == (FIRST, "Current", "Adopted", 5)
    labels = [job["metadata"]["labels"] for job in tenant.jobs()]
    stages = [each["tweetbot.dev/stage"] for each in labels if each["tweetbot.dev/bot"] == "rollback"]
    assert (stages.count("pin"), stages.count("train")) == (3, 4)  # the revert adopts; no pin trains


def served(tenant: Tenant) -> str:
    return str(tenant.status("rollback").get("model", {}).get("uri", "/")).split("/")[-2]


def shown(tenant: Tenant) -> tuple[str, str, int]:
    """Return what kstatus makes of it, why ModelReady is as it is, and the number of the run."""
    bot = tenant.bot("rollback")
    reasons = {each["type"]: each["reason"] for each in bot["status"]["conditions"]}
    return kstatus(bot), reasons["ModelReady"], bot["status"]["currentRun"]["number"]


def test_a_schedule_that_the_api_server_cannot_judge_is_told_with_its_path(tenant: Tenant) -> None:
    tenant.apply("gull", schedule={"cron": "0 3 30 2 *"})
    tenant.wait("gull", "reason=InvalidSpec")
    tenant.apply("gull", schedule={"cron": "0 3 29 2 *"})
    tenant.wait("gull", "ModelReady")
    assert tenant.status("gull")["nextScheduleTime"].endswith("-02-29T03:00:00Z")


# ---- deletion


def test_delete_erases_first_and_then_the_bot_is_gone(tenant: Tenant, home: EmbeddedCluster) -> None:
    tenant.apply("gull", deletionPolicy="Delete")
    tenant.wait("gull", "ModelReady")
    tenant("delete", "tweetbot", "gull", "--timeout=120s")
    (cleanup,) = [job for job in tenant.jobs() if job["metadata"]["labels"]["tweetbot.dev/stage"] == "cleanup"]
    assert cleanup["status"]["succeeded"] == 1
    assert "ownerReferences" not in cleanup["metadata"]
    assert writes_of(home.audit_log, tenant.namespace).count("patch tweetbots") == 2


def test_a_foreground_deletion_does_not_end_the_erasure(tenant: Tenant) -> None:
    tenant.apply("gull", "slow", deletionPolicy="Delete")
    until(lambda: tenant.pod_phases("gull") == ["Running"], 120)
    tenant("delete", "tweetbot", "gull", "--cascade=foreground", "--timeout=120s")
    assert [job["status"].get("succeeded") for job in tenant.jobs()] == [1]


def test_a_namespace_with_bots_that_erase_is_gone_without_delay(tenant: Tenant, home: EmbeddedCluster) -> None:
    tenant.apply("gull", "slow", deletionPolicy="Delete")
    until(lambda: tenant.pod_phases("gull") == ["Running"], 120)
    home.kubectl("delete", "namespace", tenant.namespace, "--timeout=180s")
    home.kubectl("create", "namespace", tenant.namespace)


def test_another_finalizer_is_left_to_whom_it_belongs(tenant: Tenant) -> None:
    tenant.apply("gull", suspend=True, deletionPolicy="Delete")
    tenant.wait("gull", "Suspended")
    patch = json.dumps({"metadata": {"finalizers": ["example.com/theirs", "tweetbot.dev/erase"]}})
    tenant("patch", "tweetbot", "gull", "--type=merge", "-p", patch)
    tenant("delete", "tweetbot", "gull", "--wait=false")
    until(lambda: finalizers(tenant) == ["example.com/theirs"], 120)
    tenant("patch", "tweetbot", "gull", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    until(lambda: tenant.bots() == [], 120)


def test_a_bot_that_is_kept_has_no_finalizer_of_ours(tenant: Tenant) -> None:
    tenant.apply("gull", deletionPolicy="Delete")
    tenant.wait("gull", "ModelReady")
    tenant.apply("gull", deletionPolicy="Retain")
    until(lambda: finalizers(tenant) == [], 120)
    tenant("delete", "tweetbot", "gull", "--timeout=120s")
    assert [job for job in tenant.jobs() if job["metadata"]["labels"]["tweetbot.dev/stage"] == "cleanup"] == []
