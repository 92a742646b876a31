"""What a run was expected to take stands beside what it took, in the status, and costs no write of its own."""

from dataclasses import replace

import pytest

from builders.manifests import a_spec
from builders.operator import (
    SETTINGS,
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
from tweetbot_contract.identity import compute_run_id
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.platform_class.prices import Prices
from tweetbot_contract.status import CurrentRun, DataStatus, TweetBotStatus
from tweetbot_contract.status.costs import RunActual
from tweetbot_contract.status.forecast import price_training_hour
from tweetbot_operator.decisions.plan import plan
from tweetbot_operator.settings import OperatorSettings

PRICED = SETTINGS.model_copy(update={"prices": Prices(gpu_hour={"nvidia.com/gpu": 3.0}, cpu_hour=0.1, gib_hour=0.01)})


def end(bot: TweetBot, stage: str, result: object, settings: OperatorSettings = PRICED) -> CurrentRun:
    job = a_complete_job(bot)
    pod = a_finished_pod(job, result, started_at=seconds_after_noon(-120))
    observed = replace(an_observed(bot, jobs=(job,), pods=(pod,)), settings=settings)
    run = plan(observed).status.current_run
    assert run is not None
    return run


def test_the_estimate_is_recorded_with_the_end_of_prepare_and_the_actual_with_each_end() -> None:
    preparing = a_bot_in("Prepare")
    run = end(preparing, "Prepare", a_prepare_result())
    assert (run.stage, run.estimate is not None, run.actual is not None) == ("Train", True, True)
    assert run.estimate
    assert run.estimate.currency == "USD"
    assert run.estimate.cost_most
    assert run.actual
    assert run.actual.cost
    assert run.actual.posts == run.estimate.posts
    training = replace(preparing, status=preparing.status.model_copy(update={"current_run": run}))
    ended = end(training, "Train", a_train_result())
    assert ended.actual
    assert ended.actual.train_seconds
    assert ended.actual.minutes > run.actual.minutes
    assert ended.actual.cost
    assert ended.actual.cost > run.actual.cost
    assert ended.estimate == run.estimate


def test_the_record_of_an_ended_run_has_both() -> None:
    job = a_complete_job(bot := a_bot_in("Train"))
    pods = (a_finished_pod(job, a_train_result(), started_at=seconds_after_noon(-120)),)
    record = plan(an_observed(bot, jobs=(job,), pods=pods)).status.runs[0]
    assert record.actual
    assert record.actual.minutes > 0
    assert record.actual.cost is None


def test_what_the_same_spec_took_before_is_the_next_estimate_from_its_start_on() -> None:
    trained = a_bot_in("Train")
    job = a_complete_job(trained)
    status = plan(an_observed(trained, jobs=(job,), pods=(a_finished_pod(job, a_train_result()),))).status
    record = status.runs[0].model_copy(update={"actual": RunActual(posts=100, minutes=20, train_seconds=600)})
    data = {"digest": "d" * 64, "downloaded": 200, "kept": 200}
    before = TweetBotStatus.model_validate({**status.to_dict(), "data": data}).model_copy(update={"runs": (record,)})
    again = plan(an_observed(a_bot(status=before, retrain_at="now"))).status.current_run
    assert again
    assert again.estimate
    assert (again.number, again.estimate.posts) == (2, 200)
    assert (again.estimate.minutes_least, again.estimate.minutes_most) == (15, 60)
    assert record.id == compute_run_id(trained.spec, record.trigger)


def test_an_accelerator_without_a_price_gives_no_money() -> None:
    free = SETTINGS.model_copy(update={"prices": Prices(cpu_hour=0.1)})
    run = end(a_bot_in("Prepare"), "Prepare", a_prepare_result(), free)
    assert run.estimate
    assert (run.estimate.cost_most, run.estimate.currency) == (None, None)


def test_a_run_of_which_nothing_is_known_has_neither() -> None:
    run = plan(an_observed(a_bot())).status.current_run
    assert run
    assert (run.estimate, run.actual) == (None, None)
    assert a_run(a_bot()).estimate is None


def test_an_hour_costs_as_much_as_all_its_gpus() -> None:
    base = {"model": {"base": "hf://Qwen/Qwen2.5-1.5B"}, "output": {"s3": {"uri": "s3://team/models"}}}
    machine = {"memory": "40Gi", "cpu": "2"}
    specs = [a_spec(**base, resources={**machine, "gpu": {"count": count}}) for count in (0, 1, 4)]
    assert [price_training_hour(spec, PRICED.prices) for spec in specs] == pytest.approx([0.6, 3.6, 12.6])


def test_a_run_goes_on_where_an_older_definition_drops_its_estimate() -> None:
    data = DataStatus(digest="d" * 64, downloaded=200, kept=200)
    made = plan(an_observed(a_bot_in("Prepare", status_fields={"data": data})))
    assert made.status.current_run
    assert made.status.current_run.estimate
    assert (made.status_first, len(made.actions)) == (False, 1)
