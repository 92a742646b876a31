"""GET /api/models: what is served, and what a card may be shown with."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response

from tweetbot_trainer.publishing.disclosure import CARD_FILE
from tweetbot_trainer.serving.api.requests import BadRequest
from tweetbot_trainer.serving.card_html import render_card_page
from tweetbot_trainer.serving.drafting.card_facts import read_card_text
from tweetbot_trainer.serving.drafting.served import ServedModel

#: The published files that a card shows: nothing else of a model's folder is given away.
PICTURES = {".png": "image/png", ".svg": "image/svg+xml"}
#: A picture opened alone runs nothing and loads nothing.
_PICTURE_POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}


async def answer_models(request: Request) -> Response:
    """Answer with the models that are served."""
    return JSONResponse([describe_model(model) for model in request.app.state.models])


def describe_model(model: ServedModel) -> dict[str, Any]:
    """Return what the page shows of a model."""
    about, home = model.about, f"/models/{quote(model.about.name)}"
    pictures = [f"{home}/files/{quote(path.name)}" for path in list_pictures(model.folder)]
    return {
        "name": about.name,
        "version": about.version,
        "handle": about.handle,
        "person": about.person,
        "disclosure": about.disclosure,
        "base": about.base,
        "temperature": model.sampling.temperature,
        "card": f"{home}/card" if (model.folder / CARD_FILE).is_file() else None,
        "pictures": pictures,
        "face": next((address for address in pictures if "/avatar-" in address), None),
        "copiesChecked": model.check.detector is not None,
        "copiesMissing": model.check.missing,
    }


def list_pictures(folder: Path) -> list[Path]:
    """Return the pictures and figures in a model's folder."""
    return sorted(path for path in folder.iterdir() if path.suffix in PICTURES and path.is_file())


async def answer_card(request: Request) -> Response:
    """Answer with a model's card as a page."""
    model = request.app.state.models.find(request.path_params["name"])
    text = read_card_text(model.folder)
    if not text:
        raise BadRequest("this model has no card", status=404)
    return HTMLResponse(render_card_page(model.about, text))


async def answer_raw_card(request: Request) -> Response:
    """Answer with a model's card as Markdown."""
    model = request.app.state.models.find(request.path_params["name"])
    try:
        text = (model.folder / CARD_FILE).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadRequest("this model has no card", status=404) from error
    return PlainTextResponse(text, media_type="text/markdown")


async def answer_file(request: Request) -> Response:
    """Answer with a picture of a model's card."""
    model = request.app.state.models.find(request.path_params["name"])
    name = request.path_params["file"]
    found = next((path for path in list_pictures(model.folder) if path.name == name), None)
    if found is None:
        raise BadRequest("there is no such picture", status=404)
    return FileResponse(found, media_type=PICTURES[found.suffix], headers=_PICTURE_POLICY)
