"""POST /api/posts: posts one after the other as server-sent events, or all of them as one JSON object."""

from collections.abc import AsyncGenerator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tweetbot_trainer.serving.api.errors import FAILURE
from tweetbot_trainer.serving.api.requests import PostsRequest, check_prompt, choose_seed, parse_body
from tweetbot_trainer.serving.api.streams import begin, build_stream, end_with_client, format_event
from tweetbot_trainer.serving.drafting.drafts import Wish, prepare_drafts
from tweetbot_trainer.serving.drafting.events import LABEL, Done, Dropped, Event, Posted, Queued
from tweetbot_trainer.serving.drafting.served import ServedModels


async def answer_posts(request: Request) -> Response:
    """Answer with posts of the model."""
    wish = await parse_body(request, PostsRequest)
    events = await begin(end_with_client(request, draw(request.app.state.models, wish)))
    if "text/event-stream" in request.headers.get("accept", ""):
        return build_stream(_format_events(events), format_event({"message": FAILURE}, "error"))
    return JSONResponse(build_answer([event async for event in events]))


def draw(models: ServedModels, wish: PostsRequest) -> AsyncGenerator[Event, None]:
    """Return the events of drawing the posts. Raises BadRequest."""
    check_prompt(wish.prompt)
    model = models.find(wish.model)
    work = prepare_drafts(
        model, Wish(wish.prompt, wish.count, choose_seed(wish.seed), temperature=wish.temperature, top_p=wish.top_p)
    )
    return model.queue.run(work)


def build_answer(events: list[Event]) -> dict[str, Any]:
    """Return the posts, and how many texts were dropped, as one object."""
    posts = [{"text": event.text, "label": LABEL} for event in events if isinstance(event, Posted)]
    done = next((event for event in events if isinstance(event, Done)), None)
    return {"posts": posts, **(_describe_end(done) if done else {})}


async def _format_events(events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
    async for event in events:
        yield _format_event(event)


def _format_event(event: Event) -> str:
    match event:
        case Queued(place):
            return format_event({"place": place}, "queued")
        case Posted(index, text):
            return format_event({"index": index, "text": text, "label": LABEL}, "post")
        case Dropped(reason):
            return format_event({"reason": reason}, "dropped")
        case Done():
            return format_event({"posts": event.posts, **_describe_end(event)}, "done")


def _describe_end(done: Done) -> dict[str, Any]:
    return {"copies": done.copies, "tooLong": done.too_long, "seconds": done.seconds, "seed": done.seed}
