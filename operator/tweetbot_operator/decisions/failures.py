"""Find why a Job failed, by an ordered table of named checks on its Pods."""

from collections.abc import Callable

from tweetbot_contract.handover import PERMANENT_EXIT_CODES, RETRAIN_ANNOTATION, ExitCode
from tweetbot_contract.reasons import ATTEMPTS_EXHAUSTED, OUT_OF_MEMORY, RETRY_BACKOFF, TRAINER_BUG
from tweetbot_contract.result import StageFailed, TrainerResult, decode
from tweetbot_operator.decisions.pod_problems import diagnose_container
from tweetbot_operator.types.objects import JobView, PodView
from tweetbot_operator.types.stage_state import (
    AttemptFailed,
    Failed,
    ResultLost,
    ResultPending,
    RetryableFailure,
    StageState,
)
from tweetbot_operator.types.times import make_printable, sanitize

Pods = tuple[PodView, ...]
Check = Callable[[Pods], Failed | RetryableFailure | None]
#: Exit codes for causes outside the manifest, which may stay as it is once they are fixed.
_OUTSIDE = (ExitCode.REFUSED, ExitCode.NOT_AUTHORIZED)


def diagnose_failure(job: JobView, pods: Pods, *, searched: bool) -> StageState:
    """Return why the Job failed; `searched` says whether `pods` were listed live after that."""
    ended = tuple(pod for pod in pods if pod.ended)
    if not searched and (len(ended) < max(job.failed_pods, 1) or len(ended) < len(pods)):
        return ResultPending(job)
    if not ended:
        return ResultLost()
    return _diagnose_pods(ended, attempts=job.first_attempt - 1 + sum(not pod.disrupted for pod in ended))


def diagnose_attempt(pods: Pods, attempt: int, *, last: bool) -> AttemptFailed | Failed | RetryableFailure:
    """Return what follows from the failure of the last Pod's trainer, while other containers keep that Pod."""
    outcome = _diagnose_pods(pods, attempts=attempt)
    if last or check_permanent_exit(pods):
        return outcome
    pod, said = pods[-1], parse_failure(pods[-1].message)
    how = make_printable(said.message) if said else f"it ended {_describe_exit(pod)}"
    reason = said.reason if said else OUT_OF_MEMORY.name if pod.out_of_memory else RETRY_BACKOFF.name
    return AttemptFailed(attempt, reason, sanitize(f"Attempt {attempt} failed: {how}"))


def _diagnose_pods(pods: Pods, *, attempts: int) -> Failed | RetryableFailure:
    found = next((state for check in CHECKS if (state := check(pods))), None)
    return found or _build_exhausted_attempts(pods[-1], attempts)


def check_permanent_exit(pods: Pods) -> Failed | None:
    """The trainer reported that a retry cannot help."""
    pod = next((pod for pod in pods if pod.exit_code in PERMANENT_EXIT_CODES), None)
    if pod is None:
        return None
    said = parse_failure(pod.message)
    if said is None:
        message = f"The trainer ended with exit code {pod.exit_code} and gave no reason. {TRAINER_BUG.advice}"
        return Failed(TRAINER_BUG.name, message)
    return Failed(said.reason, _add_recovery_hint(make_printable(said.message), pod))


def _add_recovery_hint(message: str, pod: PodView) -> str:
    """Say how to retry: a user who creates a missing bucket changes no spec."""
    if pod.exit_code not in _OUTSIDE or RETRAIN_ANNOTATION in message:
        return message
    hint = f". If the manifest is right as it is, fix the cause and set the annotation {RETRAIN_ANNOTATION}."
    return sanitize(message, 1024 - len(hint)) + hint


def check_out_of_memory(pods: Pods) -> Failed | None:
    """The last Pod was killed for its memory."""
    if not pods[-1].out_of_memory:
        return None
    return Failed(OUT_OF_MEMORY.name, f"{OUT_OF_MEMORY.meaning} {OUT_OF_MEMORY.advice}")


def check_temporary_exit(pods: Pods) -> RetryableFailure | None:
    """The last Pod gave up on a service that did not answer."""
    if pods[-1].exit_code != ExitCode.TEMPORARY:
        return None
    said = parse_failure(pods[-1].message)
    if said is None:
        return RetryableFailure(RETRY_BACKOFF.name, RETRY_BACKOFF.meaning)
    return RetryableFailure(said.reason, make_printable(said.message))


def check_explained_failure(pods: Pods) -> Failed | None:
    """The last Pod failed in a way that counts as an attempt, and gave a reason."""
    said = parse_failure(pods[-1].message)
    if said is None or pods[-1].exit_code == ExitCode.STOPPED:
        return None
    return Failed(said.reason, make_printable(said.message))


def check_other_containers(pods: Pods) -> Failed | None:
    """The last Pod failed before its trainer ran, by a container that others added."""
    found = diagnose_container(pods[-1].unready) if pods[-1].exit_code is None and pods[-1].unready else None
    if found is None:
        return None
    reason, words = found
    return Failed(reason.name, f"{sanitize(words, 600)}. {reason.advice}")


def check_start_error(pods: Pods) -> Failed | None:
    """The runtime could not start the last Pod's trainer."""
    if words := pods[-1].start_error:
        hint = f"Fix the trainer image or the node's runtime, then set the annotation {RETRAIN_ANNOTATION}."
        message = f"The node could not start the trainer: {sanitize(words, 600)}. {hint}"
        return Failed(ATTEMPTS_EXHAUSTED.name, message)
    return None


CHECKS: tuple[Check, ...] = (
    check_permanent_exit,
    check_out_of_memory,
    check_temporary_exit,
    check_explained_failure,
    check_other_containers,
    check_start_error,
)


def _build_exhausted_attempts(last: PodView, attempts: int) -> Failed:
    """Build the end of a run whose Pods say nothing of the cause."""
    how = _describe_exit(last)
    message = f"All {attempts} attempts ended without a result, the last {how}. {ATTEMPTS_EXHAUSTED.advice}"
    return Failed(ATTEMPTS_EXHAUSTED.name, message)


def _describe_exit(pod: PodView) -> str:
    return "without an exit code" if pod.exit_code is None else f"with exit code {pod.exit_code}"


def parse_message(message: str) -> TrainerResult | None:
    """Return the result in a Pod's termination message, or None."""
    try:
        return decode(message)
    except ValueError:
        return None


def parse_failure(message: str) -> StageFailed | None:
    """Return the failure in a Pod's termination message, or None."""
    result = parse_message(message)
    return result if isinstance(result, StageFailed) else None
