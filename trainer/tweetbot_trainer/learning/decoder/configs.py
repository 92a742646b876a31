"""The shapes of the decoders that can be trained. Imports no torch: `prepare` reads them, too."""

import math
from typing import TypeAlias

from tweetbot_contract.spec.families import ModelShape
from tweetbot_trainer.learning.decoder.gpt2_config import Gpt2Config as Gpt2Config
from tweetbot_trainer.learning.decoder.llama_config import LlamaConfig as LlamaConfig
from tweetbot_trainer.learning.decoder.llama_config import RopeScaling as RopeScaling

DecoderConfig: TypeAlias = Gpt2Config | LlamaConfig


def get_model_type(config: DecoderConfig) -> str:
    """Return the architecture's name in config.json."""
    return config.model_type if isinstance(config, LlamaConfig) else "gpt2"


def build_shape(config: DecoderConfig) -> ModelShape:
    """Return what the memory of a training depends on."""
    return ModelShape(
        weights=count_weights(config),
        layers=config.layers,
        channels=config.channels,
        inner=config.inner,
        queries=config.heads * config.head_width,
        keys=config.kv_heads * config.head_width,
        vocabulary=config.vocabulary,
        gated=isinstance(config, LlamaConfig),
        qk_norm=isinstance(config, LlamaConfig) and config.qk_norm,
    )


def count_weights(config: DecoderConfig) -> int:
    """Count the weights; a head that is the embedding counts once."""
    return sum(math.prod(shape) for shape in config.list_tensors().values())
