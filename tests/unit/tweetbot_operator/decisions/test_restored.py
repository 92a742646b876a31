"""What was exported, or comes from a backup: nothing runs twice, and no other TweetBot's status is believed."""

from copy import deepcopy

import pytest

from harness.stage_operator import NAME, NAMESPACE, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize("names", [("retrain-at",), ("retrain-at", "force-at")])
async def test_an_older_annotation_that_comes_back_starts_nothing(stage: Stage, names: tuple[str, ...]) -> None:
    async def annotate(value: str) -> None:
        stage.cluster.annotate(NAMESPACE, NAME, {f"tweetbot.dev/{name}": value for name in names})
        await stage.settle()

    await stage.apply()
    await stage.whole_run()
    for value in ("2026-01-02", "2026-01-03"):
        await annotate(value)
        await stage.whole_run()
    await annotate("2026-01-02")
    assert (stage.run.number, stage.status.last_handled_retrain_at) == (3, "2026-01-03")


async def restore(stage: Stage, **metadata: object) -> None:
    """Apply what was exported, its status too, as another object of the same name."""
    exported = deepcopy(stage.cluster.objects["tweetbots", NAMESPACE, NAME])
    stage.cluster.remove("tweetbots", NAMESPACE, NAME)
    for job in stage.cluster.names("jobs"):
        stage.cluster.remove("jobs", NAMESPACE, job)
    del exported["metadata"]["uid"]
    exported["metadata"].update(metadata)
    stage.cluster.writes.clear()
    stage.cluster.put("tweetbots", exported)
    await stage.settle()


async def test_a_status_written_for_another_tweetbot_is_not_believed(stage: Stage) -> None:
    await stage.apply()
    await stage.whole_run()
    await restore(stage)
    assert stage.cluster.writes[0] == "forget status gull"
    assert (stage.run.number, stage.run.outcome, stage.status.model) == (1, None, None)
    await stage.whole_run()
    assert (stage.status.phase, len(stage.status.runs)) == ("Succeeded", 1)


async def test_annotations_that_were_exported_start_one_run_and_no_second(stage: Stage) -> None:
    await stage.apply()
    await stage.whole_run()
    await restore(stage, annotations={"tweetbot.dev/retrain-at": "2026-01-02", "kopf.zalando.org/progress": "{"})
    await stage.whole_run()
    await stage.wait(86400)
    assert (stage.run.number, len(stage.status.runs)) == (1, 1)


async def test_a_foreign_status_on_an_unreadable_spec_is_not_believed_either(stage: Stage) -> None:
    await stage.apply()
    await stage.whole_run()
    stage.cluster.objects["tweetbots", NAMESPACE, NAME]["spec"]["sources"] = "none"
    await restore(stage)
    assert (stage.reason("Accepted"), stage.status.current_run, stage.status.model) == ("InvalidSpec", None, None)
