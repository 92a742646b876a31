"""The input of every contender: one model with random weights, and posts as token ids.

The ids are random: how fast a loop runs does not depend on what the posts say. Their lengths follow those of tweets:
about 25 tokens on average, few above 60.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

POSTS_FILE = "posts.json"
MODEL_FOLDER = "model"


@dataclass(frozen=True, slots=True)
class Shape:
    """A GPT-2, or with `inner` a Llama: layers, channels, heads, vocabulary with the end mark last, positions.

    A Llama has fewer heads of keys and values, an MLP of three products, `inner` wide, and a tied head.
    """

    layers: int
    channels: int
    heads: int
    vocabulary: int
    positions: int = 1024
    kv_heads: int = 0
    inner: int = 0

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
        return (4 if frozen else 6) * (self.layers * self._count_block() + self.vocabulary * self.channels)

    def _count_block(self) -> int:
        """Count the weights of a block's products."""
        if not self.inner:
            return 12 * self.channels**2
        return 2 * self.channels**2 * (self.heads + self.kv_heads) // self.heads + 3 * self.channels * self.inner

    def create_model(self) -> Any:
        """Create transformers' model of this shape, with random weights."""
        from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

        marks = {"bos_token_id": self.end_mark, "eos_token_id": self.end_mark}
        if not self.inner:
            sizes = {"n_positions": self.positions, "n_embd": self.channels, "n_layer": self.layers}
            return GPT2LMHeadModel(GPT2Config(vocab_size=self.vocabulary, n_head=self.heads, **sizes, **marks))
        return LlamaForCausalLM(
            LlamaConfig(
                vocab_size=self.vocabulary,
                hidden_size=self.channels,
                intermediate_size=self.inner,
                num_hidden_layers=self.layers,
                num_attention_heads=self.heads,
                num_key_value_heads=self.kv_heads,
                max_position_embeddings=self.positions,
                tie_word_embeddings=True,
                **marks,
            )
        )


SHAPES = {
    # the head's share of the products is that of the real GPT-2 (31 %)
    "bench-mini": Shape(4, 256, 4, 5504),
    # as bench-mini, with the proportions of SmolLM2-135M: three heads to one of keys, an MLP of 8/3
    "bench-llama-mini": Shape(4, 288, 6, 5504, kv_heads=2, inner=768),
    "gpt2": Shape(12, 768, 12, 50257),
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """A contender's optimizer steps, and how many of them do not count."""

    steps: int
    warm_up: int


#: The real GPT-2 needs seconds per step, so a first step's extra work hardly counts. Five rounds of four steps are
#: twenty.
SCHEDULES = {"bench-mini": Schedule(30, 5), "bench-llama-mini": Schedule(30, 5), "gpt2": Schedule(4, 1)}


def write_material(folder: Path, shape: Shape, posts: int, seed: int = 1) -> None:
    """Write the weights and the posts."""
    import torch

    torch.manual_seed(seed)
    shape.create_model().save_pretrained(folder / MODEL_FOLDER)
    random = Random(seed)
    lengths = [min(120, max(3, round(random.lognormvariate(3.05, 0.55)))) for _ in range(posts)]
    ids = [[min(int(random.paretovariate(0.6)), shape.end_mark - 1) for _ in range(length)] for length in lengths]
    (folder / POSTS_FILE).write_text(json.dumps(ids))


def read_posts(folder: Path) -> list[list[int]]:
    """Read the posts as ids, without end marks."""
    posts: list[list[int]] = json.loads((folder / POSTS_FILE).read_text())
    return posts
