"""The hub's refusals as StageErrors, by one table."""

import json
from typing import Any

from huggingface_hub import errors
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from tweetbot_contract import reasons
from tweetbot_trainer.runtime.certificates import find_server_fault
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError, TemporaryError
from tweetbot_trainer.runtime.refusals import Meaning, extract_words, find_meaning, shorten_words

#: Raised by the hub's library if the hub does not answer; from the HTTP client that it uses (httpx, httpx2).
NO_ANSWER: type[Exception] = errors.HTTPError  # type: ignore[attr-defined]
#: Raised by it for answers that it cannot read, such as a page for people or a list in place of an object.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
_NAME_TOKEN = "name a token of that account in spec.model.tokenSecret"  # noqa: S105  # says where it belongs
_NOT_PUBLIC = Meaning(
    ("RepoNotFound",),
    SpecRefused,
    reasons.BASE_MODEL_NOT_FOUND,
    "The hub has no public model {name}: correct spec.model.base. If it is private, name a token that may read it in "
    "spec.model.tokenSecret",
)
#: A name is the header X-Error-Code, by which the hub's own client tells answers apart (huggingface_hub 2.4,
#: utils/_http.py). Two refusals have only words: of a disabled model, and the 401 for models that strangers cannot see.
TABLE: tuple[Meaning, ...] = (
    Meaning(
        ("GatedRepo",),
        SpecRefused,
        reasons.BASE_MODEL_REFUSED,
        f"hf://{{name}} is gated: accept its conditions on its page, and {_NAME_TOKEN}",
    ),
    Meaning(
        ("",),
        NotAuthorized,
        reasons.BASE_MODEL_REFUSED,
        "The hub does not know the token of spec.model.tokenSecret, or no longer: put a valid one into the Secret",
        words=("invalid credentials in authorization header",),
    ),
    Meaning(
        ("RevisionNotFound",),
        SpecRefused,
        reasons.BASE_MODEL_NOT_FOUND,
        "hf://{name} has no revision {revision}: correct spec.model.revision",
    ),
    Meaning(
        ("EntryNotFound",),
        SpecRefused,
        reasons.BASE_MODEL_REFUSED,
        "hf://{name} lacks a file that it lists: use another base, or copy it to your bucket",
    ),
    _NOT_PUBLIC,
    Meaning(
        ("",),
        SpecRefused,
        reasons.BASE_MODEL_NOT_FOUND,
        _NOT_PUBLIC.advice,
        words=("invalid username or password", "repository not found"),
    ),
    Meaning(
        ("",),
        SpecRefused,
        reasons.BASE_MODEL_REFUSED,
        "hf://{name} was disabled on the hub: use another one",
        words=("access to this resource is disabled",),
    ),
)
_IF_IT_LASTS = "if it lasts, look at spec.model.base, HF_ENDPOINT and any proxy in between"


def translate_error(name: str, revision: str | None, error: Exception) -> StageError:
    """Return the error that a failed request means: a TemporaryError unless the hub names what the table has."""
    if (answer := find_answer(error)) is not None:
        return _translate_answer(name, revision, answer)
    if isinstance(error, HFValidationError):
        return SpecRefused(_NOT_PUBLIC.reason, f"{_NOT_PUBLIC.advice.format(name=name)}.")
    if fault := find_server_fault(error, "the Hugging Face Hub"):
        return fault
    kind = type(error).__name__
    text = f"The Hugging Face Hub does not answer for {name} ({kind})."
    if not isinstance(error, NO_ANSWER | OSError):
        text = f"The Hugging Face Hub's answer for {name} cannot be read ({kind}); {_IF_IT_LASTS}."
    return TemporaryError(reasons.MODEL_HUB_UNAVAILABLE, text)


def find_answer(error: BaseException) -> Any:
    """Return the answer that an error is about, its own or that of its cause: downloads wrap what listing raised."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, HfHubHTTPError) and cause.response is not None:
            return cause.response
        cause = cause.__cause__
    return None


def _translate_answer(name: str, revision: str | None, answer: Any) -> StageError:
    status, code = answer.status_code, answer.headers.get("X-Error-Code", "")
    said = f"The Hugging Face Hub answered {status} for {name}: {read_words(answer)}"
    if status < 500 and (meaning := find_meaning(TABLE, code, _read_message(answer))):
        return meaning.error(meaning.reason, f"{meaning.advice.format(name=name, revision=revision)}. {said}.")
    return TemporaryError(reasons.MODEL_HUB_UNAVAILABLE, f"{said}; {_IF_IT_LASTS}.")


def read_words(answer: Any) -> str:
    """Return what an answer says for people, without a full stop."""
    said = shorten_words(f"{answer.headers.get('X-Error-Code', '')} {_read_message(answer)}")
    return (said or shorten_words(extract_words(answer.content)) or "nothing more").rstrip(".")


def _read_message(answer: Any) -> str:
    return str(answer.headers.get("X-Error-Message") or _read_error(answer.content))


def _read_error(content: bytes) -> str:
    """Return what a body calls its error, as the hub does, "" if it is somebody else's."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    return str(body.get("error") or "") if isinstance(body, dict) else ""
