"""The base that all recipes start from: a small GPT-2, or Llama, trained for some minutes on texts of no account.

Trained as GPT-2 was, on one stream of texts in blocks of its whole context, so that recipes that read blocks meet no
positions that the base has never seen.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from tweetbot_contract.spec.training import BLOCK, Training
from tweetbot_trainer.learning.batches.huggingtweets import make_blocks
from tweetbot_trainer.learning.decoder.configs import DecoderConfig, LlamaConfig
from tweetbot_trainer.learning.model.marks import get_marks
from tweetbot_trainer.learning.model.scratch import Shape, draw_model
from tweetbot_trainer.learning.model.tokenizer import encode_all, train_tokenizer
from tweetbot_trainer.learning.sampling import resolve_generation_config
from tweetbot_trainer.learning.training.callbacks import Callbacks
from tweetbot_trainer.learning.training.device import select_device
from tweetbot_trainer.learning.training.loop import train
from tweetbot_trainer.learning.training.metrics import TrainingProgress
from tweetbot_trainer.learning.values import Hyperparameters, resolve_hyperparameters
from tweetbot_trainer.publishing.export import save_model

FAMILIES = ("gpt2", "llama")
SHAPE = Shape(layers=4, channels=128, heads=4, context=BLOCK)
#: Passes over the texts, if nothing else is asked for; with two blocks per step some minutes on one core.
PASSES = 3
VALUES: Hyperparameters = replace(
    resolve_hyperparameters(Training(epochs=PASSES, learning_rate="2e-3", precision="FP32"), "scratch://mini", ()),
    batch_tokens=2 * (BLOCK - 1),
    warmup=0.05,
    early_stopping=False,
)
#: Blocks held out for validation.
_VALIDATION = 1


def write_base(
    texts: Sequence[str], folder: Path, passes: int = PASSES, *, tell: Callbacks, family: str = "gpt2"
) -> None:
    """Train the base and save it like any finished model."""
    order = list(texts)
    Random(VALUES.seed).shuffle(order)
    tokenizer = train_tokenizer(order, SHAPE.vocabulary)
    model = draw_model(build_config(family, tokenizer.get_vocab_size(with_added_tokens=True)), VALUES.seed)
    blocks = make_blocks(encode_all(tokenizer, order), get_marks(tokenizer), BLOCK)
    device = select_device("FP32", gpu=False, channels=SHAPE.channels)
    seen, unseen = blocks[:-_VALIDATION], blocks[-_VALIDATION:]
    values = replace(VALUES, epochs=passes)
    train(model, seen, unseen, values, device=device, callbacks=tell, stop_early=False)
    save_model(model, tokenizer, resolve_generation_config(VALUES, BLOCK), folder)


def build_config(family: str, entries: int) -> DecoderConfig:
    """Return a GPT-2's shape, or that of a Llama whose blocks have as many weights: its MLP has three matrices."""
    if family == "gpt2":
        return SHAPE.build_config(entries)
    return LlamaConfig(
        model_type="llama",
        num_hidden_layers=SHAPE.layers,
        hidden_size=SHAPE.channels,
        intermediate_size=8 * round(SHAPE.channels / 3),
        num_attention_heads=SHAPE.heads,
        num_key_value_heads=SHAPE.heads,
        head_dim=SHAPE.channels // SHAPE.heads,
        vocab_size=entries,
        max_position_embeddings=SHAPE.context,
        tie_word_embeddings=True,
    )


def format_progress(progress: TrainingProgress) -> str:
    """Format a line of the pre-training's progress."""
    return f"base: step {progress.step} of {progress.total_steps}, loss {progress.train_loss:.3f}"
