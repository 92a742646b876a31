"""The base that all recipes begin from: a small GPT-2 trained for some minutes on texts that no account holds.

Trained as GPT-2 was: one stream of texts in blocks of its whole context, so that what reads blocks is not put at a
disadvantage by positions that the base has never seen.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from tweetbot_contract.spec.training import Training
from tweetbot_trainer.learning.batches.huggingtweets import blocks_of
from tweetbot_trainer.learning.model.scratch import Shape, new_model
from tweetbot_trainer.learning.model.tokenizer import encode_all, end_mark_id, learned_tokenizer
from tweetbot_trainer.learning.sampling import sampling_of
from tweetbot_trainer.learning.training.callbacks import Hooks
from tweetbot_trainer.learning.training.device import chosen_processor
from tweetbot_trainer.learning.training.loop import train
from tweetbot_trainer.learning.training.metrics import Progress
from tweetbot_trainer.learning.values import BLOCK, TrainingValues, effective_values
from tweetbot_trainer.publishing.export import save_model

SHAPE = Shape(layers=4, channels=128, heads=4, context=BLOCK)
#: Three passes over the texts, two blocks a step: some minutes on one processor.
VALUES: TrainingValues = replace(
    effective_values(Training(epochs=3, learning_rate="2e-3", precision="FP32"), "scratch://mini", ()),
    batch_tokens=2 * (BLOCK - 1),
    warmup=0.05,
    early_stopping=False,
)
#: Texts of which the last block only watches.
_VALIDATION = 1


def write_base(texts: Sequence[str], folder: Path, *, tell: Hooks) -> None:
    """Train the base and write it as every finished model is written."""
    order = list(texts)
    Random(VALUES.seed).shuffle(order)
    tokenizer = learned_tokenizer(order, SHAPE.vocabulary)
    model = new_model(tokenizer, VALUES.seed, SHAPE)
    blocks = blocks_of(encode_all(tokenizer, order), end_mark_id(tokenizer), BLOCK)
    processor = chosen_processor("FP32", gpu=False, channels=SHAPE.channels)
    seen, unseen = blocks[:-_VALIDATION], blocks[-_VALIDATION:]
    train(model, seen, unseen, VALUES, processor=processor, hooks=tell, stop_early=False)
    save_model(model, tokenizer, sampling_of(VALUES, BLOCK), folder)


def told(progress: Progress) -> str:
    """Return a line on where the pre-training stands."""
    return f"base: step {progress.step} of {progress.total_steps}, loss {progress.train_loss:.3f}"
