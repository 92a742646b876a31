"""What came back of a Job unlike what was sent, field by field."""

from copy import deepcopy
from typing import Any

import pytest

from builders.operator import SETTINGS, a_bot, a_bot_in, a_run
from tweetbot_operator.client.parse import parse_job
from tweetbot_operator.jobs.cleanup import build_cleanup_job
from tweetbot_operator.jobs.job import build_job, find_mutations, format_mutations, restore_job

BOT = a_bot_in("Train", serviceAccountName="trainer")
RUN = BOT.status.current_run or a_run(BOT)
SENT = build_job(BOT, RUN, SETTINGS)
CLEANUP = build_cleanup_job(BOT, SETTINGS)
SERVED = {"uid": "u", "resourceVersion": "7", "creationTimestamp": "2026-01-01T12:00:00Z"}


def change(job: dict[str, Any], path: str, value: Any = None) -> dict[str, Any]:
    """Return the Job with another value at a path, steps by `/`; without a value the last step is removed."""
    changed = deepcopy(job)
    *steps, last = [int(step) if step.isdigit() else step.replace("~1", "/") for step in path.split("/")]
    inner: Any = changed
    for step in steps:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return changed


def fields(sent: dict[str, Any], found: dict[str, Any]) -> list[str]:
    return [each.field for each in find_mutations(sent, found)]


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("metadata/name", "team-gull", "metadata.name"),
        ("metadata/labels/tweetbot.dev~1run", None, "metadata.labels[tweetbot.dev/run]"),
        ("metadata/labels/tweetbot.dev~1bot-uid", "other", "metadata.labels[tweetbot.dev/bot-uid]"),
        ("metadata/labels/app.kubernetes.io~1managed-by", "Helm", "metadata.labels[app.kubernetes.io/managed-by]"),
        ("metadata/annotations/tweetbot.dev~1round", "9-9", "metadata.annotations[tweetbot.dev/round]"),
        ("metadata/ownerReferences", None, "metadata.ownerReferences"),
        ("metadata/ownerReferences/0/controller", False, "metadata.ownerReferences"),
        ("spec/managedBy", "kueue.x-k8s.io/multikueue", "spec.managedBy"),
        ("spec/completions", 0, "spec.completions"),
        ("spec/parallelism", 2, "spec.parallelism"),
        ("spec/ttlSecondsAfterFinished", 0, "spec.ttlSecondsAfterFinished"),
        ("spec/template/spec/restartPolicy", "OnFailure", "spec.template.spec.restartPolicy"),
        ("spec/template/spec/serviceAccountName", "default", "spec.template.spec.serviceAccountName"),
        ("spec/template/metadata/labels/tweetbot.dev~1bot", None, "spec.template.metadata.labels[tweetbot.dev/bot]"),
        (
            "spec/template/spec/containers/0/terminationMessagePath",
            "/tmp/message",
            "spec.template.spec.containers[trainer].terminationMessagePath",
        ),
        (
            "spec/template/spec/containers/0/env/0",
            None,
            "spec.template.spec.containers[trainer].env[TWEETBOT_RUN]",
        ),
    ],
)
def test_a_field_that_the_run_depends_on_is_named(path: str, value: Any, field: str) -> None:
    assert fields(SENT, change(SENT, path, value)) == [field]


@pytest.mark.parametrize("missing", ["metadata/labels", "metadata/annotations"])
def test_all_labels_or_annotations_may_be_gone(missing: str) -> None:
    assert set(fields(SENT, change(SENT, missing))) == {
        f"metadata.{kind}[{name}]"
        for kind in (missing.split("/")[1],)
        for name in SENT["metadata"][kind]
        if not name.startswith("argocd")
    }


def test_a_renamed_container_is_named() -> None:
    found = fields(SENT, change(SENT, "spec/template/spec/containers/0/name", "main"))
    assert found[0] == "spec.template.spec.containers[trainer]"


def test_a_cleanup_that_gets_an_owner_would_end_with_it() -> None:
    assert fields(CLEANUP, change(CLEANUP, "metadata/ownerReferences", SENT["metadata"]["ownerReferences"])) == [
        "metadata.ownerReferences"
    ]


def test_what_others_add_or_lower_is_their_right() -> None:
    found = deepcopy(SENT)
    found["metadata"]["labels"]["team"] = "birds"
    found["metadata"]["annotations"]["sidecar.istio.io/inject"] = "true"
    found["metadata"]["ownerReferences"].insert(0, {"uid": "app", "kind": "Application"})
    found["spec"] |= {"suspend": True, "ttlSecondsAfterFinished": 3600, "activeDeadlineSeconds": 60, "parallelism": 1}
    pod = found["spec"]["template"]["spec"]
    pod["containers"][0]["image"] = "mirror.example/trainer:1"
    pod["containers"][0]["env"].append({"name": "HTTPS_PROXY", "value": "http://proxy"})
    pod["containers"].insert(0, {"name": "istio-proxy"})
    pod["tolerations"] = [{"operator": "Exists"}]
    assert fields(SENT, found) == []


def test_a_service_account_of_the_platform_is_no_mutation_where_the_spec_names_none() -> None:
    bot = a_bot_in("Train")
    sent = build_job(bot, bot.status.current_run or a_run(bot), SETTINGS)
    assert fields(sent, change(sent, "spec/template/spec/serviceAccountName", "default")) == []


@pytest.mark.parametrize("job", [SENT, CLEANUP])
def test_an_untouched_job_has_no_mutations_when_it_is_read_later(job: dict[str, Any]) -> None:
    found = {**job, "metadata": {**job["metadata"], **SERVED}}
    assert fields(restore_job(found), found) == []


@pytest.mark.parametrize("path", ["metadata/labels", "metadata/annotations", "metadata/labels/tweetbot.dev~1run"])
def test_a_job_is_known_by_its_pod_template_whatever_was_taken_off(path: str) -> None:
    whole = parse_job({**SENT, "metadata": {**SENT["metadata"], **SERVED}})
    job = parse_job(change({**SENT, "metadata": {**SENT["metadata"], **SERVED}}, path))
    known = (job.bot, job.bot_uid, job.run_id, job.stage, job.execution, job.creation_key)
    assert known == (whole.bot, whole.bot_uid, whole.run_id, whole.stage, whole.execution, whole.creation_key)
    assert (whole.mutations, bool(job.mutations)) == ((), True)
    assert (whole.watched, job.watched) == (True, path != "metadata/labels")


def test_a_job_without_its_owner_is_known_to_have_had_one() -> None:
    job = parse_job(change({**SENT, "metadata": {**SENT["metadata"], **SERVED}}, "metadata/ownerReferences"))
    assert (job.owner_uid, job.owner_lost, job.index_key) == ("", True, (BOT.namespace, BOT.uid))


def test_a_job_of_an_older_operator_without_a_copy_of_its_annotations_is_read_as_before() -> None:
    older = {**SENT, "metadata": {**SENT["metadata"], **SERVED}}
    older = change(older, "spec/template/metadata/annotations")
    job = parse_job(older)
    assert (job.execution, job.mutations) == (RUN.execution, ())


def test_a_message_says_what_was_sent_what_came_back_and_who_edited_it() -> None:
    edited = change(SENT, "metadata/labels/tweetbot.dev~1stage", "night")
    edited["metadata"]["managedFields"] = [
        {"manager": "python", "fieldsV1": {"f:spec": {"f:template": {}}}},
        {"manager": "kubectl-label", "fieldsV1": {"f:metadata": {}}},
        {"manager": "kube-controller-manager", "subresource": "status", "fieldsV1": {"f:status": {}}},
    ]
    assert format_mutations(find_mutations(SENT, edited)) == (
        'metadata.labels[tweetbot.dev/stage] (sent "train", got "night"), edited by kubectl-label'
    )


def test_a_message_stays_short() -> None:
    bare = change(change(SENT, "metadata/labels"), "metadata/annotations")
    words = format_mutations(find_mutations(SENT, bare))
    assert (words.count("sent "), words.endswith("and 3 more fields")) == (4, True)
    assert len(format_mutations(find_mutations(SENT, change(SENT, "spec/template/spec/containers/0/env/0")))) < 200


def test_two_tweetbots_differ_in_what_is_sent() -> None:
    other = a_bot(filter={"minWords": 7})
    assert fields(SENT, build_job(other, a_run(other), SETTINGS))
