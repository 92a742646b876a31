"""Only the living Pod of the run's own train Job reports."""

from dataclasses import replace
from typing import Any

import pytest

from builders.progress import Training
from tweetbot_operator.progress.authorize import Bearer, trainer_pod
from tweetbot_operator.progress.errors import NotThisRun


def refused(training: Training, bearer: Bearer) -> str:
    with pytest.raises(NotThisRun) as refusal:
        trainer_pod(training.cache, bearer, training.run)
    return str(refusal.value)


def test_the_trainers_pod_is_let_in() -> None:
    training = Training("member")
    assert trainer_pod(training.cache, Bearer("team-a", training.pod.uid), training.run) == training.pod


def test_a_pod_that_nobody_has_seen_is_kept_out() -> None:
    assert "no Job" in refused(Training("member"), Bearer("team-a", "another"))


@pytest.mark.parametrize(
    "change",
    [{"run_id": "0123456789abcdef"}, {"stage": "prepare"}, {"owner_uid": "uid-of-another"}],
    ids=["an earlier run", "the prepare stage", "another TweetBot"],
)
def test_a_pod_of_another_job_is_kept_out(change: dict[str, Any]) -> None:
    training = Training("member")
    training.cache.jobs.put(replace(training.job, resource_version="11", **change))
    refused(training, Bearer("team-a", training.pod.uid))


def test_a_token_of_another_namespace_is_kept_out() -> None:
    training = Training("member")
    refused(training, Bearer("team-b", training.pod.uid))


def test_a_run_of_another_bot_is_kept_out() -> None:
    training = Training("member")
    training.run = replace(training.run, bot="another")
    refused(training, Bearer("team-a", training.pod.uid))


def test_a_pod_that_has_ended_is_kept_out() -> None:
    training = Training("member")
    training.cache.pods.put(replace(training.pod, resource_version="21", phase="Succeeded"))
    assert "ended" in refused(training, Bearer("team-a", training.pod.uid))
