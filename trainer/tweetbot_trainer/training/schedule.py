"""The learning rate over a run."""

import math


def learning_rate(step: int, total: int, *, peak: float, warmup: float) -> float:
    """Return the rate of step 0 to total - 1: a line up to the peak over the `warmup` share, then a cosine to 0.

    Without warm-up this is huggingtweets' schedule, transformers' `get_cosine_schedule_with_warmup`.
    """
    rising = round(total * warmup)
    if step < rising:
        return peak * (step + 1) / rising
    done = (step - rising) / max(1, total - rising)
    return peak * 0.5 * (1.0 + math.cos(math.pi * done))
