"""The queues of docs/queues.md accept its example TweetBot."""

import re
from pathlib import Path
from typing import Any

import yaml

from builders.operator import SETTINGS, a_bot_in
from tweetbot_contract.manifest import parse
from tweetbot_operator.jobs.job import build_job

ROOT = Path(__file__).parents[2]
QUEUES = list(yaml.safe_load_all((ROOT / "integrations" / "kueue" / "queues.yaml").read_text(encoding="utf-8")))
EXAMPLE = yaml.safe_load((ROOT / "crds" / "examples" / "queued.yaml").read_text(encoding="utf-8"))


def the(kind: str) -> dict[str, Any]:
    (found,) = [each for each in QUEUES if each["kind"] == kind]
    return dict(found)


def test_the_example_uses_the_queue_and_priority_that_are_set_up() -> None:
    scheduling = parse({**EXAMPLE, "metadata": {**EXAMPLE["metadata"], "uid": "u", "generation": 1}}).spec.scheduling
    assert scheduling.queue_name == the("LocalQueue")["metadata"]["name"]
    assert scheduling.workload_priority_class_name == the("WorkloadPriorityClass")["metadata"]["name"]


def test_the_local_queue_points_to_a_queue_with_a_flavor() -> None:
    queue = the("ClusterQueue")
    assert the("LocalQueue")["spec"]["clusterQueue"] == queue["metadata"]["name"]
    (group,) = queue["spec"]["resourceGroups"]
    assert [flavor["name"] for flavor in group["flavors"]] == [the("ResourceFlavor")["metadata"]["name"]]
    assert [each["name"] for each in group["flavors"][0]["resources"]] == group["coveredResources"]


def test_the_quota_covers_every_resource_that_a_training_requests() -> None:
    bot = a_bot_in("Train", **{key: EXAMPLE["spec"][key] for key in ("resources", "scheduling")})
    run = bot.status.current_run
    assert run
    (container,) = build_job(bot, run, SETTINGS)["spec"]["template"]["spec"]["containers"]
    assert set(container["resources"]["requests"]) <= set(
        the("ClusterQueue")["spec"]["resourceGroups"][0]["coveredResources"]
    )


def test_the_page_names_the_version_that_the_tests_build() -> None:
    module = (ROOT / "tests" / "cluster" / "go" / "kueue" / "go.mod").read_text(encoding="utf-8")
    (version,) = re.findall(r"sigs\.k8s\.io/kueue (v\S+)", module)
    assert f"builds Kueue {version} once" in (ROOT / "docs" / "queues.md").read_text(encoding="utf-8")
