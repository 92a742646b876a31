"""The scales of style, fitted once to the same posts: that takes longer than a training of a test."""

from collections.abc import Sequence

from tweetbot_trainer.learning.style.background import Background
from tweetbot_trainer.learning.style.scale import Scale, fit_scale

#: By background and posts.
_FITTED: dict[tuple[int, tuple[str, ...], tuple[str, ...]], Scale | None] = {}


def fit_once(background: Background, train: Sequence[str], held_out: Sequence[str]) -> Scale | None:
    """Stand in for `fit_scale`."""
    key = (id(background), tuple(train), tuple(held_out))
    if key not in _FITTED:
        _FITTED[key] = fit_scale(background, train, held_out)
    return _FITTED[key]
