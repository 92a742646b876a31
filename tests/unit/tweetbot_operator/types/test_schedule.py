"""When a schedule starts runs: once for all that was missed, never for the past, never two at a time, by the clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.operator import (
    DIGEST,
    NOON,
    a_bot,
    a_bot_in,
    a_complete_job,
    a_finished_pod,
    a_prepare_result,
    a_run,
    a_train_result,
    an_observed,
    seconds_after_noon,
)
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.platform_class.run_class import RunClass
from tweetbot_contract.spec.lifecycle import Schedule
from tweetbot_contract.status import CurrentRun, ModelStatus, TweetBotStatus
from tweetbot_operator.decisions.plan import Plan, plan
from tweetbot_operator.types import times
from tweetbot_operator.types.actions import CreateJob
from tweetbot_operator.types.times import compute_schedule_times, compute_splay, find_schedule_error, format_time

HOURLY: dict[str, Any] = {"schedule": {"cron": "0 * * * *"}}
ENDED: dict[str, Any] = {"outcome": "Succeeded", "reason": "Succeeded", "finished_at": "2026-01-01T12:00:00Z"}
ONE = seconds_after_noon(3600)


@pytest.fixture(autouse=True)
def _exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start every bot at its schedule's own time."""
    monkeypatch.setattr(times, "SCHEDULE_SPREAD_SECONDS", 0)


def planned(bot: TweetBot, *, at: float = 0) -> Plan:
    return plan(an_observed(bot, at=at))


def a_scheduled_bot(**changes: Any) -> TweetBot:
    """Return a bot whose run has ended and whose next one is announced for 13:00."""
    changes = {"run_fields": ENDED, "status_fields": {"next_schedule_time": format_time(ONE)}, **HOURLY, **changes}
    return a_bot_in("Train", **changes)


def run_in(made: Plan) -> CurrentRun:
    assert made.status.current_run is not None
    return made.status.current_run


# ---- the clock


def coming(cron: str, zone: str, after: datetime) -> datetime | None:
    bot = a_bot(schedule={"cron": cron, "timeZone": zone})
    return compute_schedule_times(bot, after).next


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),  # 02:30 is left out: at 03:00
        (datetime(2026, 3, 29, 12, tzinfo=UTC), datetime(2026, 3, 30, 0, 30, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # comes twice: the first
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 10, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)),  # in the hour's return
    ],
)
def test_half_past_two_in_berlin_comes_once_a_day_the_whole_year(after: datetime, expected: datetime) -> None:
    assert coming("30 2 * * *", "Europe/Berlin", after) == expected


def test_every_hour_comes_every_hour_whatever_the_clocks_do() -> None:
    times = [datetime(2026, 10, 24, 22, tzinfo=UTC) + timedelta(hours=hours) for hours in range(6)]
    assert [coming("0 * * * *", "Europe/Berlin", time) for time in times[:-1]] == times[1:]


@given(
    cron=st.sampled_from(["30 2 * * *", "15 1-3 * * *", "*/15 * * * *", "0 */2 * * *", "0 2 * * 0#1"]),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Antarctica/Troll"]),
    seconds=st.integers(0, 365 * 86400) | st.integers(297 * 86400 - 7200, 297 * 86400 + 7200),  # around 25 October
)
def test_the_next_time_is_after_now_whatever_the_clocks_do(cron: str, zone: str, seconds: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    first = coming(cron, zone, now)
    assert first is not None
    assert now < first
    assert coming(cron, zone, first - timedelta(seconds=1)) == first


def test_a_time_is_that_of_its_zone() -> None:
    assert coming("0 3 * * 1", "Asia/Tokyo", NOON) == datetime(2026, 1, 4, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "begins"),
    [
        ({"start": 20, "end": 6}, 20),
        ({"start": 11, "end": 14}, 13),
        ({"start": 9, "end": 13}, 24 + 9),
        ({"start": 20, "end": 6, "timeZone": "Asia/Tokyo"}, 13),
    ],
)
def test_a_scheduled_run_waits_for_the_hours_of_its_class(hours: dict[str, Any], begins: int) -> None:
    """13:00 UTC is 22:00 in Tokyo."""
    limited = RunClass(name="nights", generation=1, spec={"scheduleHours": hours})
    expected = NOON.replace(hour=0) + timedelta(hours=begins)
    first = replace(a_scheduled_bot(), run_class=limited)
    assert compute_schedule_times(first, NOON).next == expected
    announced = first.status.model_copy(update={"next_schedule_time": format_time(expected)})
    waiting = replace(first, status=announced)
    assert compute_schedule_times(waiting, expected - timedelta(seconds=1)).due is None
    assert compute_schedule_times(waiting, expected + timedelta(seconds=5)).due == expected


def test_a_fleet_is_spread_by_uid_and_each_bot_keeps_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "SCHEDULE_SPREAD_SECONDS", 300)
    shifts = [compute_splay(f"uid-{number}", 300) for number in range(200)]
    assert shifts == [compute_splay(f"uid-{number}", 300) for number in range(200)]
    assert all(timedelta(0) <= shift <= timedelta(seconds=300) for shift in shifts)
    assert len(set(shifts)) > 100
    bot = a_bot(**HOURLY)
    assert compute_schedule_times(bot, NOON).next == NOON + compute_splay(bot.uid, 300)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Schedule(cron="0 5-3 * * *"), "spec.schedule.cron: Bad hour"),
        (Schedule(cron="0 3 30 2 *"), "spec.schedule.cron: Bad day-of-month"),
        (Schedule(cron="0 3 * * 1", time_zone="Europe/Atlantis"), "spec.schedule.timeZone: write a name"),
        (Schedule(cron="0 3 * * 1", time_zone="Europe"), "spec.schedule.timeZone: write a name"),
    ],
)
def test_an_invalid_schedule_is_reported_with_the_fields_path(schedule: Schedule, words: str) -> None:
    assert (find_schedule_error(schedule) or "").startswith(words)


def test_a_valid_schedule_has_no_error() -> None:
    assert find_schedule_error(Schedule(cron="*/15 3 1-7 JAN MON", time_zone="America/New_York")) is None


# ---- what is due


def test_the_next_time_is_announced_and_requeued_for() -> None:
    made = planned(a_bot_in("Train", run_fields=ENDED, **HOURLY))
    assert (made.status.next_schedule_time, made.status.last_schedule_time) == (format_time(ONE), None)
    assert made.requeue_at == ONE
    assert run_in(made).number == 1


def test_an_announced_time_starts_a_run_and_announces_the_next() -> None:
    bot = a_scheduled_bot()
    assert run_in(planned(bot, at=3599)).number == 1
    made = planned(bot, at=3600)
    assert (made.status_first, run_in(made).number, run_in(made).trigger) == (True, 2, "schedule/2026-01-01T13:00:00Z")
    assert made.status.last_schedule_time == format_time(ONE)
    assert made.status.next_schedule_time == format_time(seconds_after_noon(7200))


def test_of_many_missed_times_only_one_starts_a_run() -> None:
    made = planned(a_scheduled_bot(), at=3600 * 30)
    assert (run_in(made).number, made.status.next_schedule_time) == (2, format_time(seconds_after_noon(3600 * 31)))
    again = replace(a_scheduled_bot(), status=made.status)
    assert run_in(planned(again, at=3600 * 30)).number == 2


def test_a_clock_that_goes_back_over_a_time_neither_starts_it_again_nor_stops_the_schedule() -> None:
    started = planned(a_scheduled_bot(), at=3601).status
    ended = run_in(planned(a_scheduled_bot(), at=3601)).model_copy(update=ENDED)
    bot = replace(a_scheduled_bot(), status=started.model_copy(update={"current_run": ended}))
    back = planned(bot, at=3599)
    assert (back.status.next_schedule_time, run_in(back).number) == (format_time(ONE), 2)
    again = planned(replace(bot, status=back.status), at=3600)
    assert (again.status.next_schedule_time, run_in(again).number) == (format_time(seconds_after_noon(7200)), 2)
    assert run_in(planned(replace(bot, status=again.status), at=7200)).number == 3


def test_a_schedule_that_is_new_or_edited_starts_nothing_for_the_past() -> None:
    edited = a_scheduled_bot(schedule={"cron": "30 * * * *"})
    made = planned(edited, at=3700)
    assert (run_in(made).number, made.status.next_schedule_time) == (1, format_time(seconds_after_noon(5400)))


def test_a_time_waits_for_the_active_run_and_starts_one_after_it() -> None:
    going = a_scheduled_bot(run_fields={})
    held = planned(going, at=9000)
    assert (run_in(held).number, held.status.next_schedule_time) == (1, format_time(ONE))
    ended = replace(going, status=a_scheduled_bot().status)
    made = planned(ended, at=9001)
    assert (run_in(made).number, made.status.next_schedule_time) == (2, format_time(seconds_after_noon(10800)))


def test_a_run_with_another_trigger_replaces_a_waiting_time() -> None:
    bot = replace(a_scheduled_bot(), retrain_at="now")
    made = planned(bot, at=3700)
    assert (run_in(made).trigger, made.status.last_schedule_time) == ("now", format_time(ONE))
    assert made.status.next_schedule_time == format_time(seconds_after_noon(7200))


def test_a_suspended_bot_misses_its_times_and_catches_up_once() -> None:
    bot = a_scheduled_bot(suspend=True)
    assert run_in(planned(bot, at=9000)).number == 1
    assert run_in(planned(replace(bot, spec=a_scheduled_bot().spec), at=9000)).number == 2


def test_a_schedule_retries_what_failed() -> None:
    bot = a_scheduled_bot(run_fields={**ENDED, "outcome": "Failed", "reason": "Diverged", "message": "nan"})
    assert run_in(planned(bot, at=3600)).number == 2


def test_removing_the_schedule_starts_nothing_and_announces_nothing() -> None:
    bot = a_scheduled_bot(run_fields={**ENDED, "trigger": "schedule/2026-01-01T12:00:00Z"}, schedule=None)
    made = planned(bot, at=9000)
    assert (run_in(made).number, made.status.next_schedule_time) == (1, None)


def test_an_annotation_handled_before_a_scheduled_run_is_not_new_after_it() -> None:
    fields = {"next_schedule_time": format_time(ONE), "last_handled_retrain_at": "now"}
    bot = replace(a_scheduled_bot(run_fields={**ENDED, "trigger": "now"}, status_fields=fields), retrain_at="now")
    made = planned(bot, at=3600)
    assert (run_in(made).trigger, made.status.last_handled_retrain_at) == ("schedule/2026-01-01T13:00:00Z", "now")
    assert run_in(planned(replace(bot, status=made.status), at=3601)).number == 2


# ---- what a scheduled run is


def a_served_bot(*, min_new: int = 100, trigger: str = "schedule/2026-01-01T12:00:00Z", **spec: Any) -> TweetBot:
    bot = a_bot(schedule={"cron": "0 * * * *", "minNewPosts": min_new}, **spec)
    model = ModelStatus(**a_train_result().model.model_dump(), run_id="0" * 16, identity=a_run(a_bot()).identity)
    return replace(bot, status=TweetBotStatus(current_run=a_run(bot, trigger=trigger), model=model))


def handed_over(bot: TweetBot) -> RunDocument:
    (action,) = planned(bot).actions
    assert isinstance(action, CreateJob)
    env = action.manifest["spec"]["template"]["spec"]["containers"][0]["env"]
    return RunDocument.model_validate_json(next(entry["value"] for entry in env if entry["name"] == "TWEETBOT_RUN"))


def test_a_scheduled_run_gets_the_number_of_new_posts_it_needs() -> None:
    document = handed_over(a_served_bot())
    assert (document.min_new_posts, document.forced) == (100, False)


@pytest.mark.parametrize(
    "bot",
    [
        a_served_bot(trigger=""),
        a_served_bot(trigger="now"),
        a_served_bot(trigger="force/now"),
        a_served_bot(filter={"minWords": 5}),
        replace(a_served_bot(), status=TweetBotStatus(current_run=a_served_bot().status.current_run)),
    ],
    ids=["asked for by the spec", "asked for again", "forced", "after an edit of what is trained", "without a model"],
)
def test_other_runs_train_however_few_posts_are_new(bot: TweetBot) -> None:
    assert handed_over(bot).min_new_posts == 0


def test_a_run_that_finds_too_little_new_ends_well_and_keeps_the_model() -> None:
    bot = a_served_bot()
    job = a_complete_job(bot)
    result = a_prepare_result().model_copy(update={"new_posts": 3})
    made = plan(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, result),)))
    assert (run_in(made).outcome, run_in(made).reason, run_in(made).dataset) == ("Succeeded", "NothingNew", DIGEST)
    assert (made.status.model, made.status.phase) == (bot.status.model, "Succeeded")
    ready = made.status.find_condition("ModelReady")
    assert ready is not None
    assert (ready.status, made.status.runs[0].model_uri) == ("True", None)


async def test_an_hourly_schedule_is_one_run_an_hour_and_silence_between() -> None:
    stage = Stage()
    await stage.apply(**HOURLY)
    await stage.whole_run()
    for hour in range(1, 6):
        await stage.wait(3600)
        assert stage.run.number == hour + 1
        assert stage.run.trigger == f"schedule/{format_time(seconds_after_noon(3600 * hour))}"
        await stage.end_stage(a_prepare_result().model_copy(update={"new_posts": 0}))
        before = list(stage.cluster.writes)
        stage.queue.add((NAMESPACE, NAME))
        await stage.settle()
        assert stage.cluster.writes == before
    assert [record.number for record in stage.status.runs] == [6, 5, 4, 3, 2]


async def test_an_invalid_schedule_is_reported_and_its_correction_heals_it() -> None:
    stage = Stage()
    await stage.apply(schedule={"cron": "0 5-3 * * *"})
    assert stage.reason() == "InvalidSpec"
    message = (stage.status.find_condition("Accepted") or stage.status.conditions[0]).message
    assert message.startswith("spec.schedule.cron: Bad hour")
    stage.cluster.edit(NAMESPACE, NAME, schedule={"cron": "0 23 * * *"})
    await stage.settle()
    assert stage.reason() == "Preparing"
