"""The alerts, evaluated over samples as Prometheus evaluates them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from builders.operator import a_bot_in
from harness.promql.alerting import Alerting, Firing
from harness.promql.samples import NAME, Labels, Samples
from tweetbot_contract.status import Condition, Phase, TweetBotStatus
from tweetbot_operator.telemetry.run_metrics import RunMetrics, count_finished_run

RULES = Path(__file__).parents[2] / "integrations" / "prometheus" / "rules.yaml"
#: The labels that Prometheus gives the series of an installation.
HERE = {"cluster": "west", "namespace": "tweetbot-system", "job": "tweetbot"}
THERE = {"cluster": "east", "namespace": "tweetbot-system", "job": "tweetbot"}
#: A series' value by the minute.
Course = Callable[[float], float]


def a_series(name: str, /, **labels: str) -> Labels:
    return frozenset({NAME: name, **labels}.items())


def always(value: float) -> Course:
    return lambda _: value


def growing(rate: float) -> Course:
    return lambda minute: rate * minute


def healthy(here: dict[str, str]) -> dict[Labels, Course]:
    """Return what an operator exports while all is well."""
    pod = here | {"pod": "tweetbot-0"}
    quiet = {
        a_series("tweetbot_leader", **pod): 1.0,
        a_series("tweetbot_reconcile_total", result="bug", **pod): 0.0,
        a_series("tweetbot_resync_drift_total", kind="Pod", **pod): 0.0,
        a_series("tweetbot_runs", phase="Training", reason="Training", bot_namespace="team-a", **pod): 1.0,
    }
    busy = {
        a_series("tweetbot_apiserver_requests_total", verb="get", code="200", **pod): 60.0,
        a_series("tweetbot_progress_polls_total", outcome="Succeeded", **pod): 12.0,
        a_series("tweetbot_queue_latency_seconds_bucket", le="0.1", **pod): 60.0,
        a_series("tweetbot_queue_latency_seconds_bucket", le="10", **pod): 60.0,
        a_series("tweetbot_queue_latency_seconds_bucket", le="+Inf", **pod): 60.0,
    }
    return {labels: always(value) for labels, value in quiet.items()} | {
        labels: growing(rate) for labels, rate in busy.items()
    }


def play(courses: dict[Labels, Course], minutes: int) -> set[Firing]:
    """Scrape every half minute, and return which alerts fire at the end. A value below 0 means no series."""
    alerting, samples, firing = Alerting(RULES), Samples(), set[Firing]()
    for step in range(2 * minutes + 1):
        found = [(labels, course(step / 2)) for labels, course in courses.items()]
        samples.scrape(30.0 * step, [(labels, value) for labels, value in found if value >= 0])
        firing = alerting.evaluate(samples, 30.0 * step)
    return firing


def test_all_is_quiet_while_all_is_well() -> None:
    assert play(healthy(HERE) | healthy(THERE), 70) == set()


def from_minute(start: float, course: Course) -> Course:
    """Return a series that begins to exist at a minute."""
    return lambda minute: course(minute - start) if minute >= start else -1.0


TEAM = {"bot_namespace": "team-a"}
BUDGET = {**TEAM, "bot_class": "gold", "kind": "gpuSeconds", "window_hours": "24"}
ENDED = "tweetbot_runs_finished_total"
FAULTS: list[tuple[str, dict[str, str], int, list[tuple[str, dict[str, str], Course]]]] = [
    ("TweetBotNoLeader", {}, 3, [("tweetbot_leader", {}, always(0))]),
    ("TweetBotTwoLeaders", {}, 2, [("tweetbot_leader", {"pod": "tweetbot-1"}, always(1))]),
    ("TweetBotOperatorBug", {}, 5, [("tweetbot_reconcile_total", {"result": "bug"}, lambda minute: float(minute > 2))]),
    ("TweetBotApiServerFaults", {}, 20, [
        ("tweetbot_apiserver_requests_total", {"verb": "get", "code": "0"}, growing(6)),
    ]),
    ("TweetBotSlowQueue", {}, 30, [("tweetbot_queue_latency_seconds_bucket", {"le": "0.1"}, always(0))]),
    ("TweetBotWatchesLoseEvents", {"kind": "Pod"}, 30, [("tweetbot_resync_drift_total", {"kind": "Pod"}, growing(1))]),
    ("TweetBotProgressUnreachable", {}, 40, [
        ("tweetbot_progress_polls_total", {"outcome": "Succeeded"}, always(5)),
        ("tweetbot_progress_polls_total", {"outcome": "Failed"}, growing(1)),
    ]),
    ("TweetBotPlatformFault", {**TEAM, "reason": "Unschedulable"}, 5, [
        (ENDED, {**TEAM, "outcome": "Failed", "reason": "Unschedulable"}, from_minute(2, always(1))),
        (ENDED, {**TEAM, "outcome": "Succeeded", "reason": "Succeeded"}, growing(1)),
    ]),
    ("TweetBotRunsFail", {}, 20, [
        (ENDED, {"bot_namespace": team, "outcome": "Failed", "reason": "NotAuthorized"}, from_minute(place, always(1)))
        for place, team in enumerate(("team-b", "team-c", "team-d", "team-e"))
    ]),
    ("TweetBotTeamRunsFail", TEAM, 20, [
        *((ENDED, {**TEAM, "outcome": "Failed", "reason": reason}, from_minute(2, always(1)))
          for reason in ("NotAuthorized", "Diverged", "TooFewPosts")),
        (ENDED, {"bot_namespace": "team-b", "outcome": "Succeeded", "reason": "Succeeded"}, growing(1)),
    ]),
    ("TweetBotNothingMoves", {}, 61, [
        ("tweetbot_runs", {**TEAM, "phase": "Training", "reason": "Training"}, always(-1)),
        ("tweetbot_runs", {**TEAM, "phase": "Queued", "reason": "Queued"}, always(2)),
    ]),
    ("TweetBotPostsNotForgotten", TEAM, 2, [("tweetbot_forget_deadline_timestamp_seconds", TEAM, always(30))]),
    ("TweetBotBudgetNearlyUsed", BUDGET, 2, [("tweetbot_budget_used_ratio", BUDGET, always(0.8))]),
    *((alert, {**TEAM, "reason": reason}, 16, [
        ("tweetbot_wait_start_timestamp_seconds", {**TEAM, "reason": reason}, always(30)),
    ]) for alert, reason in (
        ("TweetBotWaitsForPlatform", "Unschedulable"),
        ("TweetBotWaitsForAuthor", "SecretNotFound"),
        ("TweetBotWaits", "Queued"),
        ("TweetBotWaitsForPlatform", "Other"),
    )),
]  # fmt: skip


@pytest.mark.parametrize(("alert", "named", "minutes", "changed"), FAULTS)
def test_a_fault_fires_its_alert_and_names_the_installation_and_the_team(
    alert: str, named: dict[str, str], minutes: int, changed: list[tuple[str, dict[str, str], Course]]
) -> None:
    faulty = {a_series(name, **{"pod": "tweetbot-0", **HERE, **labels}): course for name, labels, course in changed}
    expected = {(alert, frozenset((HERE | named).items()))}
    assert play(healthy(THERE) | healthy(HERE) | faulty, minutes) == expected


def test_every_alert_has_a_fault_that_fires_it() -> None:
    text = RULES.read_text(encoding="utf-8")
    assert text.count("- alert: ") == len({alert for alert, *_ in FAULTS}) == len(FAULTS) - 1


def test_teams_that_have_used_up_their_budget_are_no_fault() -> None:
    held = a_series("tweetbot_runs", phase="Queued", reason="BudgetExceeded", pod="tweetbot-0", **TEAM, **HERE)
    moving = a_series("tweetbot_runs", phase="Training", reason="Training", pod="tweetbot-0", **TEAM, **HERE)
    assert play(healthy(HERE) | {held: always(2), moving: always(-1)}, 61) == set()


def test_without_any_operator_there_is_no_leader() -> None:
    assert play({}, 3) == {("TweetBotNoLeader", frozenset())}


# ---- what the operator's own counting makes of a fault


class Operator:
    """The operator's counting of some teams' TweetBots, scraped every half minute."""

    def __init__(self, *teams: str) -> None:
        self.seconds, self.teams = 0.0, teams
        self.census = RunMetrics(lambda: datetime.fromtimestamp(self.seconds, UTC))
        self._alerting, self._samples = Alerting(RULES), Samples()

    def go_on(self, minutes: float) -> set[tuple[str, str, str]]:
        """Let time pass, and return which alerts fire then: name, team and reason."""
        firing = set[Firing]()
        for _ in range(int(2 * minutes)):
            self.seconds += 30.0
            self._samples.scrape(self.seconds, self._scrape())
            firing = self._alerting.evaluate(self._samples, self.seconds)
        found = [(alert, dict(labels)) for alert, labels in firing]
        return {(alert, labels.get("bot_namespace", ""), labels.get("reason", "")) for alert, labels in found}

    def _scrape(self) -> Iterator[tuple[Labels, float]]:
        yield a_series("tweetbot_leader", **HERE), 1.0
        for sample in (sample for family in REGISTRY.collect() for sample in family.samples):
            if sample.labels.get("bot_namespace") in self.teams:
                yield a_series(sample.name, **HERE, **sample.labels), sample.value


def a_status(phase: Phase, reason: str, cause: str | None = None) -> TweetBotStatus:
    told = {"status": "True", "lastTransitionTime": "2026-01-01T12:00:00Z", "observedGeneration": 1}
    condition = Condition.model_validate({"type": "Progressing", "reason": reason, **told})
    status = a_bot_in("Train", run_fields={"reason": cause}).status
    return status.model_copy(update={"phase": phase, "conditions": (condition,)})


def test_when_the_bucket_of_all_teams_is_away_an_alert_names_each_of_them() -> None:
    """A training gives up on it after ten minutes, pauses for five, and its next Pod meets the same fault."""
    operator = Operator("team-of-rain", "team-of-snow", "team-of-hail")
    for team in operator.teams:
        operator.census.enter((team, "gull"), a_status("Preparing", "StorageUnavailable"))
        operator.census.enter((team, "tern"), a_status("Training", "StorageUnavailable"))
    assert operator.go_on(10) == set()
    for team in operator.teams:
        operator.census.leave((team, "gull"))
        operator.census.enter((team, "tern"), a_status("Training", "RetryBackoff", "StorageUnavailable"))
    assert operator.go_on(5) == set()
    told = {("TweetBotWaitsForPlatform", team, "StorageUnavailable") for team in operator.teams}
    assert operator.go_on(0.5) == told
    for team in operator.teams:
        operator.census.enter((team, "tern"), a_status("Training", "Training"))
    assert operator.go_on(2) == told  # it keeps firing: whether the bucket is back is not known yet
    assert operator.go_on(4) == set()
    for team in operator.teams:
        operator.census.leave((team, "tern"))


def test_one_team_s_failures_are_told_from_the_first_on() -> None:
    operator = Operator("team-of-fog", "team-of-dew")
    operator.go_on(10)
    fog, dew = operator.teams
    for team, outcome, reason in ((fog, "Failed", "TrainerBug"), (dew, "Succeeded", "Succeeded")):
        for number in range(3):
            ended = {"outcome": outcome, "reason": reason, "finished_at": "2026-01-01T12:10:00Z", "number": number}
            count_finished_run(team, TweetBotStatus(), a_bot_in("Train", run_fields=ended).status)
    told = {("TweetBotPlatformFault", fog, "TrainerBug"), ("TweetBotTeamRunsFail", fog, "")}
    assert operator.go_on(1) == told
    assert operator.go_on(60) == told - {("TweetBotPlatformFault", fog, "TrainerBug")}
