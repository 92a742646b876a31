"""Errors in the form that OpenAI clients know."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tweetbot_trainer.serving.api.requests import BadRequest
from tweetbot_trainer.serving.drafting.queue import QueueFull
from tweetbot_trainer.serving.drafting.served import ModelNotFound

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


def build_error(
    message: str, *, status: int = 400, field: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the answer that says what is wrong, and in which field."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    content = {"error": {"message": message, "type": kind, "param": field, "code": None}}
    return JSONResponse(content, status, headers)


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
    """Answer where the server has a bug; the log has it."""
    return build_error("the server failed; its log says how", status=500)
