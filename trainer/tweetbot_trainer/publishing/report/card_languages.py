"""The languages that a card names: as the sources label the posts, else as the posts' texts suggest."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tweetbot_trainer.data.cleaning.languages import detect_language, parse_label, sample_evenly
from tweetbot_trainer.data.dataset.wrong_labels import find_wrong_labels
from tweetbot_trainer.data.posts import DatasetPost

#: The smallest share of the posts at which the card names a language, and at which posts without a label matter.
SHARE = 0.1
#: At most this many texts are looked at, which takes the detector less than a second.
SAMPLE = 500
#: Fewer texts of a clear language prove nothing: on a few words of chat the detector is rarely sure, and may be wrong.
FEWEST = 5


@dataclass(frozen=True, slots=True)
class CardLanguages:
    """ISO 639 codes, the most common first; `detected` says that texts decided, not only labels."""

    codes: tuple[str, ...]
    detected: bool = False


def find_languages(posts: Sequence[DatasetPost]) -> CardLanguages:
    """Return the languages of at least a tenth of the posts whose language is known."""
    wrong = find_wrong_labels(posts)
    counts = Counter(_list_codes(label for post in posts if (label := parse_label(post.lang)) not in wrong))
    unlabelled = [post.text for post in posts if post.lang is None or parse_label(post.lang) in wrong]
    detected = _detect_languages(unlabelled) if len(unlabelled) >= SHARE * len(posts) else {}
    counts.update(detected)
    codes = tuple(code for code, count in counts.most_common() if count >= SHARE * counts.total())
    return CardLanguages(codes, detected=any(code in detected for code in codes))


def _detect_languages(texts: Sequence[str]) -> dict[str, int]:
    """Return how many of the texts are in which language, estimated from texts at equal distances."""
    sample = sample_evenly(texts, SAMPLE)
    found = Counter(_list_codes(map(detect_language, sample)))
    if found.total() < FEWEST:
        return {}
    return {code: round(count * len(texts) / len(sample)) for code, count in found.items()}


def _list_codes(labels: Iterable[str | None]) -> list[str]:
    """Return the labels that are codes as the Hub takes them."""
    return [label for label in labels if label and label.isalpha() and label.islower() and len(label) in (2, 3)]
