"""The body of a report, in the words of Kubeflow's KEP-2779 → a small frozen report; no sender's clock is believed.

`{"trainerStatus": {"progressPercentage", "estimatedRemainingSeconds", "metrics": [{"name", "value"}], …}}`; the bounds
are the KEP's. Metrics are read by the names that Hugging Face's Trainer gives them.
"""

import math
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from tweetbot_operator.progress.errors import Unreadable
from tweetbot_operator.types.progress import Report

#: Longest body, in bytes: 256 metrics of the longest name and value are half of it.
BODY_LIMIT = 64 * 1024
#: Ten years: a longer estimate is no estimate.
_LONGEST = 10 * 365 * 86400


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)


class _Metric(_Wire):
    name: Annotated[str, Field(max_length=64)]
    value: Annotated[str, Field(max_length=64)]


class _TrainerStatus(_Wire):
    progress_percentage: Annotated[int | None, Field(ge=0, le=100)] = None
    estimated_remaining_seconds: Annotated[int | None, Field(ge=0, le=_LONGEST)] = None
    metrics: Annotated[tuple[_Metric, ...] | None, Field(max_length=256)] = None


class _Body(_Wire):
    trainer_status: _TrainerStatus


def parse_report(body: bytes) -> Report:
    """Return the report of a body. Raises Unreadable, which names the field."""
    try:
        said = _Body.model_validate_json(body).trainer_status
    except ValidationError as fault:
        first = fault.errors()[0]
        location = ".".join(str(step) for step in first["loc"]) or "body"
        raise Unreadable(f"{location}: {first['msg']}") from None
    metrics = {metric.name: metric.value for metric in said.metrics or ()}
    return Report(
        percent=said.progress_percentage,
        step=_parse_count(metrics.get("current_step")),
        total_steps=_parse_count(metrics.get("total_steps")),
        eta_seconds=said.estimated_remaining_seconds,
        train_loss=_parse_number(metrics.get("loss")),
        eval_loss=_parse_number(metrics.get("eval_loss")),
    )


def _parse_count(text: str | None) -> int | None:
    number = _parse_number(text)
    return int(number) if number is not None and 0 <= number < 2**53 else None


def _parse_number(text: str | None) -> float | None:
    """A figure that is no finite number says nothing; a status that held it would be refused."""
    try:
        number = float(text) if text else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
