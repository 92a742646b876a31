"""Continue a text as it is, without what makes a post of it; texts that copy a training post are drawn again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from tweetbot_trainer.data.dataset.copies import CopyDetector
from tweetbot_trainer.learning.generation.generation import ROUNDS
from tweetbot_trainer.learning.generation.sampler import compute_batch_size, iter_samples
from tweetbot_trainer.learning.model.base import Base
from tweetbot_trainer.learning.model.marks import get_marks
from tweetbot_trainer.learning.model.tokenizer import encode
from tweetbot_trainer.learning.sampling import SamplingParams


@dataclass(frozen=True, slots=True)
class Completion:
    """A continuation, in tokens and as text. `CopiesOnly`: all that was drawn copied a training post."""

    text: str
    tokens: int
    end: Literal["EndMark", "StopText", "MostTokens", "CopiesOnly"]


@dataclass(frozen=True, slots=True)
class Completer:
    """Continues texts with a model. `check` runs after each token of a batch, and may raise."""

    base: Base
    config: SamplingParams
    seed: int
    stop: Sequence[str] = ()
    exclude_copies_of: CopyDetector | None = None
    check: Callable[[], None] = lambda: None

    def encode_prompt(self, prompt: str) -> list[int]:
        """Return what a text begins with: the begin mark, and the last tokens of the prompt that leave room."""
        room = self.base.model.config.context - self.config.max_new_tokens - 1
        return [get_marks(self.base.tokenizer).begin, *encode(self.base.tokenizer, prompt).tokens[-room:]]

    def iter_completions(self, prompt: str, count: int) -> Iterator[tuple[int, Completion]]:
        """Yield `count` continuations as they end, with their numbers."""
        generator = torch.Generator(self.base.model.device).manual_seed(self.seed)
        missing = list(range(count))
        for _ in range(ROUNDS):
            again = []
            for place, ids in self._sample(prompt, len(missing), generator):
                completion = self._decode(ids)
                if self.exclude_copies_of and self.exclude_copies_of.is_copy(prompt + completion.text, given=prompt):
                    again.append(missing[place])
                else:
                    yield missing[place], completion
            missing = again
            if not missing:
                return
        yield from ((index, Completion("", 0, "CopiesOnly")) for index in missing)

    def _sample(self, prompt: str, count: int, generator: torch.Generator) -> Iterator[tuple[int, list[int]]]:
        start, mark = self.encode_prompt(prompt), get_marks(self.base.tokenizer).end
        batch = compute_batch_size(self.base.model, len(start) + self.config.max_new_tokens)
        for done in range(0, count, batch):
            most = min(batch, count - done)
            for ended in iter_samples(self.base.model, start, most, self.config, end_mark=mark, generator=generator):
                self.check()
                yield from ((done + index, ids) for index, ids in ended)

    def _decode(self, ids: list[int]) -> Completion:
        text: str = self.base.tokenizer.decode(ids, skip_special_tokens=True)
        places = [place for stop in self.stop if (place := text.find(stop)) >= 0]
        if places:
            return Completion(text[: min(places)], len(ids), "StopText")
        return Completion(text, len(ids), "MostTokens" if len(ids) >= self.config.max_new_tokens else "EndMark")
