"""When a training may end before its last epoch: once it has clearly got worse, not at the first that is no better.

The learning rate falls to 0 over all epochs, and as it falls the validation loss does too: an epoch at a high rate that
is a little worse than the best says nothing of those to come. The best weights are kept in any case, so what an early
end saves is time alone. The rule looks at nothing but the losses so far, which every checkpoint holds.
"""

from collections.abc import Sequence

#: How far above its lowest the validation loss must be, in parts of it, and after how many epochs in a row.
#: No training ever made good a tenth of that (docs/experiments.md, 4).
MARGIN, EPOCHS = 0.02, 2


def past_its_best(losses: Sequence[float]) -> bool:
    """Tell whether to end, from the validation loss after each epoch so far."""
    limit = (1 + MARGIN) * min(losses)
    return all(loss > limit for loss in losses[-EPOCHS:])
