"""The families of base models that can be trained: what of config.json is read, what is refused, and the defaults.

docs/models.md is rendered from this table, and the trainer checks bases by it. Imports neither torch nor the trainer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: The end mark of all families but Llama 3, whose texts begin with another mark than they end with.
END_OF_TEXT = "<|endoftext|>"


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What a base's weights and activations take memory for.

    `queries` and `keys` are widths: heads times the width of one. A `gated` MLP has three matrices. Others have two and
    one for queries, keys and values. With `qk_norm` queries and keys are normalized. `weights` counts every number, an
    embedding that is also the head once.
    """

    weights: int
    layers: int
    channels: int
    inner: int
    queries: int
    keys: int
    vocabulary: int
    gated: bool = True
    qk_norm: bool = False

    @property
    def linear_widths(self) -> int:
        """Return inputs plus outputs of all linear layers of the blocks, to which adapters are in proportion."""
        wide, deep = self.channels, self.inner
        if not self.gated:
            return self.layers * (4 * wide + 2 * wide + 2 * (wide + deep))
        attention = 2 * (wide + self.queries) + 2 * (wide + self.keys)
        return self.layers * (attention + 3 * (wide + deep))

    @property
    def kept_numbers(self) -> int:
        """Return how many numbers per token a block leaves to the backward pass.

        These are the inputs of norms and projections, queries, keys and values, and what lies within the MLP, counted
        in a forward pass of each family (docs/decisions/0093).
        """
        inputs, mlp = (8, 4) if self.gated else (6, 2)
        normed = 2 if self.qk_norm else 0
        return inputs * self.channels + (4 + normed) * self.queries + (2 + normed) * self.keys + mlp * self.inner


@dataclass(frozen=True, slots=True)
class KnownBase:
    """A published base: its names on the Hugging Face Hub, the first of them the one to use, and its sizes."""

    names: tuple[str, ...]
    shape: ModelShape
    license: str
    """The licence that its page states, by the Hub's identifier."""
    gated: bool = False
    """Whether the Hub gives it only to who has accepted its licence: model.tokenSecret is needed."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A key of config.json that is refused unless it is missing, null, false, or has one of the values `taken`."""

    key: str
    why: str
    taken: tuple[Any, ...] = ()

    def applies(self, content: Mapping[str, Any]) -> bool:
        """Tell whether a config.json is refused for this key."""
        value = content.get(self.key)
        if value in (None, False) or value == [] or value == {}:
            return False
        given = value if isinstance(value, list) else [value]
        return not self.taken or any(each not in self.taken for each in given)


@dataclass(frozen=True, slots=True)
class Rates:
    """Peak learning rates where the spec leaves them unset: of all weights, of adapters, and of these in few steps."""

    full: float
    adapters: float
    short: float


#: A published GPT-2: the outcome of huggingtweets' search on it; adapters ten times that, in under 100 steps fifteen
#: times ("LoRA Without Regret", Thinking Machines 2025).
GPT2_RATES = Rates(1.372e-4, 1.4e-3, 2e-3)
#: The same study fitted the rate of adapters to the width: 5e-4 x (2000 / width) ** power, and a tenth for all weights.
_RATE_AT_2000, _ADAPTERS, _SHORT = 5e-5, 10, 15


def scale_rates(channels: int, power: float) -> Rates:
    """Return the rates of a model of this width, to three digits."""
    full = _RATE_AT_2000 * (2000 / channels) ** power
    return Rates(*(float(f"{full * times:.3g}") for times in (1, _ADAPTERS, _SHORT)))


@dataclass(frozen=True, slots=True)
class Family:
    """Bases of one architecture and tokenizer.

    A post lies between `begin_mark` and `end_mark`. `keys` are those of config.json that are read. Rates fall with the
    width to `rate_power`; those of GPT-2, for which it is None, do not.
    """

    name: str
    model_type: str
    bases: tuple[KnownBase, ...]
    begin_mark: str
    end_mark: str
    keys: tuple[str, ...]
    refused: tuple[Refusal, ...]
    lora_targets: tuple[str, ...]
    rate_power: float | None = None

    def find_rates(self, channels: int) -> Rates:
        """Return the rates of a base of this family with this width."""
        return GPT2_RATES if self.rate_power is None else scale_rates(channels, self.rate_power)
