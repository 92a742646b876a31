"""Pods of a run's Job → what the run has used up: seconds, Pods, disruptions, each Pod counted once.

While the Job goes on, its Pods are summed anew in every pass; a Pod enters the status when it is about to be gone, or
when a write is due anyway, so that counting costs an undisturbed run no write.
"""

from datetime import datetime
from typing import assert_never

from tweetbot_contract.status import CurrentRun
from tweetbot_operator.types.objects import PodView
from tweetbot_operator.types.stage_state import (
    Active,
    Failed,
    JobMissing,
    Outdated,
    PrepareComplete,
    ResultLost,
    ResultPending,
    RetryableFailure,
    StageState,
    Suspended,
    Terminating,
    TrainComplete,
)

#: Counted Pods remembered: those of a Job that still exist are fewer (10 attempts, 20 disruptions).
_REMEMBERED = 64
Pods = tuple[PodView, ...]


def compute_used_seconds(run: CurrentRun, pods: Pods, now: datetime) -> float:
    """Return the seconds that the stage's containers have run: those in the status, and these Pods'."""
    return run.ran_seconds + sum(_compute_pod_seconds(pod, now) for pod in _filter_uncounted(run, pods))


def compute_uncounted_gpu_time(run: CurrentRun, pods: Pods, now: datetime) -> dict[str, float]:
    """Return the seconds that these Pods' GPUs were held and that are in no status, by resource."""
    held = [(pod.gpu, _compute_pod_seconds(pod, now)) for pod in _filter_uncounted(run, pods) if pod.gpu]
    return {gpu: sum(seconds for of, seconds in held if of == gpu) for gpu, _ in held}


def count_disruptions(run: CurrentRun, pods: Pods) -> int:
    """Return how many Pods of the present Job had to leave their node."""
    return run.disruptions + sum(pod.disrupted and pod.ended for pod in _filter_uncounted(run, pods))


def add_usage(run: CurrentRun, pods: Pods, state: StageState, now: datetime) -> CurrentRun:
    """Return the run with those Pods counted that later passes may not see; `pods` are its Job's own."""
    due = tuple(pod for pod in _filter_uncounted(run, pods) if _is_due(pod, state))
    sent_away = isinstance(state, Suspended)
    if not due:
        return run
    alive = {pod.uid for pod in pods}
    counted = [*(uid for uid in run.counted_pods if uid in alive), *(pod.uid for pod in due)]
    used = {
        "ran_seconds": run.ran_seconds + round(sum(_compute_pod_seconds(pod, now) for pod in due)),
        "pods": run.pods + sum(not (pod.disrupted or sent_away) for pod in due),
        "disruptions": run.disruptions + sum(pod.disrupted for pod in due),
        "counted_pods": tuple(counted[-_REMEMBERED:]),
    }
    return run.model_copy(update=used)


def _is_due(pod: PodView, state: StageState) -> bool:
    match state:
        case PrepareComplete() | TrainComplete() | RetryableFailure() | Failed():
            return True
        case Terminating():
            return pod.ended
        case Active():
            return pod.ended and pod.deleting_at is not None
        case Suspended():
            return pod.deleting_at is not None  # it may be gone before it is seen to have ended
        case JobMissing() | Outdated() | ResultPending() | ResultLost():
            return False
        case _:
            assert_never(state)


def _filter_uncounted(run: CurrentRun, pods: Pods) -> Pods:
    return tuple(pod for pod in pods if pod.uid not in run.counted_pods)


def _compute_pod_seconds(pod: PodView, now: datetime) -> float:
    if pod.started_at is None:
        return 0.0
    return max(((pod.finished_at or now) - pod.started_at).total_seconds(), 0.0)
