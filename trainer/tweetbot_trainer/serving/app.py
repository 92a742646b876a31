"""The routes of the server."""

import asyncio
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tweetbot_trainer.serving import page
from tweetbot_trainer.serving.access import Access
from tweetbot_trainer.serving.api import completions, errors, models, openapi, picture, posts
from tweetbot_trainer.serving.api.requests import BadRequest
from tweetbot_trainer.serving.api.streams import ClientGone
from tweetbot_trainer.serving.drafting.queue import QueueFull
from tweetbot_trainer.serving.drafting.served import ModelNotFound, ServedModel, ServedModels
from tweetbot_trainer.serving.middleware import Guard

ROUTES = (
    Route("/", page.answer_page),
    Route("/", page.answer_form, methods=["POST"]),
    Route("/assets/{file}", page.answer_asset),
    Route("/api/posts", posts.answer_posts, methods=["POST"]),
    Route("/api/picture", picture.answer_picture, methods=["POST"]),
    Route("/api/models", models.answer_models),
    Route("/models/{name}/card", models.answer_card),
    Route("/models/{name}/card.md", models.answer_raw_card),
    Route("/models/{name}/files/{file}", models.answer_file),
    Route("/v1/models", completions.answer_models),
    Route("/v1/completions", completions.answer_completions, methods=["POST"]),
    Route("/openapi.json", openapi.answer_document),
    Route("/docs", openapi.answer_page),
)


def build_app(served: Sequence[ServedModel], access: Access) -> Starlette:
    """Return the server of these models, which have different names."""
    app = Starlette(
        routes=[*ROUTES, Route("/healthz", answer_health)],
        middleware=[Middleware(Guard, access=access)],
        exception_handlers={
            BadRequest: errors.answer_bad_request,
            ModelNotFound: errors.answer_unknown_model,
            QueueFull: errors.answer_full_queue,
            ClientGone: answer_nobody,
            HTTPException: errors.answer_http_error,
            Exception: errors.answer_failure,
        },
    )
    app.state.models = ServedModels(served)
    app.state.pictures = asyncio.Semaphore(1)
    return app


async def answer_health(_: Request) -> Response:
    """Answer a probe: the models are loaded."""
    return PlainTextResponse("ok")


async def answer_nobody(_: Request, __: Exception) -> Response:
    """Answer where the client has gone away."""
    return Response(status_code=499)
