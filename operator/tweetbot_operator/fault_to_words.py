"""What kept a Job from being created → what its TweetBot says about it."""

import re
from dataclasses import dataclass

from tweetbot_contract.reasons import (
    ADMISSION_UNAVAILABLE,
    JOB_EDITED,
    JOB_REFUSED,
    NAME_CONFLICT,
    WAITING_FOR_PREVIOUS_POD,
)
from tweetbot_operator.errors import ApiFault, TimedOut, WebhookAway
from tweetbot_operator.text import clause
from tweetbot_operator.views import JobView

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
