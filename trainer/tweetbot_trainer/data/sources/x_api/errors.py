"""X's problems as StageErrors."""

from datetime import UTC, datetime

from tweetbot_contract import reasons
from tweetbot_contract.reasons import Reason
from tweetbot_trainer.data.posts import Json
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError, TemporaryError

_DETAIL_LENGTH = 300
_KINDS: dict[Reason, type[StageError]] = {
    reasons.RATE_LIMITED: TemporaryError,
    reasons.X_UNAVAILABLE: TemporaryError,
    reasons.X_BAD_PAYLOAD: TemporaryError,
    reasons.X_NOT_AUTHORIZED: NotAuthorized,
    reasons.X_FORBIDDEN: NotAuthorized,
}
_BY_STATUS = {
    401: reasons.X_NOT_AUTHORIZED,
    402: reasons.CREDITS_DEPLETED,
    403: reasons.X_FORBIDDEN,
    429: reasons.RATE_LIMITED,
}
#: By the last part of a problem's `type`, an address on either api.twitter.com or api.x.com.
_BY_TYPE = {
    "not-authorized-for-resource": reasons.ACCOUNT_PROTECTED,
    "resource-not-found": reasons.ACCOUNT_NOT_FOUND,
    "usage-capped": reasons.USAGE_CAPPED,
}


def parse_problem(status: int, body: Json, *, about: str, secret: str) -> StageError:
    """Return the error that an answer means; `secret` is removed from what X said."""
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else body
    said = ": ".join(str(first[key]) for key in ("title", "detail") if first.get(key))
    reason = _find_reason(status, str(first.get("type", "")).rsplit("/", 1)[-1], said)
    detail = said.replace(secret, "…").strip()[:_DETAIL_LENGTH] or "nothing more"
    advice = "Check apiBaseURL and handle." if reason is reasons.SPEC_REFUSED else reason.advice
    message = f"X answered {status} for {about}: {detail.rstrip('.')}. {advice}"
    return _KINDS.get(reason, SpecRefused)(reason, message)


def _find_reason(status: int, kind: str, said: str) -> Reason:
    if "suspended" in said.lower() and kind in ("resource-not-found", "not-authorized-for-resource", ""):
        return reasons.ACCOUNT_SUSPENDED
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    if "creditsdepleted" in said.lower().replace(" ", ""):
        return reasons.CREDITS_DEPLETED
    if 400 <= status < 500:
        return _BY_STATUS.get(status, reasons.SPEC_REFUSED)
    return reasons.X_UNAVAILABLE if said else reasons.X_BAD_PAYLOAD


def format_reset(reset: int | None, now: float) -> str:
    """Return for people when to come back; if the answer names no future time, the length of X's windows."""
    if reset is None or reset <= now:
        return "a time that it does not name; its windows last 15 minutes"
    return datetime.fromtimestamp(reset, UTC).isoformat().replace("+00:00", "Z")
