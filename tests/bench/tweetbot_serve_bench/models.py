"""Models with random weights that end their texts as people end posts: after some twenty tokens."""

from dataclasses import dataclass
from pathlib import Path

import torch

from builders.model import some_texts
from tweetbot_trainer.learning.model.marks import get_marks
from tweetbot_trainer.learning.model.scratch import SHAPES, Shape, draw_model
from tweetbot_trainer.learning.model.tokenizer import train_tokenizer
from tweetbot_trainer.learning.sampling import MOST_TOKENS, SamplingParams
from tweetbot_trainer.publishing.export import save_model

#: Entries of the tokenizer. Other rows of a larger embedding are zero, and never among the likeliest tokens.
VOCABULARY = 1024


@dataclass(frozen=True, slots=True)
class BenchModel:
    """A shape, and by how much the end mark is likelier than chance, in nats at temperature 1."""

    shape: Shape
    end_bias: float


MODELS = {
    "scratch://mini": BenchModel(SHAPES["scratch://mini"], 1.15),
    "gpt2": BenchModel(Shape(layers=12, channels=768, heads=12, context=1024, vocabulary=50257), 2.0),
}


def write_model(model: BenchModel, folder: Path) -> None:
    """Write the model as it would be published."""
    tokenizer = train_tokenizer(some_texts(400), VOCABULARY)
    known, mark = tokenizer.get_vocab_size(with_added_tokens=True), get_marks(tokenizer).end
    vocabulary = model.shape.vocabulary if model.shape.vocabulary > VOCABULARY else known
    network = draw_model(model.shape.build_config(vocabulary), 1)
    with torch.no_grad():
        embedding = network.embedding.weight
        embedding[known:] = 0
        network.get_parameter("transformer.ln_f.bias").copy_(
            model.end_bias * embedding[mark] / embedding[mark].square().sum()
        )
    most = min(MOST_TOKENS, model.shape.context // 2)
    save_model(network, tokenizer, SamplingParams(0.7, 0.95, 50, most), folder)
