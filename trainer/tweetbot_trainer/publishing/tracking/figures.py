"""The name of each figure at Weights & Biases: one name, whether a run is tracked while it goes on or sent later.

What stands before the slash groups a figure's panels, and says of what it is. docs/tracking.md shows this table.
"""

from collections.abc import Mapping
from typing import Any

#: Names in metrics.jsonl (train_loss) and in the status (trainLoss), and the figure's name at W&B. A name that is not
#: listed, such as step or kept, is the same everywhere.
NAMES = {
    "train_loss": "train/loss",
    "trainLoss": "train/loss",
    "firstTrainLoss": "train/first_loss",
    "learning_rate": "train/learning_rate",
    "tokens_per_second": "train/tokens_per_second",
    "tokensPerSecond": "train/tokens_per_second",
    "trainSeconds": "train/seconds",
    "eval_loss": "eval/loss",
    "evalLoss": "test/loss",
    "perplexity": "test/perplexity",
    "bitsPerByte": "test/bits_per_byte",
    "bitsPerByteLow": "test/bits_per_byte_low",
    "bitsPerByteHigh": "test/bits_per_byte_high",
    "baseBitsPerByte": "test/base_bits_per_byte",
    "improvementLow": "test/improvement_low",
    "testPosts": "test/posts",
    "reliability": "test/reliability",
    "verbatimRate": "samples/verbatim_rate",
    "verbatimRateUnseen": "samples/verbatim_rate_unseen",
    "distinct1": "samples/distinct_1",
    "distinct2": "samples/distinct_2",
    "distinct3": "samples/distinct_3",
    "leakedSamples": "samples/leaked",
    "styleScore": "samples/style_score",
    "styleScoreLow": "samples/style_score_low",
    "styleScoreHigh": "samples/style_score_high",
    "functionWordScore": "samples/function_word_score",
    "styleNotMeasured": "samples/style_not_measured",
}


def rename_figures(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures under their names at W&B."""
    return {NAMES.get(name, name): value for name, value in figures.items()}
