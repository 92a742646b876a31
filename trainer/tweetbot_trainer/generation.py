"""Let a model write posts: sampled with a seed, ended by the end mark, cut to a post's length, no two alike."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from tweetbot_contract.result import Sample
from tweetbot_trainer.model.base import read_base, refused
from tweetbot_trainer.model.identity import BaseIdentity
from tweetbot_trainer.model.tokenizer import encode, end_mark_id
from tweetbot_trainer.post_length import one_line, shortened
from tweetbot_trainer.sampler import drawn, rows_at_once
from tweetbot_trainer.sampling import Sampling

#: A model that repeats itself is asked so many times for texts that differ.
ROUNDS = 4


def samples_for(
    model: GPT2LMHeadModel,
    tokenizer: Tokenizer,
    prompts: Iterable[str],
    *,
    count: int,
    sampling: Sampling,
    seed: int,
) -> tuple[Sample, ...]:
    """Return for each prompt up to `count` texts, no two alike; fewer where the model does not write more."""
    return tuple(
        Sample(prompt=prompt, text=text)
        for prompt in prompts
        for text in continuations(model, tokenizer, prompt, count=count, sampling=sampling, seed=seed)
    )


def continuations(
    model: GPT2LMHeadModel, tokenizer: Tokenizer, prompt: str, *, count: int, sampling: Sampling, seed: int
) -> list[str]:
    """Return up to `count` different posts that begin with the prompt. Same seed, same machine: same posts."""
    torch.manual_seed(seed)
    found: dict[str, str] = {}
    for _ in range(ROUNDS):
        for text in filter(None, _drawn(model, tokenizer, prompt.strip(), count, sampling)):
            found.setdefault(text.casefold(), text)
        if len(found) >= count:
            break
    return list(found.values())[:count]


def free_texts(model: GPT2LMHeadModel, tokenizer: Tokenizer, *, count: int, sampling: Sampling, seed: int) -> list[str]:
    """Return `count` posts begun from nothing, as they come: some alike, some empty."""
    torch.manual_seed(seed)
    return list(_drawn(model, tokenizer, "", count, sampling))


def generate(folder: Path, prompt: str, *, count: int, seed: int) -> list[str]:
    """Return posts from a model directory that save_model wrote. Raises SpecRefused where it is none."""
    base = read_base(folder, BaseIdentity(str(folder), "folder", ""))
    base.model.eval()
    return continuations(base.model, base.tokenizer, prompt, count=count, sampling=_saved_sampling(folder), seed=seed)


def _saved_sampling(folder: Path) -> Sampling:
    path = folder / "generation_config.json"
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        return Sampling(
            temperature=float(saved["temperature"]),
            top_p=float(saved["top_p"]),
            top_k=int(saved["top_k"]),
            max_new_tokens=int(saved["max_new_tokens"]),
            min_new_tokens=int(saved["min_new_tokens"]),
        )
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise refused(str(folder), f"its {path.name} lacks values that this trainer writes") from error


def _drawn(model: GPT2LMHeadModel, tokenizer: Tokenizer, prompt: str, count: int, sampling: Sampling) -> Iterator[str]:
    """Yield a text for each of `count` drawings, empty where the model wrote nothing."""
    mark = end_mark_id(tokenizer)
    room = model.config.n_positions - sampling.max_new_tokens - 1
    start = (mark, *encode(tokenizer, prompt).tokens[-room:])
    batch = rows_at_once(model, len(start) + sampling.max_new_tokens)
    for done in range(0, count, batch):
        for ids in drawn(model, start, min(batch, count - done), sampling, end_mark=mark):
            continued = _first_line(tokenizer, ids)
            yield shortened(one_line(prompt + continued)) if continued else ""


def _first_line(tokenizer: Tokenizer, ids: Sequence[int]) -> str:
    text: str = tokenizer.decode(list(ids), skip_special_tokens=True)
    return "\n".join(text.splitlines()[:1]) if text.strip() else ""
