"""What may be asked for, with bounds. A fault is named by its field."""

import json
import secrets
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from tweetbot_trainer.data.post_length import LIMIT, has_room_for_word

#: Most characters of a prompt, and most posts of a request.
PROMPT, POSTS = 2000, 20
T = TypeVar("T", bound=BaseModel)
Temperature = Annotated[float, Field(ge=0.01, le=2, description="Randomness; higher is bolder.")]
TopP = Annotated[float, Field(gt=0, le=1, description="The most likely tokens with this total probability are kept.")]
Seed = Annotated[int, Field(ge=0, lt=2**53, description="The same seed gives the same posts.")]
Text = Annotated[str, Field(max_length=PROMPT)]


class BadRequest(Exception):
    """What was asked for cannot be done; `field` names where."""

    def __init__(self, message: str, field: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.field, self.status = message, field, status


class PostsRequest(BaseModel):
    """Posts to draw. What is left out is the model's own value; without a seed, each request has another."""

    model_config = ConfigDict(extra="forbid")

    prompt: Text = Field("", description="How the posts begin.")
    count: int = Field(5, ge=1, le=POSTS, description="How many posts.")
    temperature: Temperature | None = None
    top_p: TopP | None = None
    seed: Seed | None = None
    model: str | None = Field(None, description="One of GET /api/models; by default the first.")


class PictureRequest(BaseModel):
    """Posts that the model wrote, to be drawn as a picture."""

    model_config = ConfigDict(extra="forbid")

    texts: list[Text] = Field(min_length=1, max_length=POSTS, description="The first five are drawn.")
    prompt: Text = Field("", description="How the posts begin: drawn in another colour.")
    model: str | None = Field(None, description="The model that wrote them; by default the first.")


async def parse_body(request: Request, kind: type[T]) -> T:
    """Parse a JSON body. Raises BadRequest."""
    try:
        content = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is not JSON") from error
    return parse_fields(content, kind)


def parse_fields(content: Any, kind: type[T]) -> T:
    """Check the fields of a request. Raises BadRequest, which names the first wrong one."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        outer, *inner = first["loc"] or ("",)  # inside stand names of types, too
        field = ".".join(map(str, [outer, *(place for place in inner if isinstance(place, int))])) or None
        raise BadRequest(f"{field or 'the body'}: {first['msg']}", field) from error


def check_prompt(prompt: str) -> None:
    """Raise BadRequest if a post that begins so has no room for a word."""
    if not has_room_for_word(prompt):
        raise BadRequest(f"prompt leaves no room: a post has {LIMIT} characters", "prompt")


def choose_seed(seed: int | None) -> int:
    """Return the seed that was asked for, or another one each time."""
    return secrets.randbelow(2**31) if seed is None else seed
