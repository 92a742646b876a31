"""GET / and POST /: the page, which works without JavaScript too, and its style and script."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tweetbot_trainer.serving.api.models import describe_model
from tweetbot_trainer.serving.api.posts import draw
from tweetbot_trainer.serving.api.requests import POSTS, BadRequest, PostsRequest, parse_fields
from tweetbot_trainer.serving.api.streams import end_with_client
from tweetbot_trainer.serving.drafting.events import LABEL, Done, Event, Posted
from tweetbot_trainer.serving.drafting.queue import QueueFull
from tweetbot_trainer.serving.drafting.served import ModelNotFound, ServedModels
from tweetbot_trainer.serving.templates import read_page_file, render_template

_TYPES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


@dataclass(slots=True)
class Form:
    """What stands in the form: at first, or as it was sent. `models` are the names that are ticked."""

    prompt: str = "My dream is"
    count: str = "5"
    temperature: str = ""
    seed: str = ""
    models: list[str] = field(default_factory=list)

    def as_wish(self, model: str) -> PostsRequest:
        """Return what is asked of a model; fields that are empty are left out. Raises BadRequest."""
        given = {"count": self.count, "temperature": self.temperature, "seed": self.seed}
        wanted = {name: value for name, value in given.items() if value.strip()}
        return parse_fields({**wanted, "prompt": self.prompt, "model": model}, PostsRequest)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a model answered to the form."""

    texts: list[str]
    done: Done | None

    @classmethod
    def from_events(cls, events: list[Event]) -> "Drawn":
        """Gather the posts of an answer."""
        done = next((event for event in events if isinstance(event, Done)), None)
        return cls([event.text for event in events if isinstance(event, Posted)], done)


async def answer_page(request: Request) -> Response:
    """Answer with the empty form."""
    models = request.app.state.models
    return HTMLResponse(render_page(models, Form(models=models.names)))


async def answer_form(request: Request) -> Response:
    """Draw posts for the form of a browser without JavaScript, and answer with the page that shows them."""
    models, drawn = request.app.state.models, dict[str, Drawn]()
    form = read_form(await request.body(), models)
    try:
        for name in form.models:
            async with aclosing(end_with_client(request, draw(models, form.as_wish(name)))) as events:
                drawn[name] = Drawn.from_events([event async for event in events])
    except (BadRequest, ModelNotFound, QueueFull) as error:
        return HTMLResponse(render_page(models, form, drawn, error=str(error)), status_code=_get_status(error))
    return HTMLResponse(render_page(models, form, drawn))


def read_form(body: bytes, models: ServedModels) -> Form:
    """Read the fields of a form as a browser sends them. Raises BadRequest."""
    try:
        sent = defaultdict(list, parse_qs(body.decode(), keep_blank_values=True, max_num_fields=50))
    except ValueError as error:
        raise BadRequest("the body is not a form") from error
    first = Form()
    names = ("prompt", "count", "temperature", "seed")
    plain = {name: sent[name][0] if sent[name] else getattr(first, name) for name in names}
    return Form(**plain, models=list(dict.fromkeys(sent["model"])) or models.names)


def _get_status(error: Exception) -> int:
    return {QueueFull: 429, ModelNotFound: 404}.get(type(error), 400)


async def answer_asset(request: Request) -> Response:
    """Answer with the page's style, script or icon."""
    name = request.path_params["file"]
    if name not in _TYPES:
        raise BadRequest("there is no such file", status=404)
    return Response(read_page_file(name), media_type=_TYPES[name])


def render_page(
    models: ServedModels, form: Form, results: Mapping[str, Drawn] | None = None, *, error: str = ""
) -> str:
    """Fill in index.html; every value in it is escaped."""
    described = [describe_model(model) for model in models]
    values = {
        "models": described,
        "form": form,
        "results": results or {},
        "error": error,
        "label": LABEL,
        "most": POSTS,
    }
    return render_template("index.html", **values)
