from typing import Any

import pytest

from builders.manifests import a_manifest
from tweetbot_contract.manifest import TweetBot, parse
from tweetbot_kubectl.decisions.changes import (
    NotAVersion,
    plan_pin,
    plan_resume,
    plan_retrain,
    plan_suspend,
    plan_unpin,
)

NOW = "2026-12-01T00:00:00Z"
VERSION, OTHER = "9108a32a5b6d4c1f", "08f225fe08e94a5b"


def a_bot(status: dict[str, Any] | None = None, **spec: Any) -> TweetBot:
    return parse({**a_manifest(**spec), "status": status or {}}, stored=True)


def a_run(number: int = 3, **fields: Any) -> dict[str, Any]:
    own = {"id": "0" * 16, "number": number, "trigger": "", "identity": "1" * 16, "execution": "2" * 16}
    return {"currentRun": {**own, "stage": "Train", "startedAt": NOW, **fields}}


def a_model(version: str) -> dict[str, Any]:
    own = {"runId": "0" * 16, "identity": "1" * 16, "digest": "3" * 64, "sizeBytes": 1, "publishedAt": NOW}
    return {"model": {"name": f"team-a-gull-{version}", "uri": f"s3://team-a/models/{version}/model", **own}}


def test_a_retrain_sets_the_annotation_and_says_that_equal_posts_use_no_gpu() -> None:
    change = plan_retrain(a_bot(), NOW, force=False)
    assert change.patch == {"metadata": {"annotations": {"tweetbot.dev/retrain-at": NOW}}}
    assert "Run 1 begins within seconds." in change.follows
    assert any("uses no GPU" in sentence for sentence in change.follows)


def test_a_forced_retrain_sets_both_annotations_to_one_value() -> None:
    change = plan_retrain(a_bot(), NOW, force=True)
    assert change.patch == {"metadata": {"annotations": {"tweetbot.dev/retrain-at": NOW, "tweetbot.dev/force-at": NOW}}}
    assert any("trains even if nothing changed" in sentence for sentence in change.follows)


def test_a_retrain_says_what_becomes_of_the_run_in_progress() -> None:
    assert (
        "Run 3, which is in its Train stage, is Superseded" in plan_retrain(a_bot(a_run()), NOW, force=False).follows[0]
    )
    ended = plan_retrain(a_bot(a_run(outcome="Succeeded")), NOW, force=False)
    assert ended.follows[0] == "Run 4 begins within seconds."
    suspended = plan_retrain(a_bot(suspend=True), NOW, force=False)
    assert "begins after kubectl tweetbot resume gull" in suspended.follows[0]


def test_a_retrain_names_what_x_may_bill_and_the_pin_that_stays() -> None:
    x = {"handle": "gull", "tokenSecret": {"name": "x", "key": "k"}, "maxSpendUSD": 4, "acceptTerms": True}
    follows = plan_retrain(a_bot(sources=[{"x": x}], pin=VERSION), NOW, force=False).follows
    assert "X bills the posts that it reads: at most $4." in follows
    assert f"Version {VERSION} stays served, as spec.pin names it." in follows


def test_suspend_and_resume_change_the_field_only_if_it_is_otherwise() -> None:
    assert plan_suspend(a_bot()).patch == {"spec": {"suspend": True}}
    assert plan_suspend(a_bot(suspend=True)).patch is None
    assert plan_resume(a_bot(suspend=True)).patch == {"spec": {"suspend": False}}
    assert plan_resume(a_bot()).patch is None


def test_suspend_and_resume_say_what_becomes_of_the_run() -> None:
    assert "after a checkpoint" in plan_suspend(a_bot(a_run())).follows[0]
    assert "No run begins" in plan_suspend(a_bot()).follows[0]
    assert "goes on in its Train stage" in plan_resume(a_bot(a_run(), suspend=True)).follows[0]


def test_a_pin_names_the_version_that_was_served() -> None:
    change = plan_pin(a_bot(a_model(OTHER)), VERSION)
    assert change.patch == {"spec": {"pin": VERSION}}
    assert f"instead of {OTHER}" in change.follows[0]
    assert plan_pin(a_bot(pin=VERSION), VERSION).patch is None


def test_what_is_no_version_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(NotAVersion, match="write 16 hex digits"):
        plan_pin(a_bot(), "newest")


def test_unpin_removes_the_field_and_names_what_is_served_then() -> None:
    pin = {"version": VERSION, "requestedAt": NOW, "generation": 1, "newest": {"version": OTHER}}
    change = plan_unpin(a_bot({"pin": pin}, pin=VERSION))
    assert change.patch == {"spec": {"pin": None}}
    assert OTHER in change.follows[0]
    assert plan_unpin(a_bot()).patch is None
