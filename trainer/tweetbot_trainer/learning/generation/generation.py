"""Let a model write posts: sampled with a seed, ended by the end mark, cut to a post's length, no two alike."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from tweetbot_contract.result import Sample
from tweetbot_trainer.data.post_length import one_line, shortened
from tweetbot_trainer.learning.evaluation.copies import TrainingPosts
from tweetbot_trainer.learning.generation.sampler import drawn, rows_at_once
from tweetbot_trainer.learning.model.base import refused
from tweetbot_trainer.learning.model.tokenizer import encode, end_mark_id
from tweetbot_trainer.learning.sampling import Sampling

#: Drawings, of as many texts as are wanted, before a model that repeats itself or its posts is given up.
ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Written:
    """Posts that differ, and how many drawn texts were thrown away because they copy a training post."""

    posts: tuple[str, ...]
    copies: int


def samples_for(
    model: GPT2LMHeadModel,
    tokenizer: Tokenizer,
    prompts: Iterable[str],
    *,
    count: int,
    sampling: Sampling,
    seed: int,
    unlike: TrainingPosts | None = None,
    check: Callable[[], None] = lambda: None,
) -> tuple[Sample, ...]:
    """Return for each prompt up to `count` texts, as `continuations` gives them, which `check` may end."""
    return tuple(
        Sample(prompt=prompt, text=text)
        for prompt in prompts
        for text in continuations(
            model, tokenizer, prompt, count=count, sampling=sampling, seed=seed, unlike=unlike, check=check
        ).posts
    )


def continuations(
    model: GPT2LMHeadModel,
    tokenizer: Tokenizer,
    prompt: str,
    *,
    count: int,
    sampling: Sampling,
    seed: int,
    unlike: TrainingPosts | None = None,
    check: Callable[[], None] = lambda: None,
) -> Written:
    """Return up to `count` different posts that begin with the prompt and copy none of `unlike`.

    Fewer where the model does not write more. Same seed, same machine: same posts.
    """
    torch.manual_seed(seed)
    found: dict[str, str] = {}
    copies = 0
    for _ in range(ROUNDS):
        check()
        for text in filter(None, _drawn(model, tokenizer, prompt.strip(), count, sampling)):
            if unlike and unlike.copied(text, given=prompt):
                copies += 1
            else:
                found.setdefault(text.casefold(), text)
        if len(found) >= count:
            break
    return Written(tuple(found.values())[:count], copies)


def free_texts(
    model: GPT2LMHeadModel,
    tokenizer: Tokenizer,
    *,
    count: int,
    sampling: Sampling,
    seed: int,
    check: Callable[[], None] = lambda: None,
) -> list[str]:
    """Return `count` posts begun from nothing, as they come: some alike, some empty. `check` may raise between them."""
    torch.manual_seed(seed)
    texts = []
    for text in _drawn(model, tokenizer, "", count, sampling):
        check()
        texts.append(text)
    return texts


def saved_sampling(folder: Path) -> Sampling:
    """Return how a model directory says that tokens are drawn. Raises SpecRefused where it says none of ours."""
    path = folder / "generation_config.json"
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        sampling = Sampling(
            temperature=float(saved["temperature"]),
            top_p=float(saved["top_p"]),
            top_k=int(saved["top_k"]),
            max_new_tokens=int(saved["max_new_tokens"]),
            min_new_tokens=int(saved["min_new_tokens"]),
        )
    except (OSError, ValueError, LookupError, TypeError, OverflowError) as error:
        raise refused(str(folder), f"its {path.name} lacks values that this trainer writes") from error
    if not sampling.is_usable:
        raise refused(str(folder), f"nothing can be drawn by its {path.name}: {sampling}")
    return sampling


def _drawn(model: GPT2LMHeadModel, tokenizer: Tokenizer, prompt: str, count: int, sampling: Sampling) -> Iterator[str]:
    """Yield a text for each of `count` drawings, empty where the model wrote nothing that fits into a post."""
    mark = end_mark_id(tokenizer)
    room = model.config.n_positions - sampling.max_new_tokens - 1
    start = (mark, *encode(tokenizer, prompt).tokens[-room:])
    batch = rows_at_once(model, len(start) + sampling.max_new_tokens)
    for done in range(0, count, batch):
        for ids in drawn(model, start, min(batch, count - done), sampling, end_mark=mark):
            continued = _first_line(tokenizer, ids)
            yield _post(prompt, continued) if continued else ""


def _post(prompt: str, continued: str) -> str:
    """Return both as one post; empty where it has room for no word of the model's."""
    whole = one_line(prompt + continued)
    text = shortened(whole)
    return text if text == whole or len(text) > len(one_line(prompt)) + len("…") else ""


def _first_line(tokenizer: Tokenizer, ids: Sequence[int]) -> str:
    text: str = tokenizer.decode(list(ids), skip_special_tokens=True)
    return "\n".join(text.splitlines()[:1]) if text.strip() else ""
