"""How tokens are sampled; published with the model as generation_config.json."""

import math
from dataclasses import dataclass, replace

from tweetbot_trainer.learning.values import Hyperparameters

#: Tokens after the prompt: huggingtweets allowed 160 with it, and fewer than 5 say hardly anything.
MOST_TOKENS, FEWEST_TOKENS = 160, 5
LEAST_TEMPERATURE = 0.01


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """Temperature, nucleus (top-p) and top-k sampling, and the range of new tokens."""

    temperature: float
    top_p: float
    top_k: int
    max_new_tokens: int
    min_new_tokens: int = FEWEST_TOKENS

    @property
    def is_usable(self) -> bool:
        """Tell whether these values can be sampled with; near temperature 0 the probabilities overflow."""
        fewest, most = self.min_new_tokens, self.max_new_tokens
        odds = LEAST_TEMPERATURE <= self.temperature < math.inf and 0 < self.top_p <= 1 and self.top_k >= 1
        return odds and 0 <= fewest <= most and 1 <= most <= MOST_TOKENS


def override_sampling(
    own: SamplingParams,
    *,
    temperature: float | None = None,
    top_p: float | None = None,
    top_k: int | None = None,
    max_new_tokens: int | None = None,
) -> SamplingParams:
    """Replace the values that are given; more new tokens than the model's own are not sampled."""
    most = min(own.max_new_tokens, max_new_tokens or own.max_new_tokens)
    return replace(
        own,
        temperature=own.temperature if temperature is None else temperature,
        top_p=own.top_p if top_p is None else top_p,
        top_k=own.top_k if top_k is None else top_k,
        max_new_tokens=most,
        min_new_tokens=min(own.min_new_tokens, most),
    )


def resolve_generation_config(hyperparameters: Hyperparameters, context: int) -> SamplingParams:
    """Return a run's sampling parameters; at least half the context stays free for the prompt."""
    return SamplingParams(
        hyperparameters.temperature,
        hyperparameters.top_p,
        hyperparameters.top_k,
        max_new_tokens=min(MOST_TOKENS, context // 2),
    )
