"""What each stage reported last, and whose figures /metrics shows."""

from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from builders.operator import a_run
from builders.progress import Training


@pytest.fixture
def training() -> Iterator[Training]:
    """A training whose figures are gone afterwards: the registry is the process's."""
    training = Training("boarded")
    yield training
    training.store.clear()


def shown(figure: str) -> float | None:
    return REGISTRY.get_sample_value(f"tweetbot_run_{figure}", {"bot_namespace": "team-a", "bot": "boarded"})


def test_tracking_that_does_less_is_worth_a_pass_once(training: Training) -> None:
    said = {"tracking_degraded": "the Secret wandb has no key key: create it"}
    training.store.put(training.key, training.report(42))
    for _ in range(3):
        training.store.put(training.key, training.report(42, **said))
    assert training.passes == [training.key] * 2


def test_a_report_is_live_at_once(training: Training) -> None:
    training.store.put(training.key, training.report(42, step=21, total_steps=50, eta_seconds=90, train_loss=2.5))
    assert (shown("progress_percent"), shown("eta_seconds"), shown("step"), shown("train_loss")) == (42, 90, 21, 2.5)
    assert shown("eval_loss") is None
    report = training.store.get(training.key)
    assert report is not None
    assert (report.percent, report.total_steps) == (42, 50)


def test_a_pod_that_forgets_its_estimate_is_not_believed(training: Training) -> None:
    training.store.put(training.key, training.report(42, eta_seconds=90))
    training.store.put(training.key, training.report(43))
    assert (shown("progress_percent"), shown("eta_seconds")) == (42, 90)


def test_a_pod_that_goes_back_is_not_believed(training: Training) -> None:
    training.store.put(training.key, training.report(42))
    training.store.put(training.key, training.report(41))
    assert shown("progress_percent") == 42


def test_another_pod_of_the_run_begins_where_it_is(training: Training) -> None:
    training.store.put(training.key, training.report(42, step=21, eval_loss=2.0))
    training.store.put(training.key, training.report(1, step=1, pod_uid="second"))
    assert (shown("progress_percent"), shown("eval_loss")) == (1, None)
    assert training.passes == [training.key] * 2


def test_a_preparation_has_no_percentage_but_what_it_waits_for(training: Training) -> None:
    waiting = {"reason": "XUnavailable", "message": "X answered 503", "since": "2026-01-01T12:00:00Z"}
    training.store.put(training.key, training.report(None, stage="Prepare", posts=300, waiting=waiting))
    report = training.store.get(training.key)
    assert report is not None
    assert report.waiting is not None
    assert (report.waiting.reason, report.posts, shown("progress_percent")) == ("XUnavailable", 300, None)


def test_a_pass_is_asked_for_every_three_points_and_for_the_first_estimate(training: Training) -> None:
    for percent in range(100):
        for _ in range(3):
            training.store.put(training.key, training.report(percent, eta_seconds=60 if percent else None))
    assert len(training.passes) == 1 + 1 + 32


@pytest.mark.parametrize("end", ["outcome", "stage", "another run", "no run", "gone"])
def test_the_figures_go_when_the_run_ends(training: Training, end: str) -> None:
    training.store.put(training.key, training.report(42))
    run = a_run(training.bot, stage="Train")
    training.store.prune(training.key, run)
    assert shown("progress_percent") == 42
    match end:
        case "outcome":
            training.store.prune(training.key, run.model_copy(update={"outcome": "Succeeded"}))
        case "stage":
            training.store.prune(training.key, run.model_copy(update={"stage": "Prepare"}))
        case "another run":
            training.store.prune(training.key, run.model_copy(update={"id": "0" * 16}))
        case "no run":
            training.store.prune(training.key, None)
        case _:
            training.store.forget(training.key)
    assert (shown("progress_percent"), training.store.get(training.key)) == (None, None)


NOON = "2026-01-01T12:00:00Z"


def a_wait(since: str = NOON, message: str = "S3 does not answer") -> dict[str, str]:
    return {"reason": "StorageUnavailable", "message": message, "since": since}


def told(training: Training) -> str | None:
    """Return since when decisions know of a wait."""
    report = training.store.observe(training.key)
    return report.waiting.since if report and report.waiting else None


def test_a_wait_is_told_at_the_third_poll_and_is_over_at_the_second_without_it(training: Training) -> None:
    for passes, shown in ((1, None), (1, None), (2, NOON), (2, NOON)):
        training.store.put(training.key, training.report(10, waiting=a_wait()))
        assert (told(training), len(training.passes)) == (shown, passes)
    for passes, shown in ((2, NOON), (3, None), (3, None)):
        training.store.put(training.key, training.report(10))
        assert (told(training), len(training.passes)) == (shown, passes)


def test_a_service_that_answers_now_and_then_asks_for_one_pass(training: Training) -> None:
    """Each wait would last long enough to be told and be over at the next poll."""
    for minute in range(30):
        for _ in range(3):
            training.store.put(training.key, training.report(10, waiting=a_wait(NOON)))
        training.store.put(training.key, training.report(10))
        assert (told(training), len(training.passes)) == (NOON, 2), minute


def test_a_longer_wait_takes_the_place_of_the_one_before(training: Training) -> None:
    later = NOON.replace("12:00", "12:01")
    for since in (NOON, NOON, NOON, later, later, later):
        training.store.put(training.key, training.report(10, waiting=a_wait(since)))
    assert (told(training), len(training.passes)) == (later, 3)


def test_a_task_beside_the_stages_has_waits_of_its_own_and_no_figures(training: Training) -> None:
    training.store.put(training.key, training.report(42))
    for _ in range(3):
        training.store.put(training.key, training.report(None, run_id="", stage="Pin", waiting=a_wait()))
    report = training.store.observe_task(training.key)
    assert report is not None
    assert (report.waiting is not None, told(training), shown("progress_percent")) == (True, None, 42)
    training.store.put(training.key, training.report(None, run_id="", stage="Pin", pod_uid="next", waiting=a_wait()))
    report = training.store.observe_task(training.key)
    assert report is not None
    assert (report.pod_uid, report.waiting) == ("next", None)
    training.store.forget(training.key)
    assert (training.store.observe_task(training.key), shown("progress_percent")) == (None, None)


def test_many_short_waits_ask_for_no_pass(training: Training) -> None:
    for second in range(50):
        training.store.put(training.key, training.report(10, waiting=a_wait(f"2026-01-01T12:00:{second:02}Z")))
        training.store.put(training.key, training.report(10))
    assert len(training.passes) == 1


def test_a_wait_is_known_although_the_estimate_is_lost_meanwhile(training: Training) -> None:
    training.store.put(training.key, training.report(10, eta_seconds=60))
    for _ in range(12):
        training.store.put(training.key, training.report(10, waiting=a_wait()))
    kept = training.store.observe(training.key)
    assert kept is not None
    assert (kept.waiting is not None, kept.eta_seconds) == (True, 60)


def test_waits_that_begin_again_and_again_do_not_add_up(training: Training) -> None:
    for second in range(50):
        training.store.put(training.key, training.report(10, waiting=a_wait(f"2026-01-01T12:00:{second:02}Z")))
    kept = training.store.observe(training.key)
    assert (kept and kept.waiting, len(training.passes)) == (None, 1)


def test_a_wait_that_lasts_asks_for_a_pass_when_its_words_change_and_only_then(training: Training) -> None:
    for _ in range(20):
        training.store.put(training.key, training.report(10, waiting=a_wait()))
    assert len(training.passes) == 2
    training.store.put(training.key, training.report(10, waiting=a_wait(message="S3 answers 503")))
    assert len(training.passes) == 3


def test_the_first_estimate_asks_for_a_pass_without_a_point(training: Training) -> None:
    training.store.put(training.key, training.report(10))
    training.store.put(training.key, training.report(10, eta_seconds=90))
    assert len(training.passes) == 2


def test_a_stage_without_a_percentage_goes_on_reporting(training: Training) -> None:
    for posts in (300, 600):
        training.store.put(training.key, training.report(None, stage="Prepare", posts=posts))
    report = training.store.get(training.key)
    assert (report and report.posts, len(training.passes)) == (600, 1)


def test_a_percentage_may_come_after_reports_without_and_not_go_again(training: Training) -> None:
    for percent, shows, passes in ((None, None, 1), (0, 0, 1), (3, 3, 2), (None, 3, 2)):
        training.store.put(training.key, training.report(percent))
        assert (shown("progress_percent"), len(training.passes)) == (shows, passes)


def test_three_points_without_a_percentage_before_are_worth_a_pass(training: Training) -> None:
    for percent in (None, 3):
        training.store.put(training.key, training.report(percent))
    assert len(training.passes) == 2


def test_one_point_is_not_given_up_for_no_percentage(training: Training) -> None:
    for percent in (1, None):
        training.store.put(training.key, training.report(percent))
    assert shown("progress_percent") == 1


def test_a_pod_that_never_estimates_is_believed_as_it_goes_on(training: Training) -> None:
    for percent in (10, 20):
        training.store.put(training.key, training.report(percent))
    assert shown("progress_percent") == 20


def test_figures_change_within_a_point_and_go_when_they_are_reported_no_more(training: Training) -> None:
    training.store.put(training.key, training.report(42, step=21, eval_loss=2.0))
    training.store.put(training.key, training.report(42, step=22))
    assert (shown("step"), shown("eval_loss")) == (22, None)


def test_a_bot_without_a_report_has_none_to_observe_or_to_forget(training: Training) -> None:
    training.store.prune(training.key, a_run(training.bot, stage="Train"))
    assert training.store.observe(training.key) is None


def test_a_replica_that_leads_no_more_shows_nothing(training: Training) -> None:
    training.store.put(training.key, training.report(42))
    training.store.clear()
    assert (shown("progress_percent"), training.store.get(training.key)) == (None, None)
    training.store.put(training.key, training.report(None, run_id="", stage="Pin"))
    training.store.clear()
    assert training.store.observe_task(training.key) is None
