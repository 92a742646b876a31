"""GET /v1/models and POST /v1/completions, as clients of OpenAI's completions speak them.

A chunk of a stream holds a whole text: only then is it known whether the text copies a training post.
"""

import secrets
import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tweetbot_trainer.learning.sampling import LEAST_TEMPERATURE, override_sampling
from tweetbot_trainer.serving.api.errors import FAILURE, describe_error
from tweetbot_trainer.serving.api.requests import POSTS, BadRequest, Seed, Text, choose_seed, parse_body
from tweetbot_trainer.serving.api.streams import begin, build_stream, end_with_client, format_event
from tweetbot_trainer.serving.drafting.drafts import OutOfTime, limit_time
from tweetbot_trainer.serving.drafting.events import Queued
from tweetbot_trainer.serving.drafting.queue import Check, Work
from tweetbot_trainer.serving.drafting.served import ServedModel

if TYPE_CHECKING:
    from tweetbot_trainer.learning.generation.completions import Completer, Completion

#: Why a text ends, in OpenAI's words.
_REASONS = {"EndMark": "stop", "StopText": "stop", "MostTokens": "length", "CopiesOnly": "content_filter"}
#: Fields that this server cannot honour, with the values that ask for nothing.
_UNKNOWN: dict[str, tuple[Any, ...]] = {
    "echo": (False,), "logprobs": (), "suffix": ("",), "logit_bias": ({},), "presence_penalty": (0,),
    "frequency_penalty": (0,),
}  # fmt: skip


class StreamOptions(BaseModel):
    """What a stream ends with."""

    include_usage: bool = False


class CompletionRequest(BaseModel):
    """Texts to continue. Fields that change nothing here are ignored."""

    model: str | None = Field(None, description="One of GET /v1/models; by default the first.")
    prompt: Text | list[Text] = Field("", description="What is continued; several give `n` texts each.")
    max_tokens: Annotated[int, Field(ge=1)] | None = Field(None, description="At most the model's own, its default.")
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(None, description="0 takes the likeliest token.")
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    n: int = Field(1, ge=1, le=POSTS)
    best_of: int | None = Field(None, description="Not more than n.")
    seed: Seed | None = None
    stop: Annotated[str, Field(max_length=100)] | Annotated[list[str], Field(max_length=4)] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    echo: Any = None
    logprobs: Any = None
    suffix: Any = None
    logit_bias: Any = None
    presence_penalty: Any = None
    frequency_penalty: Any = None

    @property
    def prompts(self) -> list[str]:
        """The texts to continue."""
        return [self.prompt] if isinstance(self.prompt, str) else self.prompt

    @property
    def stops(self) -> tuple[str, ...]:
        """The texts that end a continuation."""
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(filter(None, given))


@dataclass(frozen=True, slots=True)
class _Choice:
    """A continued text, and the tokens of its prompt if it is the prompt's first."""

    index: int
    completion: "Completion"
    prompt_tokens: int


async def answer_models(request: Request) -> Response:
    """Answer with the names of the models."""
    listed = [
        {"id": model.about.name, "object": "model", "created": 0, "owned_by": "tweetbot"}
        for model in request.app.state.models
    ]
    return JSONResponse({"object": "list", "data": listed})


async def answer_completions(request: Request) -> Response:
    """Answer with texts that continue the prompts."""
    wish = await parse_body(request, CompletionRequest)
    _refuse_unknown(wish)
    model = request.app.state.models.find(wish.model)
    items = await begin(end_with_client(request, model.queue.run(_prepare(model, wish))))
    head = {
        "id": f"cmpl-{secrets.token_hex(12)}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": model.about.name,
        "system_fingerprint": model.about.version,
    }
    if wish.stream:
        return build_stream(_stream(items, head, wish), format_event(describe_error(FAILURE, 500)))
    choices = [item async for item in items if isinstance(item, _Choice)]
    texts = [_describe_choice(choice) for choice in sorted(choices, key=lambda choice: choice.index)]
    return JSONResponse({**head, "choices": texts, "usage": _count_tokens(choices)})


def _refuse_unknown(wish: CompletionRequest) -> None:
    for field, harmless in _UNKNOWN.items():
        value = getattr(wish, field)
        if value is not None and value not in harmless:
            raise BadRequest(f"{field} is not known here", field)
    if wish.best_of is not None and wish.best_of != wish.n:
        raise BadRequest("best_of other than n is not known here", "best_of")
    if not 1 <= len(wish.prompts) * wish.n <= POSTS:
        raise BadRequest(f"give 1 to {POSTS} texts in all: prompts times n", "n")


def _prepare(model: ServedModel, wish: CompletionRequest) -> Work[_Choice]:
    def complete(check: Check) -> Iterator[_Choice]:
        completer, done = _build_completer(model, wish, limit_time(check)), 0
        try:
            for prompt in wish.prompts:
                tokens = len(completer.encode_prompt(prompt))
                for index, completion in completer.iter_completions(prompt, wish.n):
                    yield _Choice(done + index, completion, tokens)
                    tokens = 0
                done += wish.n
        except OutOfTime:
            return

    return complete


def _build_completer(model: ServedModel, wish: CompletionRequest, check: Check) -> "Completer":
    from tweetbot_trainer.learning.generation.completions import Completer

    greedy = wish.temperature is not None and wish.temperature < LEAST_TEMPERATURE
    temperature = None if greedy else wish.temperature
    sampling = override_sampling(
        model.sampling, temperature=temperature, top_p=wish.top_p, max_new_tokens=wish.max_tokens
    )
    if greedy:
        sampling = override_sampling(sampling, top_k=1)
    detector = model.check.detector
    return Completer(model.base, sampling, choose_seed(wish.seed), wish.stops, detector, check)


async def _stream(
    items: AsyncGenerator[Queued | _Choice, None], head: dict[str, Any], wish: CompletionRequest
) -> AsyncGenerator[str, None]:
    choices: list[_Choice] = []
    async for item in items:
        if isinstance(item, _Choice):
            choices.append(item)
            yield format_event({**head, "choices": [_describe_choice(item)]})
    if wish.stream_options and wish.stream_options.include_usage:
        yield format_event({**head, "choices": [], "usage": _count_tokens(choices)})
    yield "data: [DONE]\n\n"


def _describe_choice(choice: _Choice) -> dict[str, Any]:
    completion = choice.completion
    reason = _REASONS[completion.end]
    return {"index": choice.index, "text": completion.text, "logprobs": None, "finish_reason": reason}


def _count_tokens(choices: list[_Choice]) -> dict[str, int]:
    read, written = (
        sum(values) for values in ([c.prompt_tokens for c in choices], [c.completion.tokens for c in choices])
    )
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
