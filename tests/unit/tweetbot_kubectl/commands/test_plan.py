"""`kubectl tweetbot plan`: from the spec and earlier runs alone."""

import json
from pathlib import Path

import yaml

from builders.manifests import a_manifest
from tweetbot_contract.identity import hash_identity
from tweetbot_contract.manifest import parse
from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import a_model, a_stored_bot, a_training_status, run_plugin, say_time

X = [{"x": {"handle": "gull", "tokenSecret": {"name": "x", "key": "token"}, "maxPosts": 1000, "acceptTerms": True}}]
METRICS = {
    "evalLoss": 3,
    "bitsPerByte": 1,
    "perplexity": 20,
    "trainLoss": 3,
    "tokensPerSecond": 100,
    "trainSeconds": 60,
}
RECORD = {
    "id": "1" * 16, "number": 1, "outcome": "Succeeded", "reason": "Succeeded", "attempts": 2,
    "startedAt": say_time(1200), "finishedAt": say_time(600),
}  # fmt: skip


def a_trained_bot() -> FakeApi:
    gull = a_stored_bot(sources=X)
    model = a_model() | {"identity": hash_identity(parse(gull, stored=True).spec)}
    data = {"digest": "d" * 64, "downloaded": 800, "kept": 800, "billed": {"x": 400}}
    status = a_training_status(model=model, metrics=METRICS, data=data, runs=[RECORD])
    return FakeApi(gull | {"status": status})


def test_a_trained_bot_is_planned_from_its_own_speed_and_bill() -> None:
    done = run_plugin(a_trained_bot(), "plan", "gull")
    assert done.code == 0
    assert done.output.splitlines() == [
        "name      gull",
        "posts     800 kept by the last run",
        "X         sources[0]: at most $5.01, $2.01 if as many as last time; the run stops at $17. It cannot be read "
        "without paying.",
        "steps     38 to 76",
        "tokens    38,400 to 76,800",
        "minutes   6.9 to 22.8, by the speed of the served model's training; waits are not counted",
        "earlier   10 minutes, waits included; runs that adopted a model are short",
    ]


def test_a_bot_that_never_ran_is_planned_from_its_base() -> None:
    document = json.loads(run_plugin(FakeApi(a_stored_bot(sources=X)), "plan", "gull", "-o", "json").output)
    assert (document["keptPosts"], document["measured"], document["xBills"][0]["expectedUsd"]) == (None, False, None)
    assert document["training"]["minutes"]["least"] < document["training"]["minutes"]["most"]


def test_without_a_run_an_archive_says_who_reads_it() -> None:
    assert (
        "`tweetbot-trainer plan --manifest FILE` reads them"
        in run_plugin(FakeApi(a_stored_bot()), "plan", "gull").output
    )


def test_a_manifest_is_planned_before_it_is_applied(tmp_path: Path) -> None:
    (tmp_path / "bot.yaml").write_text(yaml.safe_dump(a_manifest(sources=X)), encoding="utf-8")
    done = run_plugin(FakeApi(), "plan", "-f", str(tmp_path / "bot.yaml"))
    assert (done.code, "at most $5.01" in done.output) == (0, True)


def test_what_is_no_manifest_and_a_missing_name_are_told(tmp_path: Path) -> None:
    (tmp_path / "bot.yaml").write_text("a: [", encoding="utf-8")
    assert run_plugin(FakeApi(), "plan", "-f", str(tmp_path / "bot.yaml")).code == 2
    assert run_plugin(FakeApi(), "plan", "-f", str(tmp_path / "none.yaml")).code == 3
    assert run_plugin(FakeApi(), "plan").code == 2
