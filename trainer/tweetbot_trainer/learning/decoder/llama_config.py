"""The part of the config.json of a Llama, Qwen2 or Qwen3 that shapes it, under transformers' names."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from tweetbot_trainer.learning.decoder.limits import (
    Channels,
    ConfigPart,
    Context,
    Epsilon,
    Heads,
    Inner,
    Layers,
    Vocabulary,
)

#: Tokens that a model with a longer context sees at once, in training and in generation: posts are shorter.
MOST_CONTEXT = 2048


class RopeScaling(ConfigPart):
    """How the frequencies of rotary positions are stretched: all alike, or as Llama 3 does, the low ones alone."""

    rope_type: Literal["linear", "llama3"]
    factor: float = Field(ge=1)
    low_freq_factor: float | None = Field(None, gt=0)
    high_freq_factor: float | None = Field(None, gt=0)
    original_max_position_embeddings: int | None = Field(None, ge=1)

    @model_serializer(mode="wrap")
    def _leave_out_unset(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Return what config.json says of it: transformers warns of keys that mean nothing to the type."""
        return {key: value for key, value in serialize(self).items() if value is not None}

    @model_validator(mode="after")
    def _check_frequencies(self) -> Self:
        if self.rope_type == "linear":
            return self
        low, high = self.low_freq_factor, self.high_freq_factor
        if low is None or high is None or self.original_max_position_embeddings is None or low >= high:
            raise ValueError(
                "rope_type llama3 needs low_freq_factor, a larger high_freq_factor and original_max_position_embeddings"
            )
        return self


class LlamaConfig(ConfigPart):
    """A Llama's, Qwen2's or Qwen3's: RMSNorm, rotary positions, heads that share keys, and a gated MLP.

    Qwen2's queries, keys and values have biases; Qwen3 normalizes its queries and keys.
    """

    model_type: Literal["llama", "qwen2", "qwen3"]
    num_hidden_layers: Layers
    hidden_size: Channels
    intermediate_size: Inner
    num_attention_heads: Heads
    num_key_value_heads: Heads
    head_dim: Annotated[int, Field(ge=2, le=1024, multiple_of=2)]
    vocab_size: Vocabulary
    max_position_embeddings: Context
    rms_norm_eps: Epsilon = 1e-6
    initializer_range: float = Field(0.02, ge=0)
    rope_theta: float = Field(10000.0, gt=1)
    rope_scaling: RopeScaling | None = None
    tie_word_embeddings: bool = False

    @model_validator(mode="before")
    @classmethod
    def _fill_gaps(cls, content: Any) -> Any:
        """Take what transformers takes for keys that are missing, and the names of its version 5."""
        if not isinstance(content, dict):
            return content
        known = {**content, **_read_rope(content)}
        heads, channels = known.get("num_attention_heads"), known.get("hidden_size")
        if known.get("num_key_value_heads") is None:
            known["num_key_value_heads"] = heads
        if known.get("head_dim") is None and isinstance(heads, int) and isinstance(channels, int) and heads > 0:
            known["head_dim"] = 128 if known.get("model_type") == "qwen3" else channels // heads
        return known

    @model_validator(mode="after")
    def _check_heads(self) -> Self:
        if self.num_attention_heads % self.num_key_value_heads:
            text = f"num_attention_heads {self.num_attention_heads} is no multiple of num_key_value_heads"
            raise ValueError(f"{text} {self.num_key_value_heads}")
        return self

    @property
    def layers(self) -> int:
        """Count the blocks."""
        return self.num_hidden_layers

    @property
    def channels(self) -> int:
        """Return the width of the hidden states."""
        return self.hidden_size

    @property
    def heads(self) -> int:
        """Count the heads of queries."""
        return self.num_attention_heads

    @property
    def kv_heads(self) -> int:
        """Count the heads of keys and values; each serves as many queries."""
        return self.num_key_value_heads

    @property
    def head_width(self) -> int:
        """Return the width of a head."""
        return self.head_dim

    @property
    def vocabulary(self) -> int:
        """Count the embeddings, of which the tokenizer may use fewer."""
        return self.vocab_size

    @property
    def context(self) -> int:
        """Return how many tokens the model sees at once."""
        return min(self.max_position_embeddings, MOST_CONTEXT)

    @property
    def longest(self) -> int:
        """Return how many tokens the published model takes."""
        return self.max_position_embeddings

    @property
    def tied(self) -> bool:
        """Whether the head is the embedding."""
        return self.tie_word_embeddings

    @property
    def qkv_bias(self) -> bool:
        """Whether queries, keys and values have biases."""
        return self.model_type == "qwen2"

    @property
    def qk_norm(self) -> bool:
        """Whether queries and keys are normalized, each head alone."""
        return self.model_type == "qwen3"

    @property
    def inner(self) -> int:
        """Return the width of the MLP."""
        return self.intermediate_size

    @property
    def linear_layers(self) -> tuple[str, ...]:
        """Return the names of a block's linear layers, whose weights are [out, in]."""
        attention = (f"self_attn.{name}_proj" for name in "qkvo")
        return *attention, *(f"mlp.{name}_proj" for name in ("gate", "up", "down"))

    def list_tensors(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each tensor of the weights, the head only where it is not the embedding."""
        width = self.hidden_size
        head = {} if self.tie_word_embeddings else {"lm_head.weight": (self.vocab_size, width)}
        return {
            "model.embed_tokens.weight": (self.vocab_size, width),
            **{
                f"model.layers.{index}.{name}": shape
                for index in range(self.num_hidden_layers)
                for name, shape in self._list_block().items()
            },
            "model.norm.weight": (width,),
            **head,
        }

    def _list_block(self) -> dict[str, tuple[int, ...]]:
        width, inner = self.hidden_size, self.intermediate_size
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        biases = {"q_proj": (queries,), "k_proj": (keys,), "v_proj": (keys,)} if self.qkv_bias else {}
        norms = ("q_norm", "k_norm") if self.qk_norm else ()
        return {
            "input_layernorm.weight": (width,),
            "self_attn.q_proj.weight": (queries, width),
            "self_attn.k_proj.weight": (keys, width),
            "self_attn.v_proj.weight": (keys, width),
            "self_attn.o_proj.weight": (width, queries),
            **{f"self_attn.{name}.bias": shape for name, shape in biases.items()},
            **{f"self_attn.{name}.weight": (self.head_dim,) for name in norms},
            "post_attention_layernorm.weight": (width,),
            "mlp.gate_proj.weight": (inner, width),
            "mlp.up_proj.weight": (inner, width),
            "mlp.down_proj.weight": (width, inner),
        }


def _read_rope(content: dict[str, Any]) -> dict[str, Any]:
    """Return rope_theta and rope_scaling, which version 5 of transformers writes as one: rope_parameters."""
    joined, scaling, theta = content.get("rope_parameters"), content.get("rope_scaling"), content.get("rope_theta")
    if isinstance(joined, dict):
        theta = joined.get("rope_theta", theta)
        scaling = {key: value for key, value in joined.items() if key != "rope_theta"}
    if isinstance(scaling, dict):
        kind = scaling.get("rope_type", scaling.get("type"))
        scaling = None if kind in (None, "default") else {**scaling, "rope_type": kind}
    return {"rope_scaling": scaling, **({} if theta is None else {"rope_theta": theta})}
