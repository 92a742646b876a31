"""What people hear of, and that they hear it once."""

import asyncio
from dataclasses import replace

import pytest

from builders.operator import (
    DIGEST,
    NOON,
    a_bot,
    a_bot_in,
    a_complete_job,
    a_failed_job,
    a_failed_pod,
    a_finished_pod,
    a_job,
    a_pod,
    a_prepare_result,
    a_train_result,
    an_observed,
)
from tweetbot_contract.data_table import DataWarning
from tweetbot_contract.result import PrepareSucceeded, StageFailed
from tweetbot_contract.status import DataStatus, TweetBotStatus
from tweetbot_fakes.kubernetes.cluster import FakeCluster
from tweetbot_operator.client.events import EventSpec, Recorder, build_bot_event, build_events
from tweetbot_operator.decisions.plan import plan
from tweetbot_operator.decisions.status import set_summary
from tweetbot_operator.types.objects import CachedTweetBot, Manifest
from tweetbot_operator.types.stage_state import Summary

RUNNING = a_bot_in("Train")
JOB = a_job(RUNNING)
STATUS = plan(an_observed(RUNNING, jobs=(a_job(RUNNING),), pods=(a_pod(a_job(RUNNING)),))).status
ABOUT = CachedTweetBot("team-a", "gull", "uid-gull", "1", b"{}")


def test_the_first_status_is_heard_of() -> None:
    first = plan(an_observed(a_bot())).status
    assert [each.reason for each in build_events(TweetBotStatus(), first)] == ["Preparing"]


def test_a_status_that_says_the_same_is_not_heard_of() -> None:
    assert build_events(STATUS, STATUS) == ()


def test_a_run_that_gives_way_is_heard_of() -> None:
    run = STATUS.current_run
    assert run is not None
    after = STATUS.model_copy(update={"current_run": run.model_copy(update={"id": "f" * 16, "number": 2})})
    assert [each.reason for each in build_events(STATUS, after)] == ["Superseded", "Training"]


def test_an_alarm_is_a_warning() -> None:
    failed = a_bot_in("Train", run_fields={"outcome": "Failed", "reason": "Diverged", "message": "nan"})
    (heard,) = build_events(STATUS, plan(an_observed(failed)).status)
    assert (heard.type, heard.reason, heard.message) == ("Warning", "Diverged", "Run 1 failed: nan")


def test_an_advisory_is_a_warning_once_for_what_it_says() -> None:
    ended = a_bot_in("Train")
    job = a_complete_job(ended)
    result = a_train_result().model_copy(update={"gate_advisory": "Look at its samples."})
    after = plan(an_observed(ended, jobs=(job,), pods=(a_finished_pod(job, result),))).status
    heard = [(each.type, each.reason, each.message) for each in build_events(STATUS, after)]
    assert heard[1:] == [("Warning", "GateAdvisory", "Run 1: Look at its samples.")]
    assert build_events(after, after) == ()


def test_a_warning_about_the_data_is_heard_once() -> None:
    preparing = a_bot_in("Prepare")
    job = a_complete_job(preparing)
    warning = DataWarning(reason="PostsMissing", message="14 of 320 posts are missing.")
    result = a_prepare_result().model_copy(update={"warnings": (warning,)})
    after = plan(an_observed(preparing, jobs=(job,), pods=(a_finished_pod(job, result),))).status
    assert ("Warning", "PostsMissing", f"Run 1: {warning.message}") in [
        (each.type, each.reason, each.message) for each in build_events(STATUS, after)
    ]
    assert build_events(after, after) == ()


def test_a_published_model_is_named_with_the_figures_that_tell_whether_it_is_any_good() -> None:
    job = a_complete_job(RUNNING)
    after = plan(an_observed(RUNNING, jobs=(job,), pods=(a_finished_pod(job, a_train_result()),))).status
    (heard,) = build_events(STATUS, after)
    said = "Run 1 published team-a-gull-v1: evalLoss 2.5."
    assert (heard.type, heard.reason, heard.message) == ("Normal", "Succeeded", said)
    data = DataStatus(downloaded=3000, short=76, kept=2924, digest=DIGEST)
    (heard,) = build_events(STATUS, after.model_copy(update={"data": data}))
    assert heard.message == "Run 1 published team-a-gull-v1: evalLoss 2.5, 2,924 posts."
    beside = after.model_copy(update={"model": None})
    (heard,) = build_events(STATUS, beside)
    assert heard.message == "Run 1 published version v1 beside the pin: evalLoss 2.5."


def test_a_training_begins_with_the_number_of_its_posts_and_an_adopted_model_with_its_figures() -> None:
    assert heard_of_preparing(a_prepare_result()) == [
        ("Normal", "Training", "Run 1: Fine-tuning the model. Its dataset has 1,500 posts.")
    ]
    adopted = heard_of_preparing(a_prepare_result(adopted=a_train_result()))
    assert adopted == [("Normal", "Adopted", "Run 1 adopted team-a-gull-v1: evalLoss 2.5, 1,500 posts.")]


def test_tracking_that_does_less_is_heard_of_when_the_preparation_knows_it_and_not_again() -> None:
    heard = heard_of_preparing(a_prepare_result(degraded="the Secret wandb has no key key: create it"))
    assert heard[1:] == [("Warning", "TrackingDegraded", "Run 1: the Secret wandb has no key key: create it")]


def heard_of_preparing(result: PrepareSucceeded) -> list[tuple[str, str, str]]:
    """Return what is heard of when a preparation ends with this result."""
    bot = a_bot_in("Prepare")
    job = a_job(bot)
    before = plan(an_observed(bot, jobs=(job,), pods=(a_pod(job),))).status
    ended = replace(bot, status=before)
    done = a_complete_job(ended)
    after = plan(an_observed(ended, jobs=(done,), pods=(a_finished_pod(done, result),))).status
    assert build_events(after, after) == ()
    return [(each.type, each.reason, each.message) for each in build_events(before, after)]


async def test_each_attempt_that_is_killed_is_heard_of_with_its_pod_and_exit_code() -> None:
    cluster = FakeCluster(lambda: NOON)
    recorder, bot = Recorder(cluster, lambda: NOON), RUNNING
    pods = tuple(a_failed_pod(JOB, 137, name=f"gull-train-{number}", uid=f"uid-{number}") for number in (1, 2))
    for failed in (1, 2):
        job = a_job(bot, failed_pods=failed)
        after = plan(an_observed(bot, jobs=(job,), pods=(*pods[:failed], a_pod(job)))).status
        recorder.note(ABOUT, bot.status, after)
        bot = replace(bot, status=after)
    await recorder.flush()
    killed = [(event["type"], event["message"]) for event in cluster.events if event["reason"] == "Killed"]
    assert [kind for kind, _ in killed] == ["Warning"] * 2
    begin = "Run 1: attempt {0} of the train stage (Pod gull-train-{0}, exit code 137) ended: "
    assert [message.startswith(begin.format(number)) for number, (_, message) in enumerate(killed, 1)] == [True] * 2


def test_the_last_attempt_of_a_run_that_fails_is_told_once() -> None:
    job = a_failed_job(RUNNING)
    said = StageFailed(reason="Diverged", message="the loss is nan")
    pod = a_failed_pod(job, 65, said=said, name="gull-train-1")
    heard = build_events(STATUS, plan(an_observed(RUNNING, jobs=(job,), pods=(pod,))).status)
    message = "Run 1 failed in attempt 1 of the train stage (Pod gull-train-1, exit code 65): the loss is nan"
    assert [(each.type, each.reason, each.message[: len(message)]) for each in heard] == [
        ("Warning", "Diverged", message)
    ]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("Unschedulable", "Warning"),
        ("RetryBackoff", "Warning"),
        ("Evicted", "Warning"),
        ("StorageUnavailable", "Warning"),
        ("Queued", "Normal"),
        ("Suspended", "Normal"),
        ("WaitingForPreviousPod", "Normal"),
    ],
)
def test_an_event_has_its_type_from_the_start_before_anything_is_stalled(reason: str, kind: str) -> None:
    (heard,) = build_events(STATUS, set_summary(RUNNING, Summary("Training", reason, "words"), NOON))
    assert heard.type == kind


def test_a_long_message_in_any_script_fits_the_bytes_that_the_api_server_takes() -> None:
    failed = a_bot_in("Train", run_fields={"outcome": "Failed", "reason": "Diverged", "message": "x" + "ü" * 1000})
    (heard,) = build_events(STATUS, plan(an_observed(failed)).status)
    assert heard.message == "Run 1 failed: x" + "ü" * 504


def test_an_event_is_named_by_what_it_says_so_that_a_repetition_is_refused() -> None:
    happening = EventSpec("Normal", "Training", "Fine-tuning the model.")
    names = [build_bot_event(happening, ABOUT, scope, NOON)["metadata"]["name"] for scope in ("a-1", "a-1", "a-2")]
    assert names[0] == names[1] != names[2]


def test_an_event_with_other_numbers_is_a_repetition_too() -> None:
    words = [f"0/{nodes} nodes are available: {nodes} Insufficient cpu." for nodes in (3, 4)]
    names = [build_bot_event(EventSpec("Warning", "Unschedulable", each), ABOUT, "a-1", NOON) for each in words]
    assert names[0]["metadata"]["name"] == names[1]["metadata"]["name"]
    other = build_bot_event(
        EventSpec("Warning", "Unschedulable", "0/3 nodes: Insufficient memory."), ABOUT, "a-1", NOON
    )
    assert other["metadata"]["name"] != names[0]["metadata"]["name"]


async def test_each_retry_of_a_run_is_heard_of() -> None:
    cluster = FakeCluster(lambda: NOON)
    recorder = Recorder(cluster, lambda: NOON)
    run = STATUS.current_run
    assert run is not None
    for retries in (1, 2, 2):
        recorder.note(
            ABOUT,
            TweetBotStatus(),
            STATUS.model_copy(update={"current_run": run.model_copy(update={"retries": retries})}),
        )
    await recorder.flush()
    assert len(cluster.events) == 2


def test_an_event_says_what_it_is_about() -> None:
    event = build_bot_event(EventSpec("Normal", "Training", "words"), ABOUT, "a-1", NOON)
    assert event["involvedObject"]["uid"] == "uid-gull"
    assert event["eventTime"] == "2026-01-01T12:00:00.000000Z"
    assert (event["firstTimestamp"], event["lastTimestamp"], event["count"]) == (*["2026-01-01T12:00:00Z"] * 2, 1)


async def test_events_are_posted_at_leisure_while_tweetbots_wait() -> None:
    cluster, pauses, busy = FakeCluster(lambda: NOON), list[float](), [True, True, False]
    posted = asyncio.Event()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    def still_busy() -> bool:
        if len(busy) == 1:
            posted.set()
        return busy.pop(0)

    recorder = Recorder(cluster, lambda: NOON, sleep=sleep)
    for name in ("gull", "tern", "auk"):
        recorder.note(CachedTweetBot("team-a", name, f"uid-{name}", "1", b""), TweetBotStatus(), STATUS)
    running = asyncio.create_task(recorder.run(still_busy))
    await asyncio.wait_for(posted.wait(), 120)
    running.cancel()
    assert [event["involvedObject"]["name"] for event in cluster.events] == ["gull", "tern", "auk"]
    assert len(pauses) == 3  # one before the first, and one after each that others had to wait for


class SlowCluster(FakeCluster):
    """An API server that takes its time over Events."""

    def __init__(self) -> None:
        super().__init__(lambda: NOON)
        self.asked, self.answers = asyncio.Event(), asyncio.Event()

    async def create_event(self, event: Manifest) -> None:
        self.asked.set()
        await self.answers.wait()
        await super().create_event(event)


async def test_an_operator_that_ends_posts_the_event_that_is_on_its_way() -> None:
    cluster = SlowCluster()
    recorder = Recorder(cluster, lambda: NOON, sleep=lambda seconds: asyncio.sleep(0))
    recorder.note(ABOUT, TweetBotStatus(), STATUS)
    running = asyncio.create_task(recorder.run())
    await asyncio.wait_for(cluster.asked.wait(), 120)
    flushing = asyncio.create_task(recorder.flush())
    await asyncio.sleep(0)
    cluster.answers.set()
    await flushing
    running.cancel()
    await asyncio.wait([running])
    assert len(cluster.events) == 1
