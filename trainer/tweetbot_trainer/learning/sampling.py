"""How the next token is drawn."""

import math
from dataclasses import dataclass

from tweetbot_trainer.learning.values import Hyperparameters

#: Tokens after the prompt: huggingtweets allowed 160 with it. Fewer than 5 hardly say anything.
MOST_TOKENS, FEWEST_TOKENS = 160, 5
LEAST_TEMPERATURE = 0.01


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How the next token is drawn, and how many are; all of it is published with the model."""

    temperature: float
    top_p: float
    top_k: int
    max_new_tokens: int
    min_new_tokens: int = FEWEST_TOKENS

    @property
    def is_usable(self) -> bool:
        """Tell whether tokens can be drawn so; next to temperature 0 the odds are no numbers any more."""
        fewest, most = self.min_new_tokens, self.max_new_tokens
        odds = LEAST_TEMPERATURE <= self.temperature < math.inf and 0 < self.top_p <= 1 and self.top_k >= 1
        return odds and 0 <= fewest <= most and 1 <= most <= MOST_TOKENS


def resolve_generation_config(hyperparameters: Hyperparameters, context: int) -> SamplingParams:
    """Return the sampling of a run; at least half the context stays free for the prompt."""
    return SamplingParams(
        hyperparameters.temperature,
        hyperparameters.top_p,
        hyperparameters.top_k,
        max_new_tokens=min(MOST_TOKENS, context // 2),
    )
