"""What DataStale says of a request to forget posts: until when, what is waited for, what is left, and what to do."""

from tweetbot_contract.reasons import FORGET_OVERDUE, FORGETTING, FORGOTTEN
from tweetbot_contract.result.erasure import ErasedCounts
from tweetbot_contract.status.tasks import ForgetStatus
from tweetbot_operator.decisions.tasks.forget import get_deadline
from tweetbot_operator.types.stage_state import ForgetUpdate, StartProblem
from tweetbot_operator.types.times import format_time

#: What was erased, in the words of a message: one, several.
_WORDS = {
    "datasets": ("dataset", "datasets"),
    "versions": ("version", "versions"),
    "checkpoints": ("training's checkpoints", "trainings' checkpoints"),
    "raw_files": ("file of X's answers", "files of X's answers"),
    "tracked_runs": ("run at W&B", "runs at W&B"),
    "hub_copies": ("copy on the Hub", "copies on the Hub"),
}
#: Things that are left which a message names.
_NAMED = 3


def describe_forgetting(update: ForgetUpdate) -> tuple[bool, str, str]:
    """Return whether data is stale, the reason, and the message."""
    request = update.request
    if request.outcome == "Succeeded":
        erased = describe_erased(request.erased or ErasedCounts())
        return False, FORGOTTEN.name, f"{FORGOTTEN.meaning} Erased by {request.finished_at}: {erased}."
    said, deadline = _describe_step(update), format_time(get_deadline(request))
    if update.overdue:
        return True, FORGET_OVERDUE.name, f"The 24 hours that X's terms give ended at {deadline}. {said.message}"
    return True, said.reason, f"{said.message} X's terms give 24 hours, until {deadline}."


def _describe_step(update: ForgetUpdate) -> StartProblem:
    """Return what the request waits for, or what its latest try has left."""
    request = update.request
    said = update.wait or StartProblem(FORGETTING.name, FORGETTING.meaning, stalled=False)
    if request.outcome is None:
        return said
    then = f"It is tried again at {request.retry_at}." if request.retry_at else said.message
    if request.outcome == "Incomplete":
        return StartProblem(request.reason or "", f"{_describe_left(request)} {then}", stalled=False)
    return StartProblem(request.reason or "", f"{(request.message or '').rstrip('.')}. {then}", stalled=False)


def _describe_left(request: ForgetStatus) -> str:
    named = " ".join(f"{each.what}: {each.message.rstrip('.')}." for each in request.left[:_NAMED])
    more = request.left_total - min(len(request.left), _NAMED)
    others = f" And {more} more, which status.forget.left names as far as it has room." if more > 0 else ""
    return f"{request.left_total} of what holds the posts could not be erased. {named}{others}"


def describe_erased(counts: ErasedCounts) -> str:
    """Return what was erased, as a list in words."""
    numbers = ((getattr(counts, name), words) for name, words in _WORDS.items())
    found = [f"{number} {words[number > 1]}" for number, words in numbers if number]
    return ", ".join(found) or "nothing, as nothing held them"
