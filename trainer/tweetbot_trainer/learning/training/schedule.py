"""The learning rate over a run."""

import math
from collections.abc import Sequence


def compute_learning_rate(step: int, total: int, *, peak: float, warmup: float) -> float:
    """Return the rate of step 0 to total - 1: a line up to the peak over the `warmup` share, then a cosine to 0.

    Without warm-up this is huggingtweets' schedule, transformers' `get_cosine_schedule_with_warmup`.
    """
    rising = round(total * warmup)
    if step < rising:
        return peak * (step + 1) / rising
    done = (step - rising) / max(1, total - rising)
    return peak * 0.5 * (1.0 + math.cos(math.pi * done))


#: How far above its lowest the validation loss must be, in parts of it, and after how many epochs in a row.
#: No training ever made good a tenth of that (docs/experiments.md, 4).
MARGIN, EPOCHS = 0.02, 2


def should_stop(losses: Sequence[float]) -> bool:
    """Tell whether to end, from the validation loss after each epoch so far."""
    limit = (1 + MARGIN) * min(losses)
    return all(loss > limit for loss in losses[-EPOCHS:])
