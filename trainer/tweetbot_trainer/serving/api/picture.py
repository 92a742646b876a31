"""POST /api/picture: the posts on the screen as a picture that says what they are."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from tweetbot_trainer.serving.api.requests import BadRequest, PictureRequest, parse_body
from tweetbot_trainer.serving.drafting.served import ServedModel


async def answer_picture(request: Request) -> Response:
    """Answer with a PNG of posts that the model wrote; other texts are refused, or anybody could put words into it."""
    wish = await parse_body(request, PictureRequest)
    model = request.app.state.models.find(wish.model)
    foreign = [index for index, text in enumerate(wish.texts) if text not in model.written]
    if foreign:
        raise BadRequest("a picture shows only what this server's model wrote since it began", f"texts.{foreign[0]}")
    async with request.app.state.pictures:
        content = await asyncio.to_thread(draw_picture, model, tuple(wish.texts), wish.prompt)
    disposition = {"Content-Disposition": f'attachment; filename="{model.about.name}.png"'}
    return Response(content, media_type="image/png", headers=disposition)


def draw_picture(model: ServedModel, texts: tuple[str, ...], prompt: str) -> bytes:
    """Draw up to five posts, with the accounts' pictures from beside the card."""
    from tweetbot_trainer.publishing.report.predictions_picture import Predictions, draw_predictions

    faces = tuple(path.read_bytes() for path in sorted(model.folder.glob("avatar-*.png")))
    about = model.about
    person = about.person or about.handle or about.name
    return draw_predictions(
        Predictions(person, about.handle, about.disclosure, about.name, prompt, texts, pictures=faces)
    )
