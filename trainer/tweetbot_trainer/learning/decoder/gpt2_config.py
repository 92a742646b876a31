"""The part of a GPT-2's config.json that shapes it; defaults and other names are transformers'."""

from typing import Literal, Self

from pydantic import AliasChoices, Field, model_validator

from tweetbot_trainer.learning.decoder.limits import (
    Channels,
    ConfigPart,
    Context,
    Epsilon,
    Heads,
    Inner,
    Layers,
    Share,
    Vocabulary,
)


class Gpt2Config(ConfigPart):
    """The sizes of a GPT-2."""

    n_layer: Layers = Field(12, validation_alias=AliasChoices("n_layer", "num_hidden_layers"))
    n_head: Heads = Field(12, validation_alias=AliasChoices("n_head", "num_attention_heads"))
    n_embd: Channels = Field(768, validation_alias=AliasChoices("n_embd", "hidden_size"))
    n_inner: Inner | None = None
    n_positions: Context = Field(1024, validation_alias=AliasChoices("n_positions", "max_position_embeddings"))
    vocab_size: Vocabulary = 50257
    #: Those of transformers that a GPT-2 can be published with.
    activation_function: Literal[
        "gelu", "gelu_10", "gelu_fast", "gelu_new", "gelu_python", "gelu_pytorch_tanh", "leaky_relu", "linear", "mish",
        "quick_gelu", "relu", "relu2", "relu6", "sigmoid", "silu", "swish", "tanh",
    ] = "gelu_new"  # fmt: skip
    layer_norm_epsilon: Epsilon = 1e-5
    initializer_range: float = Field(0.02, ge=0)
    resid_pdrop: Share = 0.1
    embd_pdrop: Share = 0.1
    attn_pdrop: Share = 0.1
    scale_attn_weights: bool = True
    scale_attn_by_inverse_layer_idx: bool = False
    reorder_and_upcast_attn: bool = False

    @model_validator(mode="after")
    def _check_heads(self) -> Self:
        if self.n_embd % self.n_head:
            raise ValueError(f"n_embd {self.n_embd} is no multiple of n_head {self.n_head}")
        return self

    @property
    def layers(self) -> int:
        """Count the blocks."""
        return self.n_layer

    @property
    def channels(self) -> int:
        """Return the width of the hidden states."""
        return self.n_embd

    @property
    def heads(self) -> int:
        """Count the heads of queries."""
        return self.n_head

    @property
    def kv_heads(self) -> int:
        """Count the heads of keys and values."""
        return self.n_head

    @property
    def head_width(self) -> int:
        """Return the width of a head."""
        return self.n_embd // self.n_head

    @property
    def vocabulary(self) -> int:
        """Count the embeddings, of which the tokenizer may use fewer."""
        return self.vocab_size

    @property
    def context(self) -> int:
        """Return how many tokens the model sees at once."""
        return self.n_positions

    @property
    def longest(self) -> int:
        """Return how many tokens the published model takes."""
        return self.n_positions

    @property
    def tied(self) -> bool:
        """Whether the head is the embedding."""
        return True

    @property
    def linear_layers(self) -> tuple[str, ...]:
        """Return the names of a block's linear layers, whose weights are [in, out]."""
        return "attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"

    @property
    def inner(self) -> int:
        """Return the width of the MLP."""
        return self.n_inner or 4 * self.n_embd

    def list_tensors(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each tensor of the weights, without the head."""
        width, inner = self.n_embd, self.inner
        block = {
            "ln_1.weight": (width,),
            "ln_1.bias": (width,),
            "attn.c_attn.weight": (width, 3 * width),
            "attn.c_attn.bias": (3 * width,),
            "attn.c_proj.weight": (width, width),
            "attn.c_proj.bias": (width,),
            "ln_2.weight": (width,),
            "ln_2.bias": (width,),
            "mlp.c_fc.weight": (width, inner),
            "mlp.c_fc.bias": (inner,),
            "mlp.c_proj.weight": (inner, width),
            "mlp.c_proj.bias": (width,),
        }
        return {
            "transformer.wte.weight": (self.vocab_size, width),
            "transformer.wpe.weight": (self.n_positions, width),
            **{
                f"transformer.h.{index}.{name}": shape for index in range(self.n_layer) for name, shape in block.items()
            },
            "transformer.ln_f.weight": (width,),
            "transformer.ln_f.bias": (width,),
        }
