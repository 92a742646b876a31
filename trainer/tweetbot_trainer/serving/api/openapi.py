"""GET /openapi.json describes the API, and GET /docs shows the same as a page that loads nothing from elsewhere."""

import importlib.metadata
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from tweetbot_trainer.serving.api.completions import CompletionRequest
from tweetbot_trainer.serving.api.requests import PictureRequest, PostsRequest
from tweetbot_trainer.serving.templates import render_template


@dataclass(frozen=True, slots=True)
class _Operation:
    """One method of one path. `answers` are its media types, each with a sentence or with the schema of its JSON."""

    path: str
    summary: str
    answers: dict[str, Any]
    body: type[BaseModel] | None = None

    @property
    def method(self) -> str:
        """The method: what has a body is posted."""
        return "post" if self.body else "get"


def _describe_list(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


def _describe_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


_STRING, _INTEGER, _NUMBER, _FLAG = ({"type": kind} for kind in ("string", "integer", "number", "boolean"))
_OPTIONAL = {"type": ["string", "null"]}
_POSTS = _describe_object(
    posts=_describe_list(_describe_object(text=_STRING, label=_STRING)),
    copies=_INTEGER, tooLong=_INTEGER, seconds=_NUMBER, seed=_INTEGER,
)  # fmt: skip
_MODEL = _describe_object(
    name=_STRING, version=_STRING, handle=_STRING, person=_STRING, disclosure=_STRING, base=_STRING,
    temperature=_NUMBER, card=_OPTIONAL, pictures=_describe_list(_STRING), face=_OPTIONAL, copiesChecked=_FLAG,
    copiesMissing=_STRING,
)  # fmt: skip
_COMPLETION = _describe_object(
    id=_STRING, object=_STRING, created=_INTEGER, model=_STRING, system_fingerprint=_STRING,
    choices=_describe_list(_describe_object(index=_INTEGER, text=_STRING, finish_reason=_STRING)),
    usage=_describe_object(prompt_tokens=_INTEGER, completion_tokens=_INTEGER, total_tokens=_INTEGER),
)  # fmt: skip
_MODELS = _describe_object(object=_STRING, data=_describe_list(_describe_object(id=_STRING, object=_STRING)))
_ERROR = _describe_object(error=_describe_object(message=_STRING, type=_STRING, param=_OPTIONAL))
_EVENTS = (
    "Server-sent events. queued {place}: this many wait before, 0 for the next. post {index, text, label}: as soon as "
    "it is written. dropped {reason}: Copy (of a training post) or TooLong. done {posts, copies, tooLong, seconds, "
    "seed}. error {message}."
)
OPERATIONS = (
    _Operation("/api/models", "The models that are served", {"application/json": _describe_list(_MODEL)}),
    _Operation(
        "/api/posts",
        "Write posts; Accept: text/event-stream gives each as soon as it is written",
        {"application/json": _POSTS, "text/event-stream": _EVENTS},
        PostsRequest,
    ),
    _Operation("/api/picture", "Draw posts that the model wrote", {"image/png": "The picture."}, PictureRequest),
    _Operation("/models/{name}/card", "The model's card as a page", {"text/html": "The card."}),
    _Operation("/models/{name}/card.md", "The model's card", {"text/markdown": "The card."}),
    _Operation("/models/{name}/files/{file}", "A picture of the card", {"image/*": "The picture."}),
    _Operation("/v1/models", "The models, for clients of OpenAI", {"application/json": _MODELS}),
    _Operation(
        "/v1/completions",
        "Continue texts, for clients of OpenAI; a chunk of a stream holds a whole text",
        {"application/json": _COMPLETION, "text/event-stream": "Chunks of the same form, and data: [DONE]."},
        CompletionRequest,
    ),
    _Operation("/healthz", "Whether the server answers; needs no token", {"text/plain": "ok"}),
)  # fmt: skip


async def answer_document(_: Request) -> Response:
    """Answer with the description of the API."""
    return JSONResponse(build_document())


async def answer_page(_: Request) -> Response:
    """Answer with the description as a page."""
    return HTMLResponse(render_page())


@cache
def build_document() -> dict[str, Any]:
    """Return the API as an OpenAPI 3.1 document."""
    bodies = [operation.body for operation in OPERATIONS if operation.body]
    schemas: dict[str, Any] = {"Error": _ERROR}
    for body in bodies:
        schema = body.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {}) | {body.__name__: schema}
    return {
        "openapi": "3.1.0",
        "info": {"title": "tweetbot-trainer serve", "version": importlib.metadata.version("tweetbot-operator")},
        "paths": {operation.path: {operation.method: _describe(operation)} for operation in OPERATIONS},
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{}, {"token": []}],
    }


def _describe(operation: _Operation) -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    content = {kind: {"schema": _describe_content(what)} for kind, what in operation.answers.items()}
    answers = {
        "200": {"description": operation.summary, "content": content},
        "default": {"description": "What is wrong, and in which field", "content": error},
    }
    described: dict[str, Any] = {"summary": operation.summary, "responses": answers}
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    if names:
        described["parameters"] = [{"name": name, "in": "path", "required": True, "schema": _STRING} for name in names]
    if operation.body:
        schema = {"$ref": f"#/components/schemas/{operation.body.__name__}"}
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described


def _describe_content(what: Any) -> dict[str, Any]:
    return {"type": "string", "description": what} if isinstance(what, str) else what


@cache
def render_page() -> str:
    """Return the page: each path with its fields and answers."""
    document = build_document()
    return render_template("api.html", **document, outline=lambda schema: json.dumps(_outline(schema), indent=2))


def _outline(schema: dict[str, Any]) -> Any:
    """Return an example of a schema's form: names of types in place of values."""
    if schema["type"] == "object":
        return {name: _outline(inner) for name, inner in schema["properties"].items()}
    if schema["type"] == "array":
        return [_outline(schema["items"])]
    return schema["type"]
