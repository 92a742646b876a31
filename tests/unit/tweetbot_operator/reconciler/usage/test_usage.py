"""Runs keep to the budgets of their class, through restarts, takeovers and deletions; each use counts once."""

import asyncio
from typing import Any

import pytest
from prometheus_client import REGISTRY

from builders.operator import a_prepare_result, a_train_result, seconds_after_noon
from harness.budget_stage import BudgetStage
from tweetbot_contract.result import StageFailed, encode
from tweetbot_operator.client.errors import Conflict, Rejected, Unavailable
from tweetbot_operator.types.objects import CachedTweetBot
from tweetbot_operator.types.times import format_time

ONE_AN_HOUR = {"windowHours": 1, "runs": 1}
HELD = "Queued/BudgetExceeded"
BEGUN = "Preparing/Preparing"


def shown(**labels: str) -> float | None:
    return REGISTRY.get_sample_value("tweetbot_budget_used_ratio", labels)


async def train(stage: BudgetStage, seconds: float) -> None:
    """Bring gull from its prepare Job to the end of a training of this many seconds."""
    await stage.end_stage(a_prepare_result())
    await stage.end_training(seconds)


async def test_a_run_that_does_not_fit_waits_says_until_when_and_begins_then() -> None:
    stage = BudgetStage(ONE_AN_HOUR)
    assert await stage.bring("gull") == BEGUN
    assert await stage.bring("tern") == HELD
    assert stage.read("tern").startswith("The budget has room at 2026-01-01T13:00:00Z. TweetBotClass gold allows a nam")
    assert "allows a namespace 1 run in 1 h: 1 run used, or held by active runs" in stage.read("tern")
    assert stage.look("tern").current_run.usage is None  # type: ignore[union-attr]
    await stage.wait(3599)
    assert stage.tell("tern") == HELD
    await stage.wait(1)
    assert stage.tell("tern") == BEGUN
    assert stage.get_run("tern").usage.began_at == "2026-01-01T13:00:00Z"  # type: ignore[union-attr]


async def test_a_namespace_has_its_own_budget_unless_the_class_shares_it() -> None:
    for per, expected in (("Namespace", BEGUN), ("Class", HELD)):
        stage = BudgetStage({**ONE_AN_HOUR, "per": per})
        await stage.bring("gull")
        stage.create("gull", namespace="team-b")
        await stage.settle()
        assert stage.tell("gull", "team-b") == expected
        await stage.tick()
        whose = "team-b" if per == "Namespace" else ""
        assert shown(bot_class="gold", bot_namespace=whose, kind="runs", window_hours="1") == 1


async def test_deleting_and_creating_again_buys_nothing_whoever_sees_it() -> None:
    stage = BudgetStage(ONE_AN_HOUR)
    await stage.bring("gull")
    stage.cluster.delete_bot("team-a", "gull")
    assert await stage.bring("gull", uid="again") == HELD
    await stage.tick()
    stage.start_operator()
    await stage.settle()
    assert stage.tell("gull") == HELD, "the ledger knows what no status says any more"
    stage.cluster.event_handler = None
    stage.cluster.delete_bot("team-a", "gull")
    stage.create("gull", uid="and again")
    stage.start_operator()
    await stage.settle()
    assert stage.tell("gull") == HELD
    stage.sweep()
    await stage.wait(3600)
    assert stage.tell("gull") == BEGUN


async def test_runs_that_begin_at_once_do_not_all_take_the_same_room(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = BudgetStage({"windowHours": 1, "runs": 3})
    for number in range(8):
        stage.create(f"gull-{number}")
    apply_status = stage.cluster.apply_status

    async def apply_late(*written: Any) -> CachedTweetBot:
        await asyncio.sleep(0)  # the other passes look meanwhile
        return await apply_status(*written)

    monkeypatch.setattr(stage.cluster, "apply_status", apply_late)
    keys = [taken[0] for _ in range(8) if (taken := stage.queue.pop_ready())]
    await asyncio.gather(*(stage.reconciler.reconcile(key) for key in keys))
    assert [stage.tell(f"gull-{number}") for number in range(8)].count(BEGUN) == 3


async def test_a_run_whose_begin_was_not_recorded_takes_no_room() -> None:
    stage = BudgetStage(ONE_AN_HOUR)
    stage.cluster.faults["apply_status"] = [Unavailable("no")]
    assert await stage.bring("gull") == "Pending/"
    assert await stage.bring("tern") == BEGUN


async def test_gpu_seconds_count_as_they_were_used_and_the_next_run_is_expected_to_use_as_many() -> None:
    stage = BudgetStage({"windowHours": 1, "gpuSeconds": 1000})
    await stage.bring("gull")
    await train(stage, 600)
    ended = stage.look("gull").runs[0].usage
    assert ended is not None
    assert (ended.gpu_seconds, ended.starts, ended.class_name) == (600, 1, "gold")
    stage.cluster.annotate("team-a", "gull", {"tweetbot.dev/retrain-at": "now"})
    await stage.settle()
    assert stage.tell("gull") == HELD
    assert "600 GPU seconds used, or held by active runs, and this run is expected to take 600" in stage.read("gull")
    await stage.wait(3599)
    assert stage.tell("gull") == HELD
    await stage.wait(1)
    assert stage.tell("gull") == BEGUN
    assert stage.get_run().usage.expected_gpu_seconds == 600  # type: ignore[union-attr]
    assert await stage.bring("tern") == HELD, "600 are held, and a run of this namespace takes 600"


async def test_a_run_that_ends_with_less_than_expected_lets_the_next_begin() -> None:
    stage = BudgetStage({"windowHours": 1, "gpuSeconds": 1000})
    await stage.bring("gull")
    await train(stage, 600)
    await stage.wait(3600)
    stage.cluster.annotate("team-a", "gull", {"tweetbot.dev/retrain-at": "now"})
    await stage.settle()
    assert await stage.bring("tern") == HELD
    await train(stage, 200)
    assert stage.tell("tern") == BEGUN


async def test_a_run_without_a_gpu_needs_no_room_in_a_budget_of_gpu_seconds() -> None:
    stage = BudgetStage({"windowHours": 1, "gpuSeconds": 0})
    assert await stage.bring("gull", resources={"gpu": {"count": 0}}) == BEGUN
    assert await stage.bring("tern") == "Queued/BudgetTooSmall"


async def test_a_run_that_needs_more_than_the_budget_stalls_until_the_class_or_the_spec_is_another() -> None:
    stage = BudgetStage({"windowHours": 1, "gpuSeconds": 1000})
    await stage.bring("gull")
    await train(stage, 600)
    stage.set_budgets({"windowHours": 1, "gpuSeconds": 500})
    stage.cluster.annotate("team-a", "gull", {"tweetbot.dev/retrain-at": "now"})
    await stage.settle()
    assert stage.tell("gull") == "Queued/BudgetTooSmall"
    assert stage.look("gull").find_condition("Stalled") is not None
    stage.set_budgets({"windowHours": 1, "gpuSeconds": 1200})
    stage.queue.add(("team-a", "gull"))
    await stage.settle()
    assert stage.tell("gull") == BEGUN


async def test_what_a_status_has_not_counted_yet_counts_while_it_runs_and_when_it_is_cut_off() -> None:
    stage = BudgetStage({"windowHours": 24, "gpuSeconds": 1000})
    await stage.bring("gull")
    await stage.end_stage(a_prepare_result())
    stage.start_pod()
    await stage.wait(800)
    await stage.tick()
    labels = {"bot_class": "gold", "bot_namespace": "team-a", "kind": "gpuSeconds", "window_hours": "24"}
    assert shown(**labels) == 0.8
    await stage.wait(150)
    stage.cluster.delete_bot("team-a", "gull")
    await stage.tick()
    assert shown(**labels) == 0.95, "the Pod of a deleted TweetBot has used it up to then"
    await stage.wait(24 * 3600)
    await stage.tick()
    assert shown(**labels) == 0, "and it holds nothing any more"
    await stage.usage.tick(leads=False)
    assert shown(**labels) is None


@pytest.mark.parametrize(("edit", "number"), [({"run": {"attempts": 2}}, 1), ({"model": {"base": "hf://gpt2-xl"}}, 2)])
async def test_an_edit_that_ends_a_training_keeps_what_it_used(edit: dict[str, Any], number: int) -> None:
    stage = BudgetStage({"windowHours": 24, "gpuSeconds": 10000})
    await stage.bring("gull")
    await stage.end_stage(a_prepare_result())
    stage.start_pod()
    await stage.wait(300)
    stage.cluster.edit("team-a", "gull", **edit)
    await stage.settle()
    used = [stage.get_run().usage, *(record.usage for record in stage.look("gull").runs)]
    assert (stage.get_run().number, sum(usage.gpu_seconds for usage in used if usage)) == (number, 300)


async def test_an_edit_that_tries_an_ended_run_again_begins_another_time() -> None:
    stage = BudgetStage({"windowHours": 1, "runs": 2})
    await stage.bring("gull")
    await stage.fail_stage(10, encode(StageFailed(reason="SpecRefused", message="no")).decode())
    stage.cluster.edit("team-a", "gull", run={"attempts": 2})
    await stage.settle()
    await stage.collect_garbage()
    assert (stage.tell("gull"), stage.get_run().usage.starts) == (BEGUN, 2)  # type: ignore[union-attr]
    await stage.fail_stage(10, encode(StageFailed(reason="SpecRefused", message="no")).decode())
    stage.cluster.edit("team-a", "gull", run={"attempts": 3})
    await stage.settle()
    await stage.collect_garbage()
    assert (stage.tell("gull"), stage.get_run().number) == (HELD, 1)
    await stage.wait(3600)
    assert stage.tell("gull") == BEGUN


async def test_posts_count_at_the_list_price_also_where_the_run_failed_and_once_for_a_run_s_id() -> None:
    x = {"handle": "gull", "tokenSecret": {"name": "x", "key": "t"}, "acceptTerms": True, "maxSpendUSD": 5}
    stage = BudgetStage({"windowHours": 1, "xUSD": 1})
    await stage.bring("gull", sources=[{"x": x}])
    failed = StageFailed(reason="TooFewPosts", message="no", billed={"x": 190})
    await stage.fail_stage(12, encode(failed).decode())
    assert stage.get_run().usage.x_usd == 0.95  # type: ignore[union-attr]
    stage.cluster.delete_bot("team-a", "gull")
    stage.sweep()
    stage.set_budgets({"windowHours": 1, "xUSD": 2})
    assert await stage.bring("gull", uid="again", sources=[{"x": x}]) == BEGUN
    await stage.end_stage(a_prepare_result().model_copy(update={"billed": {"x": 190}}))
    await stage.end_stage(a_train_result())
    assert stage.look("gull").runs[0].usage.x_usd == 0.95  # type: ignore[union-attr]
    await stage.tick()
    assert shown(bot_class="gold", bot_namespace="team-a", kind="xUSD", window_hours="1") == 0.475


async def test_a_class_without_a_budget_costs_no_request_and_no_listener() -> None:
    stage = BudgetStage()
    assert await stage.bring("gull") == BEGUN
    await stage.tick()
    assert (stage.config_maps.requests, stage.cache.bots.listeners) == ([], [])


async def test_runs_count_that_began_before_the_class_had_a_budget() -> None:
    stage = BudgetStage()
    await stage.bring("gull")
    stage.set_budgets(ONE_AN_HOUR)
    assert await stage.bring("tern") == HELD


async def test_a_class_that_becomes_invalid_keeps_its_budget() -> None:
    stage = BudgetStage(ONE_AN_HOUR)
    await stage.bring("gull")
    await stage.bring("tern")
    stage.set_budgets({"runs": -1})
    assert stage.classes[0].error
    stage.queue.add(("team-a", "tern"))
    await stage.settle()
    assert stage.tell("tern") == HELD


async def test_while_the_ledger_does_not_answer_no_run_begins_and_without_rights_statuses_count() -> None:
    stage = BudgetStage(ONE_AN_HOUR)
    stage.config_maps.faults = [Unavailable("no")]
    assert await stage.bring("gull") == "Pending/"
    stage.config_maps.faults = [Rejected("cannot get resource configmaps")]
    await stage.wait(60)
    assert stage.tell("gull") == BEGUN
    assert await stage.bring("tern") == HELD


async def test_a_replica_that_takes_the_lead_knows_what_the_last_leader_wrote() -> None:
    stage = BudgetStage({"windowHours": 1, "runs": 2})
    standby = stage.watch_usage()
    await standby.load()
    await stage.bring("gull")
    await stage.bring("tern")
    await stage.tick()
    stage.cluster.objects.clear()
    stage.event_handler.reset()
    stage.reconciler.usage = standby
    standby.forget_ledger()  # as it does when it leads
    assert await stage.bring("kite") == HELD


async def test_a_write_that_another_replica_has_overtaken_is_merged_and_repeated() -> None:
    stage = BudgetStage({"windowHours": 1, "runs": 2})
    await stage.bring("gull")
    await stage.tick()
    await stage.bring("tern")
    stage.config_maps.faults = [Conflict("another was faster")]
    await stage.tick()
    await stage.tick()
    stage.cluster.objects.clear()
    stage.start_operator()
    assert await stage.bring("kite") == HELD
    assert stage.read("kite").startswith(f"The budget has room at {format_time(seconds_after_noon(3600))}")
