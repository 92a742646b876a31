"""Explain why a Job was not created."""

import re
from dataclasses import dataclass

from tweetbot_contract.reasons import (
    ADMISSION_UNAVAILABLE,
    JOB_MUTATED,
    JOB_REFUSED,
    NAME_CONFLICT,
    WAITING_FOR_PREVIOUS_POD,
)
from tweetbot_operator.client.errors import ApiError, InternalError, Timeout, Unavailable, WebhookUnavailable
from tweetbot_operator.jobs.job import format_mutations
from tweetbot_operator.types.creations import Mutation
from tweetbot_operator.types.objects import JobView
from tweetbot_operator.types.times import sanitize

#: Our end of a connection, e.g. `10.0.0.7:51234->`, which tells a reader nothing.
_OWN_END = re.compile(r"[0-9.\[\]:a-f]+->")


@dataclass(frozen=True, slots=True)
class FailureMessage:
    """Why a Job was not created; `temporary` where the next try may succeed with nothing changed."""

    reason: str
    message: str
    temporary: bool = False


def explain_create_failure(fault: ApiError) -> FailureMessage:
    """Explain why the API server did not create a Job. The advice on what it refuses depends on the spec."""
    words = sanitize(_OWN_END.sub("", str(fault)), 700)
    if isinstance(fault, WebhookUnavailable):
        return FailureMessage(ADMISSION_UNAVAILABLE.name, f"{words}. {ADMISSION_UNAVAILABLE.advice}", temporary=True)
    if isinstance(fault, Unavailable) and not isinstance(fault, InternalError):
        slow = isinstance(fault, Timeout)
        cause = f"The API server {'is slow, or waits for a webhook' if slow else 'breaks off'}: {words}"
        return FailureMessage(ADMISSION_UNAVAILABLE.name, f"{cause}. {ADMISSION_UNAVAILABLE.advice}", temporary=True)
    return FailureMessage(JOB_REFUSED.name, f"The API server refuses the Job: {words}")


def explain_mutations(job: str, mutations: tuple[Mutation, ...]) -> FailureMessage:
    """Explain why a Job is not created: admission would change what it is known by."""
    words = f"Job {job} is not created, as admission would change it: {format_mutations(mutations)}"
    return FailureMessage(JOB_MUTATED.name, f"{words}. {JOB_MUTATED.advice}")


def explain_name_conflict(job: JobView, bot: str) -> FailureMessage:
    """Explain that the Job's name is taken by one that is not ours; `bot` is the TweetBot's name.

    A TweetBot that is deleted and created again may be faster than the garbage collector, or than that of orphans.
    """
    orphan = bool(job.run_id) and job.watched and not job.owner_uid
    if job.bot == bot and (orphan or (job.owner_uid and job.owner_uid == job.bot_uid)):
        message = f"Job {job.name} belongs to a deleted TweetBot of this name, and is deleted."
        return FailureMessage(WAITING_FOR_PREVIOUS_POD.name, message, temporary=True)
    message = f"A Job named {job.name} exists and does not belong to this TweetBot. {NAME_CONFLICT.advice}"
    return FailureMessage(NAME_CONFLICT.name, message)
