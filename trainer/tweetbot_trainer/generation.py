"""Let a model write posts: sampled with a seed, ended by the end mark, cut to a post's length, no two alike."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from tweetbot_contract.result import Sample
from tweetbot_trainer.model.base import read_base, refused
from tweetbot_trainer.model.identity import BaseIdentity
from tweetbot_trainer.model.tokenizer import encode, end_mark_id
from tweetbot_trainer.post_length import one_line, shortened
from tweetbot_trainer.training.values import TrainingValues

#: Tokens after the prompt: huggingtweets allowed 160 with it. Fewer than 5 hardly say anything.
MOST_TOKENS, FEWEST_TOKENS = 160, 5
#: A model that repeats itself is asked so many times for texts that differ.
ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn, and how many are; all of it is published with the model."""

    temperature: float
    top_p: float
    top_k: int
    max_new_tokens: int
    min_new_tokens: int = FEWEST_TOKENS


def sampling_of(values: TrainingValues, context: int) -> Sampling:
    """Return the sampling of a run; at least half the context stays free for the prompt."""
    return Sampling(values.temperature, values.top_p, values.top_k, max_new_tokens=min(MOST_TOKENS, context // 2))


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
        for text in _drawn(model, tokenizer, prompt.strip(), count, sampling):
            found.setdefault(text.casefold(), text)
        if len(found) >= count:
            break
    return list(found.values())[:count]


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
    mark = end_mark_id(tokenizer)
    room = model.config.n_positions - sampling.max_new_tokens - 1
    start = (mark, *encode(tokenizer, prompt).tokens[-room:])
    ids = torch.tensor([start] * count, device=model.lm_head.weight.device)
    drawn = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=True,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        max_new_tokens=sampling.max_new_tokens,
        min_new_tokens=sampling.min_new_tokens,
        bos_token_id=mark,
        eos_token_id=mark,
        pad_token_id=mark,
    )
    for row in drawn[:, len(start) :].tolist():
        if continued := _until_end(tokenizer, row, mark):
            yield shortened(one_line(prompt + continued))


def _until_end(tokenizer: Tokenizer, ids: Sequence[int], mark: int) -> str:
    written = ids[: ids.index(mark)] if mark in ids else ids
    text: str = tokenizer.decode(list(written), skip_special_tokens=True)
    return "\n".join(text.splitlines()[:1]) if text.strip() else ""
