"""Find why a Job failed, by an ordered table of named checks on its Pods."""

from collections.abc import Callable

from tweetbot_contract.handover import PERMANENT_EXIT_CODES, RETRAIN_ANNOTATION, ExitCode
from tweetbot_contract.reasons import (
    ACCELERATOR_UNUSABLE,
    ATTEMPT_FAILED,
    ATTEMPTS_EXHAUSTED,
    CRASHED,
    DEADLINE_EXCEEDED,
    EVICTED,
    KILLED,
    NODE_REFUSED,
    PREFIX_OWNED,
    RETRY_BACKOFF,
    STOPPED,
    TRAINER_BUG,
)
from tweetbot_contract.result import StageFailed, TrainerResult, decode
from tweetbot_contract.status import Trouble
from tweetbot_operator.decisions.causes import Cause, find_cause
from tweetbot_operator.types.objects import JobView, PodView
from tweetbot_operator.types.stage_state import (
    AttemptFailed,
    Failed,
    ResultLost,
    ResultPending,
    RetryableFailure,
    StageState,
)
from tweetbot_operator.types.times import MESSAGE_LIMIT, make_printable, sanitize

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
    stage = job.stage.capitalize()
    return _diagnose_pods(ended, stage, attempts=job.first_attempt - 1 + sum(not pod.disrupted for pod in ended))


def diagnose_attempt(pods: Pods, attempt: int, stage: str, *, last: bool) -> AttemptFailed | Failed | RetryableFailure:
    """Return what follows from the failure of the last Pod's trainer, while other containers keep that Pod."""
    outcome = _diagnose_pods(pods, stage, attempts=attempt)
    if last or check_permanent_exit(pods):
        return outcome
    cause = explain_end(pods[-1], stage)
    reason = RETRY_BACKOFF.name if cause.reason == ATTEMPT_FAILED.name else cause.reason
    return AttemptFailed(attempt, reason, sanitize(f"Attempt {attempt} failed: {cause.words}"))


def diagnose_excess(job: JobView, pods: Pods, attempts: int) -> Failed | RetryableFailure | None:
    """Return the end of a stage of which another Pod was made than its Job's rules allow, as somebody changed them."""
    counted = tuple(pod for pod in pods if pod.ended and not pod.disrupted)
    if counted and (job.first_attempt + job.failed_pods > attempts or check_permanent_exit(counted)):
        return _diagnose_pods(counted, job.stage.capitalize(), attempts=job.first_attempt - 1 + len(counted))
    return None


def _diagnose_pods(pods: Pods, stage: str, *, attempts: int) -> Failed | RetryableFailure:
    found = next((state for check in CHECKS if (state := check(pods))), None)
    return found or _build_exhausted_attempts(pods[-1], attempts, stage)


def check_permanent_exit(pods: Pods) -> Failed | RetryableFailure | None:
    """The trainer reported that a retry cannot help, or not before another TweetBot is deleted."""
    pod = next((pod for pod in pods if pod.exit_code in PERMANENT_EXIT_CODES), None)
    if pod is None:
        return None
    said = parse_failure(pod.message)
    if said is None:
        message = f"The trainer ended with exit code {pod.exit_code} and gave no reason. {TRAINER_BUG.advice}"
        return Failed(TRAINER_BUG.name, message)
    if said.reason == PREFIX_OWNED.name:
        return RetryableFailure(said.reason, make_printable(said.message))
    return Failed(said.reason, _add_recovery_hint(make_printable(said.message), pod), said.figures)


def _add_recovery_hint(message: str, pod: PodView) -> str:
    """Say how to retry: a user who creates a missing bucket changes no spec."""
    if pod.exit_code not in _OUTSIDE or RETRAIN_ANNOTATION in message:
        return message
    hint = f". If the manifest is right as it is, fix the cause and set the annotation {RETRAIN_ANNOTATION}."
    return sanitize(message, 1024 - len(hint)) + hint


def check_temporary_exit(pods: Pods) -> RetryableFailure | None:
    """The last Pod gave up on a service that did not answer."""
    if pods[-1].exit_code != ExitCode.TEMPORARY or pods[-1].out_of_memory:
        return None
    said = parse_failure(pods[-1].message)
    if said is None:
        return RetryableFailure(RETRY_BACKOFF.name, RETRY_BACKOFF.meaning)
    nodes = _find_unusable_nodes(pods)
    if not nodes:
        return RetryableFailure(said.reason, make_printable(said.message))
    where = f". Nodes: {', '.join(nodes)}."
    return RetryableFailure(said.reason, sanitize(said.message, MESSAGE_LIMIT - len(where)) + where, nodes)


def _find_unusable_nodes(pods: Pods) -> tuple[str, ...]:
    """Return the nodes whose GPU torch could not use, each once, in the order of the attempts."""
    said = [(pod.node, parse_failure(pod.message)) for pod in pods if pod.node]
    unusable = [node for node, failure in said if failure and failure.reason == ACCELERATOR_UNUSABLE.name]
    return tuple(dict.fromkeys(unusable))


def check_explained_failure(pods: Pods) -> Failed | None:
    """The last Pod failed in a way that counts as an attempt, and gave a reason."""
    said = parse_failure(pods[-1].message)
    if said is None or pods[-1].exit_code == ExitCode.STOPPED or pods[-1].out_of_memory:
        return None
    return Failed(said.reason, make_printable(said.message))


CHECKS: tuple[Check, ...] = (
    check_permanent_exit,
    check_temporary_exit,
    check_explained_failure,
)
#: Causes that another try may not meet again, so that the number of attempts is the reason.
_UNSURE = {
    reason.name
    for reason in (ATTEMPT_FAILED, CRASHED, DEADLINE_EXCEEDED, EVICTED, KILLED, NODE_REFUSED, STOPPED, TRAINER_BUG)
}


def _build_exhausted_attempts(last: PodView, attempts: int, stage: str) -> Failed:
    """Build the end of a run whose trainer has said nothing of the cause."""
    cause = find_cause(last, stage)
    if cause.reason not in _UNSURE:
        return Failed(cause.reason, cause.message[0].upper() + cause.message[1:])
    why = cause.words if cause.reason == EVICTED.name else cause.message.rstrip(".")
    message = f"All {attempts} attempts ended without a result. The last one: {why}. {ATTEMPTS_EXHAUSTED.advice}"
    return Failed(ATTEMPTS_EXHAUSTED.name, message)


def explain_end(pod: PodView, stage: str) -> Cause:
    """Return why a Pod ended that left no result: what its trainer reported, or else what the cluster says."""
    said = parse_failure(pod.message)
    return Cause(said.reason, make_printable(said.message)) if said else find_cause(pod, stage)


def describe_trouble(trouble: Trouble) -> str:
    """Return what went wrong, where and when, in one sentence and its advice."""
    place = f"{trouble.reason} in attempt {trouble.attempt} at {trouble.at}"
    return f"{place}: {trouble.message.rstrip('.')}."


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
