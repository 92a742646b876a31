"""Figures about runs."""

from prometheus_client import REGISTRY

from builders_operator import a_bot_in
from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.census import Census

GULL, TERN = ("team-a", "gull"), ("team-a", "tern")


def in_phase(phase: str) -> float:
    return REGISTRY.get_sample_value("tweetbot_runs", {"phase": phase}) or 0.0


def finished(outcome: str, reason: str) -> float:
    return REGISTRY.get_sample_value("tweetbot_runs_finished_total", {"outcome": outcome, "reason": reason}) or 0.0


def an_ended_status(reason: str) -> TweetBotStatus:
    fields = {"outcome": "Failed", "reason": reason, "finished_at": "2026-01-01T12:10:00Z"}
    return a_bot_in("Train", run_fields=fields).status


def test_a_bot_counts_in_its_present_phase_only() -> None:
    census = Census()
    before = in_phase("Preparing"), in_phase("Training")
    for phase in ("Preparing", "Preparing", "Training"):
        census.enter(GULL, phase)
    assert (in_phase("Preparing"), in_phase("Training")) == (before[0], before[1] + 1)
    census.leave(GULL)
    census.leave(TERN)
    assert in_phase("Training") == before[1]


def test_an_end_is_counted_once() -> None:
    census, before = Census(), finished("Failed", "Diverged")
    status = an_ended_status("Diverged")
    census.count_end(TweetBotStatus(), status)
    census.count_end(status, status)
    assert finished("Failed", "Diverged") == before + 1


def test_a_reason_that_we_do_not_know_adds_no_label() -> None:
    before = finished("Failed", "Other")
    Census().count_end(TweetBotStatus(), an_ended_status("InventedByAPod"))
    assert finished("Failed", "Other") == before + 1
