"""From a configuration to the decoder of its family."""

from tweetbot_trainer.learning.decoder.configs import DecoderConfig, Gpt2Config
from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.decoder.gpt2 import Gpt2Decoder
from tweetbot_trainer.learning.decoder.llama import LlamaDecoder


def build_decoder(config: DecoderConfig) -> Decoder:
    """Build a decoder whose weights have no values yet, in training mode."""
    return Gpt2Decoder(config) if isinstance(config, Gpt2Config) else LlamaDecoder(config)
