"""Keeps the findings of each TweetBot between passes, and no longer than what they speak of exists."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tweetbot_contract.reasons import (
    ADMISSION_UNAVAILABLE,
    JOB_EDITED,
    JOB_REFUSED,
    NAME_CONFLICT,
    WAITING_FOR_PREVIOUS_POD,
)
from tweetbot_operator.client.errors import ApiFault, ClusterBusy, TimedOut, WebhookAway
from tweetbot_operator.types.diagnostics import Findings, MountCheck, Refusal
from tweetbot_operator.types.objects import JobView, Key
from tweetbot_operator.types.times import clause

#: The connection's own end, another one at each try, and each try would be a change of the status.
_OWN_END = re.compile(r"[0-9.\[\]:a-f]+->")


@dataclass(frozen=True, slots=True)
class Words:
    """Reason and message; `temporary` where the answer is nobody's, and may be another one at any moment."""

    reason: str
    message: str
    temporary: bool = False


def words_for(fault: ApiFault) -> Words:
    """Return what is said of a Job that the API server did not create."""
    said = clause(_OWN_END.sub("", str(fault)), 700)
    if isinstance(fault, WebhookAway):
        return Words(ADMISSION_UNAVAILABLE.name, f"{said}. {ADMISSION_UNAVAILABLE.advice}", temporary=True)
    if isinstance(fault, TimedOut):
        cause = f"The API server is slow, or waits for a webhook: {said}"
        return Words(ADMISSION_UNAVAILABLE.name, f"{cause}. {ADMISSION_UNAVAILABLE.advice}", temporary=True)
    return Words(JOB_REFUSED.name, f"The API server refuses the Job: {said}. {JOB_REFUSED.advice}")


def words_for_hidden(job: str) -> Words:
    """Return what is said where the run's own Job no longer shows itself to the watch, and is deleted for that."""
    return Words(JOB_EDITED.name, f"{job}: {JOB_EDITED.meaning} {JOB_EDITED.advice}", temporary=True)


def words_for_stranger(job: JobView, bot: str) -> Words:
    """Return what is said where the Job's name is taken by one that is not ours; `bot` is the TweetBot's name.

    Who deletes a TweetBot and creates it anew is faster than the garbage collector.
    """
    if job.bot == bot and job.owner and job.owner == job.bot_uid:
        message = f"Job {job.name} is of a deleted TweetBot of this name, and goes with it."
        return Words(WAITING_FOR_PREVIOUS_POD.name, message, temporary=True)
    message = f"A Job named {job.name} exists and does not belong to this TweetBot. {NAME_CONFLICT.advice}"
    return Words(NAME_CONFLICT.name, message)


#: Longest pause, in seconds, before a refused Job is tried again or a Pod's Events are read again.
_LONGEST = 300.0
_FIRST_REFUSAL, _FIRST_CHECK = 2.0, 30.0
#: The same for what is away and may be back at any moment.
_LONGEST_ABSENCE = 60.0
#: The same 500 so many times in a row is no accident: NaN in an object is one, a webhook that is down another.
_SAME_FAULTS = 3


class Memory:
    """Findings by the TweetBot's namespace and name; inside, everything goes by uid or hash."""

    def __init__(self) -> None:
        self._findings: dict[Key, Findings] = {}

    def of(self, key: Key) -> Findings:
        """Return what is known."""
        return self._findings.get(key, Findings())

    def refuse(self, key: Key, job: str, execution: str, why: Words, now: datetime) -> None:
        """Note that the Job was refused, or that nobody could say whether it may be."""
        known = self.of(key)
        former = known.refusal_of(job, execution)
        count = former.count + 1 if former else 1
        retry_at = now + _pause(_FIRST_REFUSAL, count, _LONGEST_ABSENCE if why.temporary else _LONGEST)
        refusal = Refusal(job, execution, why.reason, why.message, count, retry_at, why.temporary)
        self._findings[key] = replace(known, refusal=refusal)

    def accept(self, key: Key) -> None:
        """Note that the Job stands."""
        known = self.of(key)
        if known.refusal:
            self._findings[key] = replace(known, refusal=None)
        self.forget_server_fault(key)

    def note_mounts(self, key: Key, pod: str, message: str, now: datetime) -> None:
        """Note what a Pod's Events said, or a Job's; they are read again after a growing pause."""
        known = self.of(key)
        check = _checked(known.mounts.get(pod), message, now)
        self._findings[key] = replace(known, mounts={**known.mounts, pod: check})

    def note_queue(self, key: Key, job: str, message: str, now: datetime) -> None:
        """Note what Kueue said about a Job that waits; it is asked again after a growing pause."""
        known = self.of(key)
        check = _checked(known.queues.get(job), message, now)
        self._findings[key] = replace(known, queues={**known.queues, job: check})

    def note_search(self, key: Key, job: str) -> None:
        """Note that the Pods of a Job that has ended were listed live."""
        known = self.of(key)
        self._findings[key] = replace(known, searched=known.searched | {job})

    def note_podless(self, key: Key, jobs: Iterable[str], now: datetime) -> None:
        """Note which Jobs have no Pod that goes on; what is known of others is forgotten."""
        known = self.of(key)
        podless = {job: known.podless.get(job, now) for job in jobs}
        if podless != known.podless:
            self._findings[key] = replace(known, podless=podless)

    def may_pass(self, key: Key, fault: ClusterBusy) -> bool:
        """Note that the API server failed at a write; answers whether that may be an accident yet."""
        known, words = self.of(key), str(fault)
        count = known.server_faults + 1 if known.server_fault == words else 1
        self._findings[key] = replace(known, server_fault=words, server_faults=count)
        return count < _SAME_FAULTS

    def forget_server_fault(self, key: Key) -> None:
        """Note that a write has succeeded."""
        known = self.of(key)
        if known.server_faults:
            self._findings[key] = replace(known, server_fault="", server_faults=0)

    def note_deletion(self, key: Key, now: datetime) -> None:
        """Note that the TweetBot is being deleted, the first time that it is seen."""
        known = self.of(key)
        if known.deletion_seen_at is None:
            self._findings[key] = replace(known, deletion_seen_at=now)

    def note_namespace_end(self, key: Key) -> None:
        """Note that nothing can be created in the namespace any more."""
        self._findings[key] = replace(self.of(key), namespace_ending=True)

    def keep_only(self, key: Key, jobs: Iterable[str], pods: Iterable[str]) -> None:
        """Forget what speaks of Jobs and Pods that are gone."""
        known, standing = self.of(key), frozenset(jobs)
        if known.searched or known.mounts or known.queues:
            alive = standing | frozenset(pods)
            mounts = {uid: check for uid, check in known.mounts.items() if uid in alive}
            queues = {uid: check for uid, check in known.queues.items() if uid in standing}
            self._findings[key] = replace(known, mounts=mounts, queues=queues, searched=known.searched & standing)

    def forget(self, key: Key) -> None:
        """Forget a TweetBot."""
        self._findings.pop(key, None)


def _checked(former: MountCheck | None, message: str, now: datetime) -> MountCheck:
    """Return what was said now, after what was said before."""
    count = former.count + 1 if former else 1
    return MountCheck(message, count, now + _pause(_FIRST_CHECK, count))


def _pause(first: float, count: int, longest: float = _LONGEST) -> timedelta:
    return timedelta(seconds=min(first * 2.0 ** min(count - 1, 30), longest))
