"""`kubectl tweetbot list`."""

import json
import re

import pytest

from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import a_condition, a_model, a_run, a_stored_bot, a_training_status, run_plugin


def a_fleet() -> FakeApi:
    stalled = [a_condition("Progressing", "False", "SecretMissing"), a_condition("Stalled", "True", "SecretMissing")]
    return FakeApi(
        a_stored_bot("gull", status=a_training_status(model=a_model())),
        a_stored_bot("heron", status=a_training_status(phase="Failed", conditions=stalled, currentRun=None)),
        a_stored_bot("new"),
        a_stored_bot("owl", namespace="team-b"),
    )


def test_a_fleet_is_listed_with_its_progress() -> None:
    done = run_plugin(a_fleet(), "list")
    assert done.code == 0
    assert [line.split() for line in done.output.splitlines()] == [
        ["NAME", "PHASE", "REASON", "PROGRESS", "SINCE", "KEPT", "MODEL"],
        ["gull", "Training", "Training", "43%,", "12m", "left", "5m", "227ba5f2c6c9109f"],
        ["heron", "Failed", "SecretMissing", "5m"],
        ["new", "Pending", "WaitingForOperator"],
    ]


def test_all_namespaces_are_listed_with_their_names() -> None:
    lines = run_plugin(a_fleet(), "list", "-A").output.splitlines()
    assert lines[0].split()[:2] == ["NAMESPACE", "NAME"]
    assert [line.split()[:2] for line in lines[1:]][-1] == ["team-b", "owl"]


def test_the_namespace_of_the_command_line_counts_before_and_after_the_command() -> None:
    assert "owl" in run_plugin(a_fleet(), "-n", "team-b", "list").output
    assert "owl" in run_plugin(a_fleet(), "list", "-n", "team-b").output


def test_wide_adds_the_message() -> None:
    assert "Fine-tuning the model" in run_plugin(a_fleet(), "list", "-o", "wide").output


def test_the_document_has_every_field() -> None:
    document = json.loads(run_plugin(a_fleet(), "list", "-o", "json").output)
    assert document["schemaVersion"] == 1
    assert document["items"][0] == {
        "namespace": "team-a",
        "name": "gull",
        "phase": "Training",
        "reason": "Training",
        "since": "2026-01-01T11:55:00Z",
        "percent": 43,
        "eta": "12m",
        "kept": None,
        "model": "227ba5f2c6c9109f",
        "message": "Fine-tuning the model",
        "stalled": False,
        "expected": None,
        "took": None,
    }


def test_a_wide_list_shows_what_a_run_was_expected_to_take_and_took() -> None:
    estimate = {"posts": 800, "minutesLeast": 2, "minutesMost": 8.5, "costLeast": 1, "costMost": 4, "currency": "EUR"}
    run = a_run(outcome="Succeeded", estimate=estimate, actual={"minutes": 5, "cost": 2.5, "currency": "EUR"})
    api = FakeApi(a_stored_bot(status=a_training_status(currentRun=run)))
    wide = run_plugin(api, "list", "-o", "wide").output
    assert "2.0 to 8.5 minutes, 1.00 to 4.00 EUR" in wide
    assert "5.0 minutes, 2.50 EUR" in wide
    takes = next(line for line in run_plugin(api, "status", "gull").output.splitlines() if line.startswith("takes"))
    assert takes.split(maxsplit=1)[1] == "5.0 minutes, 2.50 EUR, expected 2.0 to 8.5 minutes, 1.00 to 4.00 EUR"


def test_a_run_that_has_ended_has_no_progress() -> None:
    api = FakeApi(a_stored_bot(status=a_training_status(phase="Succeeded", currentRun=a_run(outcome="Succeeded"))))
    assert "%" not in run_plugin(api, "list").output


def test_a_terminal_draws_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    output = run_plugin(a_fleet(), "list", terminal=True).output
    assert "━━━━────── 43%, 12m left" in re.sub(r"\x1b\[[0-9;]*m", "", output)


def test_an_empty_namespace_is_no_failure() -> None:
    done = run_plugin(FakeApi(), "list")
    assert (done.code, done.output, done.notes) == (0, "", "No TweetBots in namespace team-a.\n")


def test_an_empty_namespace_is_an_empty_document() -> None:
    assert json.loads(run_plugin(FakeApi(), "list", "-o", "json").output)["items"] == []


def test_a_cluster_without_the_crd_says_what_to_install() -> None:
    api = FakeApi()
    api.without_kind = True
    done = run_plugin(api, "list")
    assert (done.code, "install the chart" in done.notes) == (3, True)


def test_a_missing_right_is_named_with_the_role_that_grants_it() -> None:
    api = a_fleet()
    api.forbid("list", "tweetbots")
    done = run_plugin(api, "list", "-A")
    assert done.code == 4
    assert done.notes.startswith("kubectl tweetbot: You may not list tweetbots in all namespaces.")
    assert "<release>-view" in done.notes


def test_a_cluster_that_is_away_has_an_exit_code_of_its_own() -> None:
    api = FakeApi()
    api.away = True
    assert run_plugin(api, "list").code == 5
