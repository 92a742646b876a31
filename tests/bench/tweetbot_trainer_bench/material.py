"""The input of every contender: one model with random weights, and posts as token ids.

The ids are random: how fast a loop runs does not depend on what the posts say. Their lengths follow those of tweets:
about 25 tokens on average, few above 60.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from transformers import GPT2Config, GPT2LMHeadModel

POSTS_FILE = "posts.json"
MODEL_FOLDER = "model"


@dataclass(frozen=True, slots=True)
class Shape:
    """A GPT-2: layers, channels, heads, vocabulary with the end mark last, positions."""

    layers: int
    channels: int
    heads: int
    vocabulary: int
    positions: int = 1024

    @property
    def end_mark(self) -> int:
        """Return the id between posts."""
        return self.vocabulary - 1

    def count_flops_per_token(self, *, frozen: bool = False) -> int:
        """Count the multiplications and additions of matrix products per label token, backward pass included.

        Six per weight of a matrix product, including the head's, and four if the weight is `frozen`, as with LoRA: its
        gradient is not computed. Adapters, and attention within a post of 25 tokens, are a percent or two each and left
        out.
        """
        return (4 if frozen else 6) * (12 * self.layers * self.channels**2 + self.vocabulary * self.channels)


SHAPES = {
    # the head's share of the products is that of the real GPT-2 (31 %)
    "bench-mini": Shape(4, 256, 4, 5504),
    "gpt2": Shape(12, 768, 12, 50257),
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """A contender's optimizer steps, and how many of them do not count."""

    steps: int
    warm_up: int


#: The real GPT-2 needs seconds per step, so a first step's extra work hardly counts. Five rounds of four steps are
#: twenty.
SCHEDULES = {"bench-mini": Schedule(30, 5), "gpt2": Schedule(4, 1)}


def write_material(folder: Path, shape: Shape, posts: int, seed: int = 1) -> None:
    """Write the weights and the posts."""
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=shape.vocabulary,
        n_positions=shape.positions,
        n_embd=shape.channels,
        n_layer=shape.layers,
        n_head=shape.heads,
        bos_token_id=shape.end_mark,
        eos_token_id=shape.end_mark,
    )
    GPT2LMHeadModel(config).save_pretrained(folder / MODEL_FOLDER)
    random = Random(seed)
    lengths = [min(120, max(3, round(random.lognormvariate(3.05, 0.55)))) for _ in range(posts)]
    ids = [[min(int(random.paretovariate(0.6)), shape.end_mark - 1) for _ in range(length)] for length in lengths]
    (folder / POSTS_FILE).write_text(json.dumps(ids))


def read_posts(folder: Path) -> list[list[int]]:
    """Read the posts as ids, without end marks."""
    posts: list[list[int]] = json.loads((folder / POSTS_FILE).read_text())
    return posts


def read_model(folder: Path) -> GPT2LMHeadModel:
    """Read the model that all contenders start from."""
    return GPT2LMHeadModel.from_pretrained(folder / MODEL_FOLDER, dtype=torch.float32)
