"""GPT-2: layer norms, learned positions, one layer for query, key and value, a head tied to the embedding."""

from torch import Tensor, nn

from tweetbot_trainer.learning.decoder.activations import ACTIVATIONS
from tweetbot_trainer.learning.decoder.attention import Attention
from tweetbot_trainer.learning.decoder.configs import Gpt2Config
from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.decoder.layers import Conv1D, Embedding, LayerNorm


class Gpt2Attention(nn.Module):
    """Causal attention of one layer."""

    def __init__(self, config: Gpt2Config, layer: int) -> None:
        super().__init__()
        self.layer, self.heads, self.width = layer, config.heads, config.head_width
        self.scale = config.head_width**-0.5 if config.scale_attn_weights else 1.0
        if config.scale_attn_by_inverse_layer_idx:
            self.scale /= layer + 1
        self.c_attn = Conv1D(config.channels, 3 * config.channels)
        self.c_proj = Conv1D(config.channels, config.channels)
        self.attn_dropout = nn.Dropout(config.attn_pdrop)
        self.resid_dropout = nn.Dropout(config.resid_pdrop)

    def forward(self, x: Tensor, attention: Attention) -> Tensor:
        """Return [tokens, channels]."""
        q, k, v = self.c_attn(x).view(-1, 3, self.heads, self.width).unbind(1)
        dropout = self.attn_dropout.p if self.training else 0.0
        out = attention.attend(self.layer, q, k, v, scale=self.scale, dropout=dropout)
        dropped: Tensor = self.resid_dropout(self.c_proj(out))
        return dropped


class Gpt2Mlp(nn.Module):
    """Two linear layers with the activation between."""

    def __init__(self, config: Gpt2Config) -> None:
        super().__init__()
        self.c_fc, self.c_proj = Conv1D(config.channels, config.inner), Conv1D(config.inner, config.channels)
        self.activate = ACTIVATIONS[config.activation_function]
        self.dropout = nn.Dropout(config.resid_pdrop)

    def forward(self, x: Tensor) -> Tensor:
        """Return [tokens, channels]."""
        dropped: Tensor = self.dropout(self.c_proj(self.activate(self.c_fc(x))))
        return dropped


class Gpt2Block(nn.Module):
    """Attention and MLP, each added to what it reads."""

    def __init__(self, config: Gpt2Config, layer: int) -> None:
        super().__init__()
        self.ln_1 = LayerNorm(config.channels, config.layer_norm_epsilon)
        self.attn = Gpt2Attention(config, layer)
        self.ln_2 = LayerNorm(config.channels, config.layer_norm_epsilon)
        self.mlp = Gpt2Mlp(config)

    def forward(self, x: Tensor, attention: Attention) -> Tensor:
        """Return [tokens, channels]."""
        x = x + self.attn(self.ln_1(x), attention)
        added: Tensor = x + self.mlp(self.ln_2(x))
        return added


class Gpt2Body(nn.Module):
    """All but the head."""

    def __init__(self, config: Gpt2Config) -> None:
        super().__init__()
        self.wte = Embedding(config.vocabulary, config.channels)
        self.wpe = Embedding(config.context, config.channels)
        self.drop = nn.Dropout(config.embd_pdrop)
        self.h = nn.ModuleList(Gpt2Block(config, layer) for layer in range(config.layers))
        self.ln_f = LayerNorm(config.channels, config.layer_norm_epsilon)


class Gpt2Decoder(Decoder):
    """A GPT-2 of any size."""

    PREFIX = "transformer."
    config: Gpt2Config
    transformer: Gpt2Body

    def __init__(self, config: Gpt2Config) -> None:
        super().__init__(config, Gpt2Body(config))

    @property
    def embedding(self) -> Embedding:
        """The token embedding, which a tied head shares."""
        return self.transformer.wte

    @property
    def blocks(self) -> nn.ModuleList:
        """The blocks, in the order in which they are computed."""
        return self.transformer.h

    def compute_hidden_states(self, ids: Tensor, positions: Tensor, attention: Attention) -> Tensor:
        """Return the last hidden states, [tokens, channels]."""
        body = self.transformer
        x: Tensor = body.drop(body.wte(ids) + body.wpe(positions))
        normed: Tensor = body.ln_f(self._run_blocks(x, attention))
        return normed

    def set_dropout(self, dropout: float, attention_dropout: float = 0.0) -> None:
        """Set the rates that training mode drops with, and record them in the configuration."""
        super().set_dropout(dropout, attention_dropout)
        rates = {"embd_pdrop": dropout, "resid_pdrop": dropout, "attn_pdrop": attention_dropout}
        self.config = self.config.model_copy(update=rates)
