"""What people hear of, and that they hear it once."""

import asyncio

from builders.operator import (
    NOON,
    a_bot,
    a_bot_in,
    a_complete_job,
    a_finished_pod,
    a_job,
    a_pod,
    a_prepare_result,
    a_train_result,
    an_observed,
)
from tweetbot_contract.data_table import DataWarning
from tweetbot_contract.status import TweetBotStatus
from tweetbot_fakes.kubernetes.cluster import FakeCluster
from tweetbot_operator.client.events import EventSpec, Recorder, build_bot_event, build_events
from tweetbot_operator.decisions.plan import plan
from tweetbot_operator.types.objects import CachedTweetBot, Manifest

RUNNING = a_bot_in("Train")
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
    assert (heard.type, heard.reason, heard.message) == ("Warning", "Diverged", "nan")


def test_an_advisory_is_a_warning_once_for_what_it_says() -> None:
    ended = a_bot_in("Train")
    job = a_complete_job(ended)
    result = a_train_result().model_copy(update={"gate_advisory": "Look at its samples."})
    after = plan(an_observed(ended, jobs=(job,), pods=(a_finished_pod(job, result),))).status
    heard = [(each.type, each.reason, each.message) for each in build_events(STATUS, after)]
    assert heard[1:] == [("Warning", "GateAdvisory", "Look at its samples.")]
    assert build_events(after, after) == ()


def test_a_warning_about_the_data_is_heard_once() -> None:
    preparing = a_bot_in("Prepare")
    job = a_complete_job(preparing)
    warning = DataWarning(reason="PostsMissing", message="14 of 320 posts are missing.")
    result = a_prepare_result().model_copy(update={"warnings": (warning,)})
    after = plan(an_observed(preparing, jobs=(job,), pods=(a_finished_pod(job, result),))).status
    assert ("Warning", "PostsMissing", warning.message) in [
        (each.type, each.reason, each.message) for each in build_events(STATUS, after)
    ]
    assert build_events(after, after) == ()


def test_a_long_message_in_any_script_fits_the_bytes_that_the_api_server_takes() -> None:
    failed = a_bot_in("Train", run_fields={"outcome": "Failed", "reason": "Diverged", "message": "x" + "ü" * 1000})
    (heard,) = build_events(STATUS, plan(an_observed(failed)).status)
    assert heard.message == "x" + "ü" * 511


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
    assert event["regarding"]["uid"] == "uid-gull"
    assert event["eventTime"] == "2026-01-01T12:00:00.000000Z"


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
    assert [event["regarding"]["name"] for event in cluster.events] == ["gull", "tern", "auk"]
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
