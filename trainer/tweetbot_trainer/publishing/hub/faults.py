"""What the Hub means when it does not take a version. Each message ends by what to do."""

from typing import Any

from huggingface_hub.errors import HFValidationError

from tweetbot_contract.reasons import HUB_DEGRADED
from tweetbot_trainer.learning.model.hub_errors import NO_ANSWER, find_answer, read_words
from tweetbot_trainer.runtime.certificates import find_server_fault
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError, TemporaryError

_UNAUTHORIZED, _FORBIDDEN = 401, 403
#: Answers that a later request may not get: timeouts, other writers, limits of requests.
_PASSING = frozenset({408, 409, 412, 425, 429})


def translate_fault(error: Exception, repo: str, token_place: str) -> StageError:
    """Return the error that a failed request means. `token_place` says where the token comes from."""
    if (answer := find_answer(error)) is not None:
        return _translate_answer(answer, repo, token_place)
    if isinstance(error, HFValidationError):
        return SpecRefused(HUB_DEGRADED, f"{repo} is no name of a repository: correct spec.output.huggingFace.repo")
    if fault := find_server_fault(error, "the Hugging Face Hub"):
        return SpecRefused(HUB_DEGRADED, fault.message)
    kind = type(error).__name__
    if isinstance(error, NO_ANSWER | OSError):
        return TemporaryError(HUB_DEGRADED, f"the Hugging Face Hub does not answer for {repo} ({kind})")
    words = " ".join(str(error).split())[:200]
    return TemporaryError(HUB_DEGRADED, f"the Hugging Face Hub's answer for {repo} cannot be used ({kind}: {words})")


def _translate_answer(answer: Any, repo: str, token_place: str) -> StageError:
    status = answer.status_code
    said = f"the Hugging Face Hub answered {status} for {repo}: {read_words(answer)}"
    if status == _UNAUTHORIZED:
        return NotAuthorized(HUB_DEGRADED, f"{said}. Put a valid token into {token_place}")
    if status == _FORBIDDEN:
        advice = f"Let the token in {token_place} write to {repo}, or correct spec.output.huggingFace.repo"
        return NotAuthorized(HUB_DEGRADED, f"{said}. {advice}")
    if status in _PASSING or status >= 500:
        return TemporaryError(HUB_DEGRADED, said, retry_after=_read_retry_after(answer))
    return SpecRefused(HUB_DEGRADED, f"{said}. Correct spec.output.huggingFace or the repository's settings")


def _read_retry_after(answer: Any) -> float | None:
    """Return the seconds that the Hub asks to wait, if it says so."""
    seconds = str(answer.headers.get("Retry-After", ""))
    return float(seconds) if seconds.isdecimal() else None
