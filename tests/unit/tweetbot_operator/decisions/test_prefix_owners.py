"""Two clusters with one bucket: what the operator says and does where another TweetBot owns the output's folder."""

from typing import Any

import pytest

from builders.manifests import a_manifest
from builders.operator import NOON, SETTINGS, a_prepare_result, a_train_result
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.handover import RUN_ENV, TAKE_OVER_ANNOTATION, RunDocument
from tweetbot_contract.result import CleanupSucceeded, StageFailed, encode
from tweetbot_operator.decisions.run import RETRY_SECONDS

OWNED = "The folder team-a/gull of spec.output.s3 belongs to the TweetBot with uid theirs in cluster b."
REFUSED = encode(StageFailed(reason="PrefixOwned", message=OWNED)).decode()
SHARED = a_prepare_result(adopted=a_train_result()).model_copy(update={"prefix_owned": OWNED})
CLEANUP = "gull-uidgull-cleanup"


@pytest.fixture
def stage() -> Stage:
    return Stage(SETTINGS.model_copy(update={"cluster_uid": "cluster-a"}))


async def annotate(stage: Stage, **annotations: str) -> None:
    """Set the annotations, such as `retrain_at` and `take_over_prefix`."""
    named = {f"tweetbot.dev/{name.replace('_', '-')}": value for name, value in annotations.items()}
    stage.cluster.annotate(NAMESPACE, NAME, named)
    await stage.settle()


async def edit(stage: Stage, **spec: Any) -> None:
    stage.cluster.edit(NAMESPACE, NAME, **spec)
    await stage.settle()


def document(stage: Stage, job: str) -> RunDocument:
    pod = stage.cluster.objects["jobs", NAMESPACE, job]["spec"]["template"]["spec"]
    env = {entry["name"]: entry.get("value", "") for entry in pod["containers"][0]["env"]}
    return RunDocument.model_validate_json(env[RUN_ENV])


def condition(stage: Stage, type_: str) -> tuple[str, str, str] | None:
    found = stage.status.find_condition(type_)
    return (found.status, found.reason, found.message) if found else None


# ---- adoption in another's folder


async def test_a_job_is_told_the_cluster_and_what_is_taken_over(stage: Stage) -> None:
    await stage.apply()
    assert (document(stage, stage.job_name).cluster, document(stage, stage.job_name).take_over) == ("cluster-a", "")
    await annotate(stage, take_over_prefix="theirs")
    await stage.collect_garbage()
    assert document(stage, stage.job_name).take_over == "theirs"


async def test_a_model_adopted_from_anothers_folder_is_served_and_the_owner_is_named_while_it_lasts(
    stage: Stage,
) -> None:
    await stage.apply()
    await stage.end_stage(SHARED)
    assert stage.run.reason == "Adopted"
    assert stage.status.model is not None
    assert condition(stage, "PrefixShared") == ("True", "PrefixOwned", OWNED)
    await edit(stage, history={"runs": 7})
    assert condition(stage, "PrefixShared") == ("True", "PrefixOwned", OWNED)
    await edit(stage, training={"epochs": 2})
    await stage.end_stage(a_prepare_result())
    assert condition(stage, "PrefixShared") is None


async def test_a_bot_that_owns_its_folder_has_no_such_condition(stage: Stage) -> None:
    await stage.apply()
    await stage.whole_run()
    assert condition(stage, "PrefixShared") is None


async def test_a_training_that_finds_another_owner_tells_of_it_with_its_model(stage: Stage) -> None:
    await stage.apply()
    await stage.end_stage(a_prepare_result())
    await stage.end_stage(a_train_result().model_copy(update={"prefix_owned": OWNED}))
    assert condition(stage, "PrefixShared") == ("True", "PrefixOwned", OWNED)


# ---- a run that would have to train


async def refuse(stage: Stage) -> None:
    await stage.fail_stage(10, REFUSED)


async def test_what_only_a_person_can_settle_is_stalled_and_looked_at_again(stage: Stage) -> None:
    await stage.apply()
    await refuse(stage)
    for type_ in ("Ready", "Stalled"):
        found = condition(stage, type_)
        assert found is not None
        assert found[1] == "PrefixOwned"
        assert found[2].startswith(f"{OWNED} It is looked at again at 2026-")
    assert stage.run.outcome is None
    await stage.wait(RETRY_SECONDS)
    await stage.collect_garbage()
    await stage.end_stage(a_prepare_result())  # the other one was deleted meanwhile
    assert (stage.run.stage, condition(stage, "Stalled")) == ("Train", None)


async def test_after_a_day_the_run_fails_with_the_owners_name(stage: Stage) -> None:
    await stage.apply()
    for _ in range(40):
        await refuse(stage)
        await stage.wait(3600)
        await stage.collect_garbage()
        if stage.run.outcome:
            break
    assert (stage.run.outcome, stage.run.reason, stage.run.message) == ("Failed", "PrefixOwned", OWNED)


# ---- the annotation


@pytest.mark.parametrize("ended", [True, False])
async def test_the_annotation_starts_a_run_at_once_whether_the_last_one_ended_or_waits(
    stage: Stage, ended: bool
) -> None:
    await stage.apply()
    await (stage.end_stage(SHARED) if ended else refuse(stage))
    await annotate(stage, take_over_prefix="theirs")
    await stage.collect_garbage()
    assert (stage.run.number, stage.run.trigger, stage.run.stage) == (2, "take-over/theirs", "Prepare")
    taken = document(stage, stage.job_name)
    assert (taken.take_over, taken.forced) == ("theirs", False)


async def test_an_annotation_that_stays_in_git_starts_one_run(stage: Stage) -> None:
    await stage.apply()
    await annotate(stage, take_over_prefix="theirs")
    await stage.collect_garbage()
    await stage.whole_run()
    assert stage.status.last_handled_take_over == "theirs"
    for _ in range(3):
        await annotate(stage, take_over_prefix="theirs")
        await stage.wait(3600)
    assert stage.run.number == 2
    await annotate(stage, take_over_prefix="others")
    assert stage.run.number == 3


async def test_an_annotation_from_the_beginning_goes_with_the_first_run(stage: Stage) -> None:
    manifest = a_manifest()
    manifest["metadata"]["annotations"] = {TAKE_OVER_ANNOTATION: "theirs"}
    stage.cluster.put("tweetbots", manifest)
    await stage.settle()
    assert (stage.run.number, stage.run.trigger) == (1, "")
    assert document(stage, stage.job_name).take_over == "theirs"
    await stage.whole_run()
    await stage.wait(60)
    assert stage.run.number == 1


async def test_both_annotations_at_once_give_one_run_that_trains_and_takes_over(stage: Stage) -> None:
    await stage.apply()
    await stage.end_stage(SHARED)
    await annotate(stage, take_over_prefix="theirs", retrain_at="again", force_at="again")
    await stage.collect_garbage()
    taken = document(stage, stage.job_name)
    assert (stage.run.number, taken.forced, taken.take_over) == (2, True, "theirs")
    await stage.whole_run()
    assert stage.run.number == 2


# ---- deletion


async def end_cleanup(stage: Stage, verdict: Any, exit_code: int, message: str) -> None:
    stage.cluster.end_pod(CLEANUP, NAMESPACE, exit_code, message)
    stage.cluster.end_job(CLEANUP, NAMESPACE, verdict)
    await stage.settle()


async def delete(stage: Stage) -> None:
    await stage.apply(deletionPolicy="Delete")
    await stage.end_stage(SHARED)
    stage.cluster.delete_bot(NAMESPACE, NAME)
    await stage.settle()
    await stage.collect_garbage()


#: What the run has said of the owner before.
ADOPTING = [f"Run 1: {OWNED}"]


def said_of_owners(stage: Stage) -> list[str]:
    return [event["message"] for event in stage.cluster.events if event["reason"] == "PrefixOwned"]


LEFT = encode(CleanupSucceeded(prefix_owned=f"Nothing was erased. {OWNED}")).decode()
FOREIGN = encode(StageFailed(reason="PrefixOwned", message=f"Nothing was erased. {OWNED}")).decode()


@pytest.mark.parametrize(
    ("verdict", "exit_code", "message"), [("Complete", 0, LEFT), ("Failed", 10, FOREIGN)], ids=["left", "foreign"]
)
async def test_a_deletion_that_erases_nothing_says_whose_the_objects_are_and_is_not_held_up(
    stage: Stage, verdict: str, exit_code: int, message: str
) -> None:
    await delete(stage)
    assert document(stage, CLEANUP).cluster == "cluster-a"
    await end_cleanup(stage, verdict, exit_code, message)
    assert ("tweetbots", NAMESPACE, NAME) not in stage.cluster.objects
    assert said_of_owners(stage)[-1] == f"Nothing was erased. {OWNED}"
    assert stage.time == NOON


async def test_a_deletion_that_erases_says_nothing_of_owners(stage: Stage) -> None:
    await delete(stage)
    await end_cleanup(stage, "Complete", 0, "")
    assert ("tweetbots", NAMESPACE, NAME) not in stage.cluster.objects
    assert said_of_owners(stage) == ADOPTING


async def test_a_result_that_no_watch_has_shown_is_read_before_the_bot_goes(stage: Stage) -> None:
    await delete(stage)
    watch, stage.cluster.event_handler = stage.cluster.event_handler, None
    stage.cluster.end_pod(CLEANUP, NAMESPACE, 0, LEFT)
    stage.cluster.event_handler = watch
    stage.cluster.end_job(CLEANUP, NAMESPACE, "Complete")
    await stage.settle()
    assert said_of_owners(stage) == [*ADOPTING, f"Nothing was erased. {OWNED}"]
