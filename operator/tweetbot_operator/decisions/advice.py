"""Find what to do about a cause that the cluster names, and which field of the TweetBot it comes from.

The table of known causes is the contract's; docs/troubleshooting.md is rendered from it, too.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import (
    CONTAINER_NOT_STARTED,
    IMAGE_PULL_FAILED,
    JOB_REFUSED,
    POD_REFUSED,
    SECRET_NOT_FOUND,
    START_DEADLINE_EXCEEDED,
    UNSCHEDULABLE,
    Reason,
)
from tweetbot_contract.reasons.known_cause import FOREIGN, KnownCause
from tweetbot_contract.reasons.known_causes import KNOWN_CAUSES
from tweetbot_contract.reasons.reason import RETRAIN
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_operator.jobs.pod import get_pvc_name
from tweetbot_operator.types.creations import CreateFailure
from tweetbot_operator.types.stage_state import Failed, RetryableFailure, StartProblem
from tweetbot_operator.types.times import make_printable, sanitize

_GOES_ON = "The run then continues by itself."
#: What comes after the advice, by the reason's name.
_AFTERWARDS = {
    **{
        reason.name: _GOES_ON
        for reason in (CONTAINER_NOT_STARTED, IMAGE_PULL_FAILED, POD_REFUSED, SECRET_NOT_FOUND, UNSCHEDULABLE)
    },
    JOB_REFUSED.name: "The operator retries with growing pauses.",
}
_URI = re.compile(r"\b(?:s3|hf|pvc)://[^\s,;'\")]+")
_FILES = ("archive", "posts", "mastodon", "threads", "instagram", "reddit")
_ADDRESSES = (
    "spec.output.s3.uri",
    "spec.model.base",
    *(f"spec.sources[].{kind}.uri" for kind in _FILES),
    "spec.sources[].bluesky.car",
)
#: Fields that hold a published model.
_OUTPUT = re.compile(r"\bspec\.output\.s3\.(?:uri|endpoint)\b")
_FIXED = (
    "As a model is published, neither uri nor endpoint of spec.output.s3 can change: for that, create another TweetBot."
)
_SETTING = "the operator's setting"
#: Fields of the place of trainings, which a prepare stage has under spec.scheduling.prepare. It inherits the priority.
_PRIORITY = "spec.scheduling.priorityClassName"
_PLACED = re.compile(
    r"spec\.scheduling\.(?=(?:nodeSelector|tolerations|affinity|runtimeClassName|priorityClassName)\b)"
)
#: Pieces of advice in one message.
_MOST = 4


def advise(reason: Reason, words: str, spec: TweetBotSpec, stage: str) -> str:
    """Return what to do about the causes that the words name, and what happens then; else the reason's own advice."""
    found = find_advice(reason, words, spec, stage)
    if not found or found == (FOREIGN,):
        return FOREIGN if found else reason.advice
    made = any(_SETTING in sentence for sentence in found)  # the Job keeps what it was made with
    again = [f"After a change of {_SETTING}, {RETRAIN}."] if made else []
    return " ".join((*found, _AFTERWARDS[reason.name], *again))


def explain_start_timeout(why: Reason | None, cause: str, spec: TweetBotSpec, stage: str) -> Failed:
    """Return the end of a run whose Pod has not started in time; `why` is the reason under which its cause was told."""
    reason, found = START_DEADLINE_EXCEEDED, find_advice(why, cause, spec, stage) if why else ()
    again = (
        [] if found == (FOREIGN,) else [f"Then {RETRAIN}; after an edit of the spec the run starts again by itself."]
    )
    waited = f"The Pod did not start within {spec.run.start_deadline_seconds} s"
    said = sanitize(cause, 600) or "the cluster does not say why"
    return Failed(reason.name, f"{waited}: {said}. {' '.join((*found, *again)) if found else reason.advice}")


def explain_refused_job(failure: CreateFailure, spec: TweetBotSpec, stage: str) -> StartProblem:
    """Return why the API server creates no Job of this stage, and what to do."""
    complete = failure.reason != JOB_REFUSED.name  # other reasons have one piece of advice for all causes
    message = failure.message if complete else f"{failure.message}. {advise(JOB_REFUSED, failure.message, spec, stage)}"
    return StartProblem(failure.reason, message, stalled=not failure.temporary)


def find_advice(reason: Reason, words: str, spec: TweetBotSpec, stage: str) -> tuple[str, ...]:
    """Return a sentence for each known cause that the words name, each once.

    That nothing of the spec causes it is said only where that goes for all of them.
    """
    document = spec.to_dict()
    causes = [cause for cause in KNOWN_CAUSES if reason in cause.reasons and cause.stage in ("", stage.capitalize())]
    matches = [(cause, names) for cause in map(partial(_replace_fields, stage), causes) for names in cause.find(words)]
    if reason is IMAGE_PULL_FAILED:
        matches = matches[:1]
    ours = [sentence for cause, names in matches if (sentence := _fill_in(cause, names, document))]
    sentences = ours or [cause.otherwise.format(**names) for cause, names in matches]
    return tuple(dict.fromkeys(sentences))[:_MOST]


def _replace_fields(stage: str, cause: KnownCause) -> KnownCause:
    """Return the cause with the fields by which this stage's Pod is placed."""
    if stage.capitalize() == "Train":
        return cause
    point = partial(_PLACED.sub, "spec.scheduling.prepare.")
    fields = (*map(point, cause.fields), *(field for field in cause.fields if field == _PRIORITY))
    return replace(cause, advice=point(cause.advice), otherwise=point(cause.otherwise), fields=fields)


def name_fields(state: Failed | RetryableFailure, bot: TweetBot) -> Failed | RetryableFailure:
    """Return the failure with the fields whose values its message names, and with those that cannot change any more."""
    message = state.message
    if "spec." not in message and (fields := _find_fields(message, bot.spec.to_dict())):
        message = f"{message.rstrip('.')}. See {' and '.join(fields)}."
    if bot.status.model and _OUTPUT.search(message):
        message = f"{message.rstrip('.')}. {_FIXED}"
    return replace(state, message=make_printable(message))


def _find_fields(message: str, document: dict[str, Any]) -> list[str]:
    """Return the fields with an address or account of the message; a bucket stands in each address that is in it."""
    named = [uri.rstrip(".:") for uri in _URI.findall(message)]
    written = [each for field in _ADDRESSES for each in _list_values(document, field)]
    exact = [path for path, value in written if value in named]
    inside = [path for path, value in written if any(value.startswith(f"{uri}/") for uri in named)]
    handles = [(path, f"@{value}") for path, value in _list_values(document, "spec.sources[].x.handle")]
    accounts = [*handles, *_list_values(document, "spec.sources[].bluesky.actor")]
    return exact or inside or [path for path, name in accounts if re.search(rf"{re.escape(name)}(?!\w|\.\w)", message)]


def _fill_in(cause: KnownCause, names: dict[str, str], document: dict[str, Any]) -> str:
    """Return the advice with what the sentence names and the fields that caused it; empty if no field did."""
    named = names.get("name") or names.get("resource")
    written = [each for field in cause.fields for each in _list_values(document, field)]
    values = [(path, get_pvc_name(value) if path == "spec.model.base" else value) for path, value in written]
    fields = [path for path, value in values if value and named in (None, value)]
    if cause.fields and not fields and cause.otherwise:
        return ""
    account = document.get("serviceAccountName", "default")
    return cause.advice.format(**names, account=account, fields=" and ".join(fields or cause.fields))


def _list_values(document: dict[str, Any], field: str) -> Iterator[tuple[str, str]]:
    """Yield path and value of a field that is set."""
    found: list[tuple[str, Any]] = [("spec", document)]
    for step in field.removeprefix("spec.").split("."):
        found = [each for path, value in found for each in _take_step(path, value, step)]
    yield from found


def _take_step(path: str, value: Any, step: str) -> Iterator[tuple[str, Any]]:
    name = step.removesuffix("[]")
    inner = value.get(name)
    if inner is not None and name == step:
        yield f"{path}.{name}", inner
    elif inner is not None:
        yield from ((f"{path}.{name}[{index}]", item) for index, item in enumerate(inner))
