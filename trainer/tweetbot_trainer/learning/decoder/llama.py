"""Llama's block, and those of Qwen2 and Qwen3: RMS norms, rotary positions, heads that share keys, a gated MLP."""

from torch import Tensor, nn
from torch.nn import functional

from tweetbot_trainer.learning.decoder.attention import Attention
from tweetbot_trainer.learning.decoder.configs import LlamaConfig
from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.decoder.layers import Embedding, Linear, RmsNorm
from tweetbot_trainer.learning.decoder.rotary import Rotation, compute_frequencies


class LlamaAttention(nn.Module):
    """Causal attention of one layer, in Qwen2 with biases, in Qwen3 with queries and keys that are normalized."""

    def __init__(self, config: LlamaConfig, layer: int) -> None:
        super().__init__()
        self.layer, self.width = layer, config.head_width
        queries, keys = config.heads * config.head_width, config.kv_heads * config.head_width
        self.q_proj = Linear(config.channels, queries, bias=config.qkv_bias)
        self.k_proj = Linear(config.channels, keys, bias=config.qkv_bias)
        self.v_proj = Linear(config.channels, keys, bias=config.qkv_bias)
        self.o_proj = Linear(queries, config.channels)
        self.q_norm, self.k_norm = (
            RmsNorm(config.head_width, config.rms_norm_eps) if config.qk_norm else nn.Identity() for _ in range(2)
        )
        self.attn_dropout, self.resid_dropout = nn.Dropout(0.0), nn.Dropout(0.0)

    def forward(self, x: Tensor, attention: Attention, rotation: Rotation) -> Tensor:
        """Return [tokens, channels]."""
        q, k, v = (layer(x).view(len(x), -1, self.width) for layer in (self.q_proj, self.k_proj, self.v_proj))
        q, k = rotation.rotate(self.q_norm(q)), rotation.rotate(self.k_norm(k))
        dropout = self.attn_dropout.p if self.training else 0.0
        out = attention.attend(self.layer, q, k, v, scale=self.width**-0.5, dropout=dropout)
        dropped: Tensor = self.resid_dropout(self.o_proj(out))
        return dropped


class LlamaMlp(nn.Module):
    """A linear layer, gated by another, and back."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.gate_proj = Linear(config.channels, config.intermediate_size)
        self.up_proj = Linear(config.channels, config.intermediate_size)
        self.down_proj = Linear(config.intermediate_size, config.channels)
        self.dropout = nn.Dropout(0.0)

    def forward(self, x: Tensor) -> Tensor:
        """Return [tokens, channels]."""
        gated = functional.silu(self.gate_proj(x)) * self.up_proj(x)
        dropped: Tensor = self.dropout(self.down_proj(gated))
        return dropped


class LlamaBlock(nn.Module):
    """Attention and MLP, each added to what it reads."""

    def __init__(self, config: LlamaConfig, layer: int) -> None:
        super().__init__()
        self.self_attn = LlamaAttention(config, layer)
        self.mlp = LlamaMlp(config)
        self.input_layernorm = RmsNorm(config.channels, config.rms_norm_eps)
        self.post_attention_layernorm = RmsNorm(config.channels, config.rms_norm_eps)

    def forward(self, x: Tensor, attention: Attention, rotation: Rotation) -> Tensor:
        """Return [tokens, channels]."""
        x = x + self.self_attn(self.input_layernorm(x), attention, rotation)
        added: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return added


class LlamaBody(nn.Module):
    """All but the head. The frequencies of rotary positions move to a GPU with it, and are saved nowhere."""

    frequencies: Tensor

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.register_buffer("frequencies", compute_frequencies(config), persistent=False)
        self.embed_tokens = Embedding(config.vocabulary, config.channels)
        self.drop = nn.Dropout(0.0)
        self.layers = nn.ModuleList(LlamaBlock(config, layer) for layer in range(config.layers))
        self.norm = RmsNorm(config.channels, config.rms_norm_eps)


class LlamaDecoder(Decoder):
    """A Llama, Qwen2 or Qwen3 of any size."""

    PREFIX = "model."
    config: LlamaConfig
    model: LlamaBody

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__(config, LlamaBody(config))

    @property
    def embedding(self) -> Embedding:
        """The token embedding, which a tied head shares."""
        return self.model.embed_tokens

    @property
    def blocks(self) -> nn.ModuleList:
        """The blocks, in the order in which they are computed."""
        return self.model.layers

    def compute_hidden_states(self, ids: Tensor, positions: Tensor, attention: Attention) -> Tensor:
        """Return the last hidden states, [tokens, channels]."""
        x: Tensor = self.model.drop(self.model.embed_tokens(ids))
        rotation = Rotation.from_positions(positions, self.model.frequencies)
        normed: Tensor = self.model.norm(self._run_blocks(x, attention, rotation))
        return normed
