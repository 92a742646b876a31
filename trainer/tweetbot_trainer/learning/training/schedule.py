"""The learning rate of each step, and when to stop early."""

import math
from collections.abc import Sequence

#: Stop after this many epochs in a row whose validation loss is more than this share above the lowest so far.
#: No training ever recovered from a tenth of that (docs/experiments.md, 4).
EPOCHS, MARGIN = 2, 0.02


def compute_learning_rate(step: int, total: int, *, peak: float, warmup: float) -> float:
    """Return the rate of step 0 to total - 1: linear up to the peak over the `warmup` share, then a cosine to 0.

    Without warm-up this is huggingtweets' schedule, transformers' `get_cosine_schedule_with_warmup`.
    """
    rising = round(total * warmup)
    if step < rising:
        return peak * (step + 1) / rising
    done = (step - rising) / max(1, total - rising)
    return peak * 0.5 * (1.0 + math.cos(math.pi * done))


def should_stop(losses: Sequence[float]) -> bool:
    """Decide from the validation losses after each epoch so far whether training has clearly passed its best."""
    limit = (1 + MARGIN) * min(losses)
    return all(loss > limit for loss in losses[-EPOCHS:])
