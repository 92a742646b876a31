"""What passes have learned about each TweetBot, kept only while the Jobs and Pods concerned exist."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from tweetbot_contract.handover import find_task
from tweetbot_contract.reasons import JOB_MUTATED
from tweetbot_operator.client.errors import ApiError
from tweetbot_operator.reconciler.refusals import FailureMessage
from tweetbot_operator.types.creations import CreatedJob, CreateFailure
from tweetbot_operator.types.objects import (
    Diagnosis,
    Diagnostics,
    FollowedJob,
    JobView,
    Key,
    PodView,
)
from tweetbot_operator.types.times import add_seconds, compute_backoff, extract_meaning

#: Seconds before a refused Job is tried again, and before a Pod's Events are read again: at first and at most.
_FIRST_REFUSAL, _FIRST_CHECK, _LONGEST = 2.0, 30.0, 300.0
#: Seconds at most before a temporary refusal is tried again.
_LONGEST_TEMPORARY = 60.0
#: Equal 500s in a row after which they are no accident: NaN in an object causes them, or a webhook that is down.
_SAME_FAULTS = 3


#: Seconds before a Job that admission changes is previewed again: five times in the first ten minutes.
_FIRST_MUTATION, _LONGEST_MUTATION = 20.0, 600.0


def _compute_refusal_pause(why: FailureMessage, count: int) -> float:
    if why.reason == JOB_MUTATED.name:
        return compute_backoff(count, _FIRST_MUTATION, _LONGEST_MUTATION)
    return compute_backoff(count, _FIRST_REFUSAL, _LONGEST_TEMPORARY if why.temporary else _LONGEST)


class DiagnosticsCache:
    """Diagnostics by the TweetBot's namespace and name."""

    def __init__(self) -> None:
        self._diagnostics: dict[Key, Diagnostics] = {}

    def get(self, key: Key) -> Diagnostics:
        """Return what is known of a TweetBot."""
        return self._diagnostics.get(key, Diagnostics())

    def clear(self) -> None:
        """Forget everything, as after a restart."""
        self._diagnostics.clear()

    def note_create_failure(self, key: Key, job: str, execution: str, why: FailureMessage, now: datetime) -> None:
        """Note why the Job was not created."""
        known = self.get(key)
        former = known.get_create_failure(job, execution)
        count = former.count + 1 if former else 1
        retry_at = add_seconds(now, _compute_refusal_pause(why, count))
        failure = CreateFailure(job, execution, why.reason, why.message, count, retry_at, why.temporary)
        if find_task(job):  # it goes beside the run's
            self._diagnostics[key] = replace(known, task_failure=failure)
        else:
            self._diagnostics[key] = replace(known, create_failure=failure)

    def note_creation(self, key: Key, name: str, count: int, recorded_at: str | None, now: datetime) -> None:
        """Note that a Job was created."""
        known = self.get(key)
        created = {**dict(list(known.created.items())[-2:]), name: CreatedJob(now, count, recorded_at)}
        self._diagnostics[key] = replace(known, created=created)

    def accept(self, key: Key, job: str) -> None:
        """Note that the Job exists."""
        known = self.get(key)
        if find_task(job) and known.task_failure:
            self._diagnostics[key] = replace(known, task_failure=None)
        elif not find_task(job) and known.create_failure:
            self._diagnostics[key] = replace(known, create_failure=None)
        self.forget_server_fault(key)

    def note_mounts(self, key: Key, pod: str, message: str, now: datetime) -> None:
        """Note what a Pod's or a Job's Events say; they are read again after a growing pause."""
        known = self.get(key)
        mounts = {**known.mounts, pod: _update_diagnosis(known.mounts.get(pod), message, now)}
        self._diagnostics[key] = replace(known, mounts=mounts)

    def note_queue(self, key: Key, job: str, message: str | None, now: datetime) -> None:
        """Note what Kueue, if there is one, says about a waiting Job; it is asked again after a growing pause."""
        known = self.get(key)
        said = replace(_update_diagnosis(known.queues.get(job), message or "", now), unserved=message is None)
        self._diagnostics[key] = replace(known, queues={**known.queues, job: said})

    def note_search(self, key: Key, job: str) -> None:
        """Note that a finished Job's Pods were listed live."""
        known = self.get(key)
        self._diagnostics[key] = replace(known, searched=known.searched | {job})

    def note_followed(self, key: Key, name: str, job: JobView | None, pods: Iterable[PodView], now: datetime) -> None:
        """Note what a request has shown of a Job and its Pods; only what no watch shows is kept."""
        unwatched = tuple(pod for pod in pods if not pod.watched)
        known = self.get(key)
        followed = known.followed.items()
        kept = {of: each for of, each in followed if each.job or each.pods or now < add_seconds(each.at, 60)}
        self._diagnostics[key] = replace(known, followed={**kept, name: FollowedJob(job, unwatched, now)})

    def note_podless(self, key: Key, jobs: Iterable[str], now: datetime) -> None:
        """Note which Jobs have no active Pod; the others' times are forgotten."""
        known = self.get(key)
        podless = {job: known.podless.get(job, now) for job in jobs}
        if podless != known.podless:
            self._diagnostics[key] = replace(known, podless=podless)

    def may_pass(self, key: Key, fault: ApiError) -> bool:
        """Note that the API server failed at a write; answers whether that may still be an accident."""
        known, words = self.get(key), str(fault)
        same = extract_meaning(known.server_fault) == extract_meaning(words)  # an id or a time may differ
        count = known.server_faults + 1 if same else 1
        self._diagnostics[key] = replace(known, server_fault=words, server_faults=count)
        return count < _SAME_FAULTS

    def forget_server_fault(self, key: Key) -> None:
        """Note that a write has succeeded."""
        known = self.get(key)
        if known.server_faults:
            self._diagnostics[key] = replace(known, server_fault="", server_faults=0)

    def note_deletion(self, key: Key, now: datetime) -> None:
        """Note when the TweetBot was first seen as being deleted."""
        known = self.get(key)
        if known.deletion_seen_at is None:
            self._diagnostics[key] = replace(known, deletion_seen_at=now)

    def note_namespace_end(self, key: Key) -> None:
        """Note that nothing can be created in the namespace any more."""
        self._diagnostics[key] = replace(self.get(key), namespace_ending=True)

    def keep_only(self, key: Key, jobs: Iterable[str], pods: Iterable[str]) -> None:
        """Forget Jobs and Pods that are gone."""
        known, remaining = self.get(key), frozenset(jobs)
        if known.searched or known.mounts or known.queues:
            alive = remaining | frozenset(pods)
            mounts = {uid: check for uid, check in known.mounts.items() if uid in alive}
            queues = {uid: check for uid, check in known.queues.items() if uid in remaining}
            self._diagnostics[key] = replace(known, mounts=mounts, queues=queues, searched=known.searched & remaining)

    def forget(self, key: Key) -> None:
        """Forget a TweetBot."""
        self._diagnostics.pop(key, None)


def _update_diagnosis(former: Diagnosis | None, message: str, now: datetime) -> Diagnosis:
    count = former.count + 1 if former else 1
    return Diagnosis(message, count, add_seconds(now, compute_backoff(count, _FIRST_CHECK, _LONGEST)))
