"""What every family of decoders can do: from ids to hidden states, and from these to logits.

Parameters are named and laid out as transformers does, so what is saved, adapted or kept in a checkpoint fits it.
"""

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from tweetbot_trainer.learning.decoder.attention import Attention, KeyValueCache
from tweetbot_trainer.learning.decoder.configs import DecoderConfig
from tweetbot_trainer.learning.decoder.layers import Embedding, Linear


class Decoder(nn.Module):
    """A language model over a stream of tokens, whose `attention` decides which of them see which.

    With `recompute` a block leaves its input alone to the backward pass, which computes the block again.
    """

    #: What the names of all parameters but the head's begin with.
    PREFIX: ClassVar[str]

    def __init__(self, config: DecoderConfig, body: nn.Module) -> None:
        super().__init__()
        self.config, self.recompute = config, False
        self.add_module(self.PREFIX.rstrip("."), body)
        self.lm_head = None if config.tied else Linear(config.channels, config.vocabulary)

    @property
    def embedding(self) -> Embedding:
        """The token embedding, which a tied head shares."""
        raise NotImplementedError

    @property
    def blocks(self) -> nn.ModuleList:
        """The blocks, in the order in which they are computed."""
        raise NotImplementedError

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.embedding.weight.device

    def compute_hidden_states(self, ids: Tensor, positions: Tensor, attention: Attention) -> Tensor:
        """Return the last hidden states, [tokens, channels], of ids [tokens] at these positions of their texts."""
        raise NotImplementedError

    def _run_blocks(self, x: Tensor, *inputs: object) -> Tensor:
        """Return the hidden states behind all blocks, each of which also takes `inputs`."""
        again = self.recompute and torch.is_grad_enabled()
        for block in self.blocks:
            x = checkpoint(block, x, *inputs, use_reentrant=False) if again else block(x, *inputs)
        return x

    def compute_logits(self, hidden: Tensor) -> Tensor:
        """Return [tokens, vocabulary] for hidden states [tokens, channels]."""
        head = self.embedding if self.lm_head is None else self.lm_head
        return functional.linear(hidden, head.weight)

    def compute_next_logits(self, ids: Tensor, cache: KeyValueCache) -> Tensor:
        """Return [texts, vocabulary]: what follows each text of the cache and its next ids [texts, tokens]."""
        texts, tokens = ids.shape
        positions = torch.arange(cache.length, cache.length + tokens, device=ids.device).repeat(texts)
        hidden = self.compute_hidden_states(ids.flatten(), positions, cache)
        cache.advance(tokens)
        return self.compute_logits(hidden.view(texts, tokens, -1)[:, -1])

    def set_dropout(self, dropout: float, attention_dropout: float = 0.0) -> None:
        """Set the rates that training mode drops with; they are saved with the model where its family records them."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Dropout):
                module.p = attention_dropout if name.endswith("attn_dropout") else dropout

    def iter_linear_layers(self) -> Iterator[tuple[nn.Module, str]]:
        """Yield the linear layers of all blocks: each one's owner, and its name there."""
        for block in self.blocks:
            for layer in self.config.linear_layers:
                part, _, name = layer.partition(".")
                yield getattr(block, part), name
