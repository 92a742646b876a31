"""Keeps the findings of each TweetBot between passes, and no longer than what they speak of exists."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from tweetbot_contract.reasons import (
    ADMISSION_UNAVAILABLE,
    JOB_EDITED,
    JOB_REFUSED,
    NAME_CONFLICT,
    WAITING_FOR_PREVIOUS_POD,
)
from tweetbot_operator.client.errors import ApiError, Timeout, WebhookUnavailable
from tweetbot_operator.types.objects import CreateFailure, Diagnosis, Diagnostics, JobView, Key
from tweetbot_operator.types.times import add_seconds, compute_backoff, sanitize

#: The connection's own end, another one at each try, and each try would be a change of the status.
_OWN_END = re.compile(r"[0-9.\[\]:a-f]+->")


@dataclass(frozen=True, slots=True)
class FailureMessage:
    """Reason and message; `temporary` where the answer is nobody's, and may be another one at any moment."""

    reason: str
    message: str
    temporary: bool = False


def explain_create_failure(fault: ApiError) -> FailureMessage:
    """Return what is said of a Job that the API server did not create."""
    said = sanitize(_OWN_END.sub("", str(fault)), 700)
    if isinstance(fault, WebhookUnavailable):
        return FailureMessage(ADMISSION_UNAVAILABLE.name, f"{said}. {ADMISSION_UNAVAILABLE.advice}", temporary=True)
    if isinstance(fault, Timeout):
        cause = f"The API server is slow, or waits for a webhook: {said}"
        return FailureMessage(ADMISSION_UNAVAILABLE.name, f"{cause}. {ADMISSION_UNAVAILABLE.advice}", temporary=True)
    return FailureMessage(JOB_REFUSED.name, f"The API server refuses the Job: {said}. {JOB_REFUSED.advice}")


def explain_hidden_job(job: str) -> FailureMessage:
    """Return what is said where the run's own Job no longer shows itself to the watch, and is deleted for that."""
    return FailureMessage(JOB_EDITED.name, f"{job}: {JOB_EDITED.meaning} {JOB_EDITED.advice}", temporary=True)


def explain_name_conflict(job: JobView, bot: str) -> FailureMessage:
    """Return what is said where the Job's name is taken by one that is not ours; `bot` is the TweetBot's name.

    Who deletes a TweetBot and creates it anew is faster than the garbage collector.
    """
    if job.bot == bot and job.owner_uid and job.owner_uid == job.bot_uid:
        message = f"Job {job.name} is of a deleted TweetBot of this name, and goes with it."
        return FailureMessage(WAITING_FOR_PREVIOUS_POD.name, message, temporary=True)
    message = f"A Job named {job.name} exists and does not belong to this TweetBot. {NAME_CONFLICT.advice}"
    return FailureMessage(NAME_CONFLICT.name, message)


#: Longest pause, in seconds, before a refused Job is tried again or a Pod's Events are read again.
_LONGEST = 300.0
_FIRST_REFUSAL, _FIRST_CHECK = 2.0, 30.0
#: The same for what is away and may be back at any moment.
_LONGEST_ABSENCE = 60.0
#: The same 500 so many times in a row is no accident: NaN in an object is one, a webhook that is down another.
_SAME_FAULTS = 3


class DiagnosticsCache:
    """Findings by the TweetBot's namespace and name; inside, everything goes by uid or hash."""

    def __init__(self) -> None:
        self._diagnostics: dict[Key, Diagnostics] = {}

    def get(self, key: Key) -> Diagnostics:
        """Return what is known."""
        return self._diagnostics.get(key, Diagnostics())

    def note_create_failure(self, key: Key, job: str, execution: str, why: FailureMessage, now: datetime) -> None:
        """Note that the Job was refused, or that nobody could say whether it may be."""
        known = self.get(key)
        former = known.get_create_failure(job, execution)
        count = former.count + 1 if former else 1
        longest = _LONGEST_ABSENCE if why.temporary else _LONGEST
        retry_at = add_seconds(now, compute_backoff(count, _FIRST_REFUSAL, longest))
        failure = CreateFailure(job, execution, why.reason, why.message, count, retry_at, why.temporary)
        self._diagnostics[key] = replace(known, create_failure=failure)

    def accept(self, key: Key) -> None:
        """Note that the Job stands."""
        known = self.get(key)
        if known.create_failure:
            self._diagnostics[key] = replace(known, create_failure=None)
        self.forget_server_fault(key)

    def note_mounts(self, key: Key, pod: str, message: str, now: datetime) -> None:
        """Note what a Pod's Events said, or a Job's; they are read again after a growing pause."""
        known = self.get(key)
        check = _update_diagnosis(known.mounts.get(pod), message, now)
        self._diagnostics[key] = replace(known, mounts={**known.mounts, pod: check})

    def note_queue(self, key: Key, job: str, message: str, now: datetime) -> None:
        """Note what Kueue said about a Job that waits; it is asked again after a growing pause."""
        known = self.get(key)
        check = _update_diagnosis(known.queues.get(job), message, now)
        self._diagnostics[key] = replace(known, queues={**known.queues, job: check})

    def note_search(self, key: Key, job: str) -> None:
        """Note that the Pods of a Job that has ended were listed live."""
        known = self.get(key)
        self._diagnostics[key] = replace(known, searched=known.searched | {job})

    def note_podless(self, key: Key, jobs: Iterable[str], now: datetime) -> None:
        """Note which Jobs have no Pod that goes on; what is known of others is forgotten."""
        known = self.get(key)
        podless = {job: known.podless.get(job, now) for job in jobs}
        if podless != known.podless:
            self._diagnostics[key] = replace(known, podless=podless)

    def may_pass(self, key: Key, fault: ApiError) -> bool:
        """Note that the API server failed at a write; answers whether that may be an accident yet."""
        known, words = self.get(key), str(fault)
        count = known.server_faults + 1 if known.server_fault == words else 1
        self._diagnostics[key] = replace(known, server_fault=words, server_faults=count)
        return count < _SAME_FAULTS

    def forget_server_fault(self, key: Key) -> None:
        """Note that a write has succeeded."""
        known = self.get(key)
        if known.server_faults:
            self._diagnostics[key] = replace(known, server_fault="", server_faults=0)

    def note_deletion(self, key: Key, now: datetime) -> None:
        """Note that the TweetBot is being deleted, the first time that it is seen."""
        known = self.get(key)
        if known.deletion_seen_at is None:
            self._diagnostics[key] = replace(known, deletion_seen_at=now)

    def note_namespace_end(self, key: Key) -> None:
        """Note that nothing can be created in the namespace any more."""
        self._diagnostics[key] = replace(self.get(key), namespace_ending=True)

    def keep_only(self, key: Key, jobs: Iterable[str], pods: Iterable[str]) -> None:
        """Forget what speaks of Jobs and Pods that are gone."""
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
    """Return what was said now, after what was said before."""
    count = former.count + 1 if former else 1
    return Diagnosis(message, count, add_seconds(now, compute_backoff(count, _FIRST_CHECK, _LONGEST)))
