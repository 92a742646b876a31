"""X's problems as StageErrors, by one table."""

from datetime import UTC, datetime

from tweetbot_contract import reasons
from tweetbot_trainer.data.posts import Json
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError, TemporaryError
from tweetbot_trainer.runtime.refusals import Meaning, find_meaning, shorten_words

#: What is read of a problem. X writes the reason of an invalid request into `message`.
TEXTS = ("title", "detail", "message", "type", "resource_type")
_CHECK_REQUEST = "Check spec.sources[].x.apiBaseURL and spec.sources[].x.handle."
#: A name is the last part of a problem's `type`, an address on either api.twitter.com or api.x.com. `about:blank` is
#: named with the status, whose meaning it has (RFC 9457, 4.2.1). Types: X's OpenAPI 2.167, `Problem`.
TABLE: tuple[Meaning, ...] = (
    Meaning(
        ("resource-not-found", "not-authorized-for-resource", "resource-unavailable"),
        SpecRefused,
        reasons.ACCOUNT_SUSPENDED,
        words=("suspended",),
    ),
    Meaning(("resource-not-found",), SpecRefused, reasons.ACCOUNT_NOT_FOUND),
    Meaning(("not-authorized-for-resource",), SpecRefused, reasons.ACCOUNT_PROTECTED),
    Meaning(("credits", "credits-depleted"), SpecRefused, reasons.CREDITS_DEPLETED),
    Meaning(("usage-capped",), SpecRefused, reasons.USAGE_CAPPED),
    Meaning(("about:blank 401",), NotAuthorized, reasons.X_NOT_AUTHORIZED, words=("unauthorized",)),
    Meaning(
        ("client-forbidden", "unsupported-authentication", "oauth1-permissions", "disallowed-resource"),
        NotAuthorized,
        reasons.X_FORBIDDEN,
    ),
    Meaning(("invalid-request",), SpecRefused, reasons.SPEC_REFUSED, _CHECK_REQUEST),
)
#: What to look at if an answer that names no problem comes again and again.
_IF_IT_LASTS = {
    401: "check the token, spec.sources[].x.apiBaseURL and any proxy in between",
    402: "check the credits of the X account that pays",
    403: "check the token's app in X's console, spec.sources[].x.apiBaseURL and any proxy in between",
}


def parse_problem(status: int, body: Json, *, about: str, secret: str) -> StageError:
    """Return the error that an answer means; `secret` is removed from what X said.

    It is a TemporaryError unless X names a problem that the table has.
    """
    problem, meaning = _find_problem(status, body)
    said = _join_words(problem)
    detail = shorten_words(said.replace(secret, "…")).rstrip(".")
    message = f"X answered {status} for {about}: {detail or 'nothing more'}."
    if meaning:
        return meaning.error(meaning.reason, f"{message} {meaning.advice or meaning.reason.advice}")
    if status < 400:
        return TemporaryError(reasons.X_UNAVAILABLE if said else reasons.X_BAD_PAYLOAD, message.rstrip("."))
    if status >= 500:
        return TemporaryError(reasons.X_UNAVAILABLE, message.rstrip("."))
    advice = _IF_IT_LASTS.get(status, "check spec.sources[].x.apiBaseURL and any proxy in between")
    text = f"{message} This names no lasting problem, so it is asked again; if it lasts, {advice}."
    return TemporaryError(reasons.X_UNAVAILABLE, text)


def _find_problem(status: int, body: Json) -> tuple[Json, Meaning | None]:
    """Return the first problem of a body that the table has, with its meaning; else the first one.

    A server's error is never looked up: whatever it says, X has failed.
    """
    errors = body.get("errors")
    listed = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    whole = {key: body[key] for key in TEXTS if body.get(key)}
    problems = [whole | one for one in listed] or [whole]
    for problem in problems if status < 500 else ():
        if meaning := find_meaning(TABLE, _name_problem(status, problem), _join_words(problem)):
            return problem, meaning
    return problems[0], None


def _name_problem(status: int, problem: Json) -> str:
    """Return a problem's name. One of a post, which X reports beside the account's, is no problem of the account."""
    name = str(problem.get("type", "")).rsplit("/", 1)[-1]
    if name == "about:blank":
        return f"{name} {status}"
    return name if problem.get("resource_type", "user") == "user" else f"{name} of another resource"


def _join_words(problem: Json) -> str:
    words = [str(problem[key]) for key in ("title", "detail", "message") if problem.get(key)]
    return ": ".join(dict.fromkeys(words))


def format_reset(reset: int | None, now: float) -> str:
    """Return for people when to come back; if the answer names no future time, the length of X's windows."""
    if reset is None or reset <= now:
        return "a time that it does not name; its windows last 15 minutes"
    return datetime.fromtimestamp(reset, UTC).isoformat().replace("+00:00", "Z")
