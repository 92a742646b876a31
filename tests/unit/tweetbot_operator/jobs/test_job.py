"""The Jobs, as people read them in tests/golden, and the rules that no Job may break."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders.manifests import A_HUB
from builders.operator import SETTINGS, a_bot, a_bot_in, a_run
from tweetbot_contract.handover import BASE_DIR, BASE_DIR_ENV, CA_BUNDLE_ENV, CA_DIR, CA_FILE, RUN_ENV, RunDocument
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.status import Stage
from tweetbot_contract.status.tasks import ForgetStatus, PinStatus
from tweetbot_operator.jobs.cleanup import build_cleanup_job, build_forget_job, build_pin_job
from tweetbot_operator.jobs.job import build_job
from tweetbot_operator.jobs.pod import get_pvc_name
from tweetbot_operator.settings import OperatorSettings

GOLDEN = Path(__file__).parents[3] / "golden"
EVERYTHING: dict[str, Any] = {
    "sources": [
        {"archive": {"uri": "s3://team-a/harbour_gull.zip"}},
        {"x": {"handle": "harbour_gull", "tokenSecret": {"name": "x-app", "key": "bearer"}, "acceptTerms": True}},
    ],
    "model": {"base": "scratch://mini"},
    "output": {"s3": {"uri": "s3://team-a/models", "credentialsSecret": {"name": "s3"}}, "huggingFace": A_HUB},
    "tracking": {"wandb": {"apiKeySecret": {"name": "wandb", "key": "key"}}},
    "resources": {"gpu": {"resource": "amd.com/gpu"}, "cpu": "8", "memory": "32Gi"},
    "serviceAccountName": "trainer",
    "run": {"attempts": 5, "activeDeadlineSeconds": 3600, "startDeadlineSeconds": 300},
    "scheduling": {
        "queueName": "gpus",
        "workloadPriorityClassName": "batch",
        "priorityClassName": "low",
        "runtimeClassName": "nvidia",
        "nodeSelector": {"gpu": "a10"},
        "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {
            "required": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]}],
            "preferred": [{"weight": 10, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}}],
        },
    },
}
BOTS = {
    "minimal-prepare": a_bot_in("Prepare"),
    "minimal-train": a_bot_in("Train"),
    "everything-prepare": a_bot_in("Prepare", **EVERYTHING),
    "everything-train": a_bot_in("Train", **EVERYTHING),
    "workload-identity-train": a_bot_in(
        "Train", output={"s3": {"uri": "s3://team-a/models"}}, resources={"gpu": {"count": 0}}
    ),
}


def the_job(bot: TweetBot) -> dict[str, Any]:
    return build_job(bot, bot.status.current_run or a_run(bot), SETTINGS)


def container(job: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = job["spec"]["template"]["spec"]["containers"][0]
    return found


def env(job: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry.get("value", "") for entry in container(job)["env"]}


@pytest.mark.parametrize("name", BOTS)
def test_the_job_is_the_one_that_was_reviewed(name: str) -> None:
    """To accept a change: write `yaml.safe_dump(the_job(BOTS[name]), sort_keys=False)` there, and read the diff."""
    assert the_job(BOTS[name]) == yaml.safe_load((GOLDEN / f"job-{name}.yaml").read_text())


PIN = PinStatus(version="1" * 16, requested_at="2026-01-01T12:00:00Z", generation=1)
FORGET = ForgetStatus(request="now", requested_at="2026-01-01T12:00:00Z", started_at="2026-01-01T12:01:00Z")
PLACEMENT = ("priorityClassName", "runtimeClassName", "nodeSelector", "tolerations", "affinity")
#: Builders of the Jobs that need no GPU.
GPULESS: dict[str, Callable[[TweetBot], dict[str, Any]]] = {
    "the prepare stage": the_job,
    "a pin": lambda bot: build_pin_job(bot, PIN, SETTINGS),
    "a request to forget": lambda bot: build_forget_job(bot, FORGET, SETTINGS),
    "a cleanup": lambda bot: build_cleanup_job(bot, SETTINGS),
}


@pytest.mark.parametrize("task", ["a pin", "a cleanup"])
def test_a_job_that_needs_no_ids_is_built_however_long_their_list_is(task: str) -> None:
    ids = [f"{number:04}{'x' * 124}" for number in range(1000)]
    bot = a_bot_in("Prepare", filter={"excludeIds": ids})
    assert ids[0] not in env(GPULESS[task](bot))[RUN_ENV]
    with pytest.raises(ValueError, match="shorten the spec"):
        build_forget_job(bot, FORGET, SETTINGS)


def get_placement(job: dict[str, Any]) -> dict[str, Any]:
    pod = job["spec"]["template"]["spec"]
    return {name: pod[name] for name in PLACEMENT if name in pod}


@pytest.mark.parametrize("task", GPULESS)
def test_a_pod_without_a_gpu_never_goes_where_trainings_do(task: str) -> None:
    bot = a_bot_in("Prepare", **EVERYTHING)
    assert get_placement(GPULESS[task](bot)) == {"priorityClassName": "low"}


@pytest.mark.parametrize("task", GPULESS)
def test_a_pod_without_a_gpu_goes_where_its_own_fields_say(task: str) -> None:
    own = {**EVERYTHING["scheduling"], "priorityClassName": "high", "nodeSelector": {"pool": "cpu"}}
    own = {name: own[name] for name in PLACEMENT}
    bot = a_bot_in("Prepare", scheduling={**EVERYTHING["scheduling"], "prepare": own})
    placement = get_placement(the_job(a_bot_in("Train", scheduling=own)))
    assert get_placement(GPULESS[task](bot)) == placement
    assert (placement["nodeSelector"], placement["priorityClassName"]) == ({"pool": "cpu"}, "high")


def test_a_training_goes_where_it_did() -> None:
    prepare = {"nodeSelector": {"pool": "cpu"}, "priorityClassName": "high"}
    placed = a_bot_in("Train", scheduling={**EVERYTHING["scheduling"], "prepare": prepare})
    assert get_placement(the_job(placed)) == get_placement(the_job(BOTS["everything-train"]))


@pytest.mark.parametrize("stage", ["Prepare", "Train"])
def test_a_pvc_with_the_base_is_mounted_read_only(stage: Stage) -> None:
    job = the_job(a_bot_in(stage, model={"base": "pvc://models/gpt2/v2"}))
    claim = {"name": "base", "persistentVolumeClaim": {"claimName": "models", "readOnly": True}}
    assert claim in job["spec"]["template"]["spec"]["volumes"]
    assert {"name": "base", "mountPath": BASE_DIR, "readOnly": True} in container(job)["volumeMounts"]
    assert (env(job)[BASE_DIR_ENV], env(job)["HF_HUB_OFFLINE"]) == (BASE_DIR, "1")


@pytest.mark.parametrize("stage", ["Prepare", "Train"])
def test_the_cas_that_a_bot_trusts_are_mounted(stage: Stage) -> None:
    job = the_job(a_bot_in(stage, caBundle={"name": "company-ca"}))
    items = [{"key": "ca.crt", "path": CA_FILE}]
    assert {"name": "ca", "configMap": {"name": "company-ca", "items": items}} in job["spec"]["template"]["spec"][
        "volumes"
    ]
    assert {"name": "ca", "mountPath": CA_DIR, "readOnly": True} in container(job)["volumeMounts"]
    assert env(job)[CA_BUNDLE_ENV] == f"{CA_DIR}/{CA_FILE}"


@pytest.mark.parametrize(
    ("bundle", "mounted"),
    [({}, ("platform-ca", "ca.crt")), ({"caBundle": {"name": "mine", "key": "root.pem"}}, ("mine", "root.pem"))],
)
def test_the_platforms_cas_are_mounted_where_a_bot_names_none(bundle: dict[str, Any], mounted: tuple[str, str]) -> None:
    bot = a_bot_in("Train", **bundle)
    settings = SETTINGS.model_copy(update={"ca_config_map": "platform-ca"})
    for job in (build_job(bot, bot.status.current_run or a_run(bot), settings), build_cleanup_job(bot, settings)):
        (volume,) = (each for each in job["spec"]["template"]["spec"]["volumes"] if each["name"] == "ca")
        assert (volume["configMap"]["name"], volume["configMap"]["items"][0]["key"]) == mounted
        assert CA_BUNDLE_ENV in env(job)


def test_a_bot_without_gpu_asks_for_none() -> None:
    job = the_job(a_bot_in("Train", resources={"gpu": {"count": 0}}))
    assert set(container(job)["resources"]["limits"]) == {"cpu", "memory", "ephemeral-storage"}


def test_the_prepare_stage_never_asks_for_a_gpu() -> None:
    assert set(container(the_job(BOTS["everything-prepare"]))["resources"]["limits"]) == {"cpu", "memory"}


def test_the_same_run_gives_the_same_job() -> None:
    assert the_job(a_bot_in("Train")) == the_job(a_bot_in("Train"))


def test_a_job_has_none_of_the_bots_own_labels_and_annotations() -> None:
    job = the_job(a_bot_in("Train"))
    keys = {*job["metadata"]["labels"], *job["metadata"]["annotations"], *job["spec"]["template"]["metadata"]["labels"]}
    assert keys == {
        "app.kubernetes.io/managed-by",
        "tweetbot.dev/bot",
        "tweetbot.dev/bot-uid",
        "tweetbot.dev/run",
        "tweetbot.dev/stage",
        "tweetbot.dev/execution",
        "tweetbot.dev/round",
        "argocd.argoproj.io/ignore-resource-updates",
    }


def test_the_run_document_is_read_back_by_the_contract() -> None:
    bot = a_bot_in("Train")
    document = RunDocument.model_validate_json(env(the_job(bot))["TWEETBOT_RUN"])
    assert (document.spec, document.stage, document.dataset) == (bot.spec, "Train", "d" * 64)


def test_no_dollar_is_left_for_the_kubelet_to_expand() -> None:
    bot = a_bot_in("Prepare", evaluation={"prompts": ["I owe you $(HOME)"]})
    text = env(the_job(bot))["TWEETBOT_RUN"]
    assert "$" not in text
    assert json.loads(text)["spec"]["evaluation"]["prompts"] == ["I owe you $(HOME)"]


def test_no_secret_is_in_the_environment() -> None:
    entries = container(the_job(BOTS["everything-prepare"]))["env"]
    assert [entry for entry in entries if "secretKeyRef" in json.dumps(entry)] == []


def test_a_train_pod_holds_no_x_token() -> None:
    assert "x-app" in json.dumps(the_job(BOTS["everything-prepare"])["spec"]["template"]["spec"]["volumes"])
    assert "x-app" not in json.dumps(the_job(BOTS["everything-train"])["spec"]["template"]["spec"]["volumes"])


def test_the_hub_is_offline_unless_the_base_comes_from_it() -> None:
    assert env(the_job(a_bot_in("Train", model={"base": "scratch://mini"})))["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in env(the_job(a_bot_in("Train")))


def test_the_cluster_chooses_the_user_where_it_is_left_to_it() -> None:
    bot = a_bot_in("Train")
    job = build_job(bot, bot.status.current_run or a_run(bot), OperatorSettings(run_as_user=0))
    assert job["spec"]["template"]["spec"]["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_a_pod_gets_the_networks_that_specs_may_name() -> None:
    settings = OperatorSettings(allowed_networks="10.96.0.0/12")
    bot = a_bot_in("Train")
    job = build_job(bot, bot.status.current_run or a_run(bot), settings)
    assert env(job)["TWEETBOT_ALLOWED_NETWORKS"] == "10.96.0.0/12"


def test_every_retry_has_its_own_creation_key() -> None:
    job = the_job(a_bot_in("Train", run_fields={"number": 4, "retries": 2}))
    assert job["metadata"]["annotations"]["tweetbot.dev/round"] == "4-2"


@pytest.mark.parametrize(("attempt", "written", "left"), [(1, "1-0", 2), (2, "1-0-2", 1), (3, "1-0-3", 0)])
def test_a_job_begins_with_the_attempt_that_the_status_counts(attempt: int, written: str, left: int) -> None:
    job = the_job(a_bot_in("Train", run_fields={"attempt": attempt}))
    assert (job["metadata"]["annotations"]["tweetbot.dev/round"], job["spec"]["backoffLimit"]) == (written, left)


@pytest.mark.parametrize("attempts", [1, 3, 10])
def test_a_jobs_deadline_leaves_every_attempt_its_wait_and_the_stage_its_time(attempts: int) -> None:
    """It counts waiting and the Job controller's pauses (10 s, doubled up to 600 s), which the operator's does not."""
    limits = {"attempts": attempts, "startDeadlineSeconds": 3600, "activeDeadlineSeconds": 7200}
    pauses = [min(10 * 2**count, 600) for count in range(attempts - 1)]
    longest = attempts * 3600 + sum(pauses) + 7200
    assert the_job(a_bot_in("Train", run=limits))["spec"]["activeDeadlineSeconds"] > longest


def test_the_longest_name_fits_a_job() -> None:
    bot = a_bot()
    assert len(build_job(bot, a_run(bot), SETTINGS)["metadata"]["name"]) - len(bot.name) + 46 <= 63


@pytest.mark.parametrize(
    ("base", "claim"),
    [
        ("pvc://models/gpt2/v1.2", "models"),
        ("pvc://models", "models"),
        ("s3://models/gpt2", None),
        ("scratch://small", None),
    ],
)
def test_a_base_may_be_in_a_pvc(base: str, claim: str | None) -> None:
    assert get_pvc_name(base) == claim


# ---- disk


def read_disk(job: dict[str, Any]) -> tuple[str | None, ...]:
    resources = container(job)["resources"]
    return tuple(resources[kind].get("ephemeral-storage") for kind in ("requests", "limits"))


@pytest.mark.parametrize("stage", ["Prepare", "Train"])
def test_a_pod_asks_for_a_part_of_its_volumes_and_may_use_all_of_them(stage: Stage) -> None:
    """Else the scheduler puts it onto a node without room, whose kubelet evicts it."""
    assert read_disk(the_job(a_bot_in(stage))) == ("5632Mi", "22784Mi")


def test_the_setting_of_the_work_folder_sets_the_request_too() -> None:
    bot = a_bot_in("Train")
    job = build_job(bot, a_run(bot, stage="Train"), OperatorSettings(work_size="2Gi"))
    assert read_disk(job) == ("1Gi", "4352Mi")


@pytest.mark.parametrize(
    ("scheduling", "settings"),
    [({"queueName": "gpus"}, {}), ({}, {"kueue_version": "v1beta2"})],
    ids=["a queue", "Kueue in the cluster"],
)
def test_where_kueue_counts_requests_a_pod_asks_for_no_disk(
    scheduling: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Its ClusterQueues list what they admit: a resource that they do not list would hold up every run."""
    bot = a_bot_in("Train", scheduling=scheduling)
    job = build_job(bot, a_run(bot, stage="Train"), OperatorSettings(**settings))
    assert read_disk(job) == (None, None)


def list_secret_files(job: dict[str, Any]) -> dict[str, bool]:
    """Return the files of a Pod's Secrets, and whether it starts without them."""
    volumes = job["spec"]["template"]["spec"]["volumes"]
    sources = [source["secret"] for each in volumes for source in each.get("projected", {}).get("sources", ())]
    return {item["path"]: source.get("optional", False) for source in sources for item in source["items"]}


def test_each_pod_has_the_tokens_that_it_needs_and_no_other() -> None:
    token = {"name": "reader", "key": "token"}
    output = {"s3": {"uri": "s3://team-a/models"}, "huggingFace": A_HUB}
    spec = {"model": {"base": "hf://harbour/gpt2", "tokenSecret": token}, "output": output}
    for stage in ("Prepare", "Train"):
        assert list_secret_files(the_job(a_bot_in(stage, **spec))) == {"hub/token": True, "base/token": False}
    bot = a_bot_in("Train", **spec)
    assert list_secret_files(build_cleanup_job(bot, SETTINGS)) == {"hub/token": True}
    assert "HF_TOKEN" not in json.dumps(the_job(bot))
