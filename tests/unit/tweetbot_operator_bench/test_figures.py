"""The operator's benchmark: its arithmetic, and how its figures come onto the page."""

import json
from collections import Counter
from pathlib import Path

import pytest

from builders.manifests import a_manifest
from harness.stage_operator import NAMESPACE, Stage
from tweetbot_contract.result import decode
from tweetbot_operator_bench.arithmetic import (
    Span,
    compare_rounds,
    compute_percentile,
    count_per_run,
    find_last_busy,
    sum_samples,
    summarize_launch,
    summarize_neighbour,
)
from tweetbot_operator_bench.audit import AuditLog, select_writes
from tweetbot_operator_bench.fleet import build_bot
from tweetbot_operator_bench.kubelets import MESSAGES, build_pod_status
from tweetbot_operator_bench.render import render_section
from tweetbot_operator_bench.restore import copy_status

LAUNCH = {"objects": 5000, "p50_ms": 12.5, "p99_ms": 1040.0, "jobs_per_second": 70.1}
USED = {"cpu_seconds": 4.2, "rss_mib": 101.0, "held": 5100}
LEVEL = {
    "size": 5000,
    "ten_a_second": LAUNCH | USED,
    "at_once": LAUNCH | USED | {"share_of_bare_client": 0.25},
    "runs": {
        "runs_per_second": 20.5,
        "cpu_ms_a_run": 9.9,
        "writes_a_run": 7.0,
        "requests_a_run": {"create jobs": 2.0, "list jobs": 0.0},
    },
    "restart": {"seconds_to_first_job": 3.1, "seconds_to_quiet": 9.0, "rss_mib": 120.0, "peak_rss_mib": 130.0},
}
RUN = {
    "date": "2026-11-27 09:00 UTC",
    "commit": "abc1234",
    "machine": "2 cores",
    "seconds": 1400,
    "bare_client": {"ten_a_second": LAUNCH, "at_once": LAUNCH | {"jobs_per_second": 280.0}},
    "levels": [LEVEL, LEVEL | {"size": 10000}],
    "class": {"cpu_ms_a_run": {"without": 40.0, "with": 42.0, "times": 1.05}},
    "idle": {"held": 10200, "seconds": 600.0, "writes": 0, "cpu_seconds": 1.5, "rss_mib": 180.0},
    "reporters": {
        "reporters": 1000,
        "train_seconds": 500.0,
        "accepted_per_second": 195.0,
        "status_writes": 1000,
        "cpu_share_of_a_core": 0.31,
    },
    "failover": {
        "held": 11200,
        "seconds_after_a_kill": 15.2,
        "seconds_after_sigterm": 2.1,
        "standby_rss_mib": 170.0,
    },
}


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_one_of_the_values(share: float, value: float) -> None:
    assert compute_percentile(range(100, 0, -1), share) == value


def test_of_nothing_there_is_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        compute_percentile([], 0.5)


def test_a_launch_is_told_from_the_first_request_to_the_last_job() -> None:
    spans = {"a": Span(10.0, 10.1), "b": Span(10.5, 11.0), "c": Span(11.0, 12.0)}
    assert summarize_launch(spans) == {"objects": 3, "p50_ms": 500.0, "p99_ms": 1000.0, "jobs_per_second": 1.5}


def test_a_neighbour_is_told_by_how_many_times_as_long_it_takes_beside_a_burst() -> None:
    quiet = [Span(0.0, 0.02), Span(1.0, 1.04)]
    beside = [Span(5.0, 5.2), Span(6.0, 6.06), Span(7.0, 7.08)]
    figures = summarize_neighbour(quiet, beside, applied_at=5.5)
    assert figures == {
        "quiet": {"objects": 2, "p50_ms": 20.0, "p95_ms": 40.0},
        "beside_burst": {"objects": 3, "p50_ms": 80.0, "p95_ms": 200.0, "p50_times": 4.0, "p95_times": 5.0},
        "once_applied": {"objects": 2, "p50_ms": 60.0, "p95_ms": 80.0, "p50_times": 3.0, "p95_times": 2.0},
    }


def test_a_burst_that_is_over_once_it_is_applied_is_told_as_a_whole() -> None:
    figures = summarize_neighbour([Span(0.0, 0.02)], [Span(5.0, 5.06)], applied_at=6.0)
    assert figures["once_applied"] == figures["beside_burst"]


def test_requests_are_told_by_the_run() -> None:
    assert count_per_run(Counter({"patch tweetbots/status": 30, "create jobs": 25}), 10) == {
        "create jobs": 2.5,
        "patch tweetbots/status": 3.0,
    }


def test_a_metric_is_summed_over_the_samples_that_carry_the_labels() -> None:
    text = 'ended_total{outcome="Succeeded",reason="A"} 3.0\nended_total{outcome="Failed",reason="A"} 5.0\nended 2.0\n'
    assert sum_samples(text, "ended_total", outcome="Succeeded") == 3
    assert (sum_samples(text, "ended_total"), sum_samples(text, "ended"), sum_samples(text, "end")) == (8, 2, 0)


def test_a_process_was_busy_last_where_it_used_more_than_the_share() -> None:
    samples = [(0.0, 0.0), (1.0, 0.9), (2.0, 0.95), (3.0, 1.2), (4.0, 1.2)]
    assert find_last_busy(samples, 0.1) == 3.0
    assert find_last_busy(samples, 0.95) == 0.0


def test_the_audit_log_is_read_on_from_where_it_stopped(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    status = {"verb": "patch", "objectRef": {"resource": "tweetbots", "subresource": "status"}}
    job = {"verb": "create", "objectRef": {"resource": "jobs"}}
    log.write_text(f"{json.dumps(status)}\n{json.dumps(job)}\n" + json.dumps(status)[:20])
    audit = AuditLog(log)
    assert audit.count_new_requests() == {"patch tweetbots/status": 1, "create jobs": 1}
    with log.open("a") as more:
        more.write(json.dumps(status)[20:] + "\n" + json.dumps({"verb": "get"}) + "\n")
    assert audit.count_new_requests() == {"patch tweetbots/status": 1, "get discovery": 1}


def test_reads_events_and_the_lease_are_no_writes_of_a_run() -> None:
    counts = Counter({"list jobs": 4, "create events": 3, "update leases": 2, "create jobs": 2, "delete jobs": 2})
    assert select_writes(counts) == {"create jobs": 2, "delete jobs": 2}
    assert select_writes(counts, besides=()).total() == 9


def test_what_the_played_pods_leave_is_what_a_trainer_writes() -> None:
    assert [decode(MESSAGES[stage]).kind for stage in ("prepare", "train")] == ["PrepareSucceeded", "TrainSucceeded"]
    ended = build_pod_status("train", "2026-01-01T12:00:00Z")["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["message"]) == (0, MESSAGES["train"])


def test_no_two_tweetbots_of_the_fleet_are_alike() -> None:
    assert build_bot("bot-00001")["spec"] != build_bot("bot-00002")["spec"]


async def test_a_tweetbot_that_had_its_run_long_ago_is_left_alone() -> None:
    stage = Stage()
    await stage.apply()
    await stage.whole_run()
    (original,) = [item for (kind, _, _), item in stage.cluster.objects.items() if kind == "tweetbots"]
    other = a_manifest(training={"seed": 7})
    other["metadata"] |= {"name": "tern", "uid": "uid-tern"}
    other["status"] = copy_status(original, other)
    stage.cluster.put("tweetbots", other)
    stage.cluster.writes.clear()
    await stage.settle()
    assert stage.cluster.writes == []
    assert stage.cluster.status_of(NAMESPACE, "tern").phase == "Succeeded"


def test_the_page_gets_a_column_a_size() -> None:
    section = render_section(RUN)
    assert "| TweetBots | 5,000 | 10,000 |" in section
    assert "| all at once: Jobs/s | 70.1 | 70.1 |" in section
    assert "0 writes" in section


def test_the_page_tells_what_a_neighbour_notices() -> None:
    times = {"p50_ms": 60.0, "p95_ms": 90.0, "p50_times": 3.0, "p95_times": 2.5}
    kinds = {kind: {"beside_burst": times, "once_applied": times} for kind in ("tweetbots", "bare_jobs")}
    level = LEVEL | {"at_once": LAUNCH | USED | {"share_of_bare_client": 0.25, "neighbour": kinds}}
    section = render_section(RUN | {"levels": [LEVEL, level]})
    assert "| a neighbour at 2/s meanwhile: p50 / p95, ms | – | 60.0 / 90.0 |" in section
    assert "| times as long as before: p50 / p95 | – | 3.0 / 2.5 |" in section


def test_a_class_is_compared_by_the_medians_of_its_rounds() -> None:
    without, beside = [{"cpu": 2.0}, {"cpu": 9.0}, {"cpu": 4.0}], [{"cpu": 5.0}, {"cpu": 3.0}, {"cpu": 40.0}]
    assert compare_rounds(without, beside) == {"cpu": {"without": 4.0, "with": 5.0, "times": 1.25}}
