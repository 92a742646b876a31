"""Generate posts: sampled with a seed, ended by the end mark, cut to a post's length, no two alike."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Literal

import torch
from tokenizers import Tokenizer

from tweetbot_trainer.data.dataset.copies import CopyDetector
from tweetbot_trainer.data.post_length import collapse_whitespace, shorten
from tweetbot_trainer.learning.generation.sampler import compute_batch_size, iter_samples
from tweetbot_trainer.learning.model.base import Base
from tweetbot_trainer.learning.model.identity import make_refusal
from tweetbot_trainer.learning.model.marks import get_marks
from tweetbot_trainer.learning.model.tokenizer import encode
from tweetbot_trainer.learning.sampling import SamplingParams

#: How often as many texts as are wanted are sampled before giving up on a model that repeats itself or its posts.
ROUNDS = 20
#: Lines of a post, a content warning and the text; a model that writes more does not know where a post ends.
_LINES = 2


@dataclass(frozen=True, slots=True)
class Generated:
    """Posts that differ, and how many of them were cut; how many sampled texts copied a training post."""

    posts: tuple[str, ...]
    copies: int
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A text as it was written: a post, or the reason why it is dropped."""

    text: str
    dropped: Literal["", "Copy", "TooLong"] = ""


@dataclass(frozen=True, slots=True)
class PostGenerator:
    """Generates posts with a model: the same seed gives the same posts on the same machine.

    `check` runs after each token of a batch, and may raise.
    """

    base: Base
    config: SamplingParams
    seed: int
    check: Callable[[], None] = lambda: None

    def continue_prompt(self, prompt: str, count: int, *, exclude_copies_of: CopyDetector | None = None) -> Generated:
        """Generate up to `count` different posts that begin with the prompt and copy no post of `exclude_copies_of`.

        There are fewer if the model keeps repeating itself.
        """
        generator, found, copies = self._make_generator(), dict[str, _Post](), 0
        for _ in range(ROUNDS):
            for post in self._sample_posts(prompt.strip(), count, generator):
                if exclude_copies_of and exclude_copies_of.is_copy(post.text, given=prompt):
                    copies += 1
                elif post.text:
                    found.setdefault(post.text.casefold(), post)
            if len(found) >= count:
                break
        posts = tuple(found.values())[:count]
        return Generated(tuple(post.text for post in posts), copies, sum(post.cut for post in posts))

    def iter_drafts(self, prompt: str, count: int, *, exclude_copies_of: CopyDetector | None = None) -> Iterator[Draft]:
        """Yield posts as `continue_prompt` makes them, each as soon as it is written, and what is dropped."""
        generator, found = self._make_generator(), set[str]()
        for _ in range(ROUNDS):
            for _, post in self._iter_posts(prompt.strip(), count - len(found), generator):
                if exclude_copies_of and exclude_copies_of.is_copy(post.text, given=prompt):
                    yield Draft(post.text, "Copy")
                elif not post.text and post.cut:
                    yield Draft("", "TooLong")
                elif post.text and post.text.casefold() not in found:
                    found.add(post.text.casefold())
                    yield Draft(post.text)
            if len(found) >= count:
                break

    def sample_unconditionally(self, count: int) -> list[str]:
        """Generate `count` posts without a prompt, repeated and empty ones included."""
        return [post.text for post in self._sample_posts("", count, self._make_generator())]

    def _make_generator(self) -> torch.Generator:
        return torch.Generator(self.base.model.device).manual_seed(self.seed)

    def _sample_posts(self, prompt: str, count: int, generator: torch.Generator) -> list["_Post"]:
        """Return `count` posts in the order in which they began."""
        return [post for _, post in sorted(self._iter_posts(prompt, count, generator), key=itemgetter(0))]

    def _iter_posts(self, prompt: str, count: int, generator: torch.Generator) -> Iterator[tuple[int, "_Post"]]:
        """Yield `count` posts as they end, with their numbers; an empty one where nothing written fits into a post."""
        model, tokenizer, config = self.base.model, self.base.tokenizer, self.config
        marks = get_marks(tokenizer)
        room = model.config.context - config.max_new_tokens - 1
        start = (marks.begin, *encode(tokenizer, prompt).tokens[-room:])
        batch = compute_batch_size(model, len(start) + config.max_new_tokens)
        for done in range(0, count, batch):
            most = min(batch, count - done)
            for ended in iter_samples(model, start, most, config, end_mark=marks.end, generator=generator):
                self.check()
                for index, ids in ended:
                    continued = _decode_post(tokenizer, ids)
                    yield done + index, _join_post(prompt, continued) if continued else _Post("")


def read_generation_config(folder: Path) -> SamplingParams:
    """Read the sampling parameters of a published model. Raises SpecRefused if they are missing or unusable."""
    path = folder / "generation_config.json"
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        config = SamplingParams(
            temperature=float(saved["temperature"]),
            top_p=float(saved["top_p"]),
            top_k=int(saved["top_k"]),
            max_new_tokens=int(saved["max_new_tokens"]),
            min_new_tokens=int(saved["min_new_tokens"]),
        )
    except (OSError, ValueError, LookupError, TypeError, OverflowError, RecursionError) as error:
        raise make_refusal(str(folder), f"its {path.name} lacks values that this trainer writes") from error
    if not config.is_usable:
        raise make_refusal(str(folder), f"its {path.name} has unusable values: {config}")
    return config


@dataclass(frozen=True, slots=True)
class _Post:
    """A generated post, and whether it was cut to a post's length; empty if nothing was left of it then."""

    text: str
    cut: bool = False


def _join_post(prompt: str, continued: str) -> _Post:
    """Join both into one post; empty if the prompt leaves no room for a word of the model's."""
    whole = "\n".join(filter(None, map(collapse_whitespace, (prompt + continued).splitlines())))
    text = shorten(whole)
    if text == whole:
        return _Post(text)
    return _Post(text, cut=True) if len(text) > len(collapse_whitespace(prompt)) + len("…") else _Post("", cut=True)


def _decode_post(tokenizer: Tokenizer, ids: Sequence[int]) -> str:
    """Decode a post: one line, or two where the model wrote a content warning before the text."""
    text: str = tokenizer.decode(list(ids), skip_special_tokens=True)
    return "\n".join(text.splitlines()[:_LINES]) if text.strip() else ""
