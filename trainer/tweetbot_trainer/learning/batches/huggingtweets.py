"""Recipe huggingtweets: reshuffled copies of all posts in one stream of tokens, cut where a block happens to end.

    <end> post <end> post <end> … │ … post <end> po │ st <end> …       posts are cut, and see those before them

Kept as it was, as a yardstick and for whoever wants a card's exact procedure; docs/training.md tells what it costs.
"""

from collections.abc import Sequence
from random import Random

from tweetbot_contract import reasons
from tweetbot_trainer.learning.batches.examples import Example
from tweetbot_trainer.learning.model.tokenizer import EncodedText
from tweetbot_trainer.learning.values import COPIES
from tweetbot_trainer.runtime.errors import TooLittleData


def shuffle_copies(sources: Sequence[Sequence[str]], seed: int) -> list[str]:
    """Return the texts of the stream in their order: in each copy source after source, each shuffled anew.

    A source with fewer characters than the longest first repeats its texts until it has as many.
    """
    random = Random(seed)  # noqa: S311  # an order, not a secret
    longest = max(map(_count_characters, sources))
    own = [_repeat_texts(texts, longest, random) for texts in sources if texts]
    return [text for _ in range(COPIES) for texts in own for text in _shuffle(texts, random)]


def make_blocks(texts: Sequence[EncodedText], end_mark: int, length: int) -> list[Example]:
    """Return blocks of so many tokens, each but a block's first a label; what is left at the end is dropped.

    Raises TooLittleData (TooFewPosts) where the stream fills no block.
    """
    stream = [end_mark, *(token for text in texts for token in (*text.tokens, end_mark))]
    if len(stream) < length:
        raise TooLittleData(
            reasons.TOO_FEW_POSTS,
            f"Recipe huggingtweets trains on blocks of {length} tokens, and {COPIES} copies of the training posts make "
            f"only {len(stream)}: give the run more posts, or use training.recipe: tweetbot.",
        )
    return [Example(tuple(stream[at : at + length]), 1) for at in range(0, len(stream) - length + 1, length)]


def _repeat_texts(texts: Sequence[str], characters: int, random: Random) -> list[str]:
    grown, size = list(texts), _count_characters(texts)
    while size < characters:
        for text in _shuffle(texts, random):
            if size < characters:
                grown.append(text)
                size += len(text)
    return grown


def _shuffle(texts: Sequence[str], random: Random) -> list[str]:
    return random.sample(texts, len(texts))


def _count_characters(texts: Sequence[str]) -> int:
    return sum(map(len, texts))
