"""Recipe huggingtweets: shuffled copies of all posts in one token stream, cut into blocks wherever they end.

    <end> post <end> post <end> … │ … post <end> po │ st <end> …       a post may be cut, and sees the posts before it

Kept exactly as the 2021 notebook did it, as a yardstick; docs/training.md says what it costs.
"""

from collections.abc import Sequence
from random import Random

from tweetbot_contract import reasons
from tweetbot_contract.spec.training import COPIES
from tweetbot_trainer.learning.batches.examples import Example
from tweetbot_trainer.learning.model.marks import Marks
from tweetbot_trainer.learning.model.tokenizer import EncodedText
from tweetbot_trainer.runtime.errors import TooLittleData


def shuffle_copies(sources: Sequence[Sequence[str]], seed: int) -> list[str]:
    """Shuffle COPIES copies of the texts: in each copy source after source, each in a new order.

    A source with fewer characters than the longest first repeats its texts until it has as many.
    """
    random = Random(seed)  # noqa: S311  # an order, not a secret
    longest = max(map(_count_characters, sources))
    own = [_repeat_texts(texts, longest, random) for texts in sources if texts]
    return [text for _ in range(COPIES) for texts in own for text in _shuffle(texts, random)]


def make_blocks(texts: Sequence[EncodedText], marks: Marks, length: int) -> list[Example]:
    """Cut the stream into blocks of `length` ids, all but the first of each a label; drop the rest at the end.

    Raises TooLittleData (TooFewPosts) if the stream does not fill one block.
    """
    between = (marks.end,) if marks.begin == marks.end else (marks.end, marks.begin)
    stream = [marks.begin, *(token for text in texts for token in (*text.tokens, *between))]
    if len(stream) < length:
        raise TooLittleData(
            reasons.TOO_FEW_POSTS,
            f"Recipe huggingtweets trains on blocks of {length} tokens, and {COPIES} copies of the training posts make "
            f"only {len(stream)}: give the run more posts, or use spec.training.recipe: tweetbot.",
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
