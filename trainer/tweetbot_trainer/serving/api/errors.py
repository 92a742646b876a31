"""Errors in the form that OpenAI clients know."""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tweetbot_trainer.serving.api.requests import BadRequest
from tweetbot_trainer.serving.drafting.queue import QueueFull
from tweetbot_trainer.serving.drafting.served import ModelNotFound
from tweetbot_trainer.serving.headers import HEADERS

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


#: All that a client learns of a bug.
FAILURE = "the server failed; what it printed says how"


def build_error(
    message: str, *, status: int = 400, field: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the answer that says what is wrong, and in which field."""
    return JSONResponse(describe_error(message, status, field), status, headers)


def describe_error(message: str, status: int, field: str | None = None) -> dict[str, Any]:
    """Return what is wrong as OpenAI's clients read it."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": field, "code": None}}


async def answer_bad_request(_: Request, error: Exception) -> Response:
    """Answer a BadRequest."""
    assert isinstance(error, BadRequest)
    return build_error(error.message, status=error.status, field=error.field)


async def answer_full_queue(_: Request, error: Exception) -> Response:
    """Answer a QueueFull."""
    assert isinstance(error, QueueFull)
    return build_error(str(error), status=429, headers={"Retry-After": str(error.retry_after)})


async def answer_unknown_model(_: Request, error: Exception) -> Response:
    """Answer a ModelNotFound."""
    assert isinstance(error, ModelNotFound)
    return build_error(str(error), status=404, field="model")


async def answer_http_error(_: Request, error: Exception) -> Response:
    """Answer what the router raises: no such path, or not with this method."""
    assert isinstance(error, HTTPException)
    return build_error(error.detail, status=error.status_code, headers=error.headers)


async def answer_failure(_: Request, __: Exception) -> Response:
    """Answer where the server has a bug, outside what surrounds other answers. The log gets the traceback."""
    return build_error(FAILURE, status=500, headers=HEADERS)
