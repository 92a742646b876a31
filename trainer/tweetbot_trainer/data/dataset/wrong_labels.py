"""Labels of a language that the labelled texts are not in, as where an app writes its default into every post."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from tweetbot_contract import reasons
from tweetbot_contract.data_table import DataWarning
from tweetbot_trainer.data.cleaning.languages import detect_language, parse_label, sample_evenly
from tweetbot_trainer.data.posts import DatasetPost

#: The smallest share of the posts at which a label is looked at: the card names no rarer language.
LABEL_SHARE = 0.1
#: At most this many texts of a label are looked at, which takes the detector a tenth of a second.
SAMPLE = 200
#: So many texts of a clear language, and so large a share of them in one other language, contradict a label.
FEWEST, CLEAR_SHARE = 20, 0.8
#: The label of most posts, and words of which no other language has several: English texts need no detector, which
#: takes half a second and a hundred megabytes to load.
_ENGLISH, _ENGLISH_WORDS = "en", re.compile(r"\b(?:the|and|of|you|my|with|this|have)\b", re.IGNORECASE)
_ENGLISH_SHARE = 0.3
#: Languages that the detector takes for each other prove nothing.
_CLOSE = tuple(
    map(
        frozenset,
        (
            {"da", "no", "sv", "is", "fo"},
            {"bs", "hr", "sr", "sl", "mk", "bg"},
            {"cs", "sk", "pl"},
            {"id", "ms", "jv", "tl"},
            {"pt", "gl", "es", "ca", "an", "oc", "it", "fr"},
            {"ru", "uk", "be", "bg", "mk", "sr"},
            {"ar", "fa", "ur", "ps", "ug"},
            {"hi", "mr", "ne"},
            {"nl", "af", "de", "lb"},
            {"zh", "ja"},
        ),
    )
)


def find_wrong_labels(posts: Sequence[DatasetPost]) -> dict[str, str]:
    """Return each language that labels name and texts contradict, with the language of the texts."""
    labelled: defaultdict[str, list[str]] = defaultdict(list)
    for post in posts:
        if label := parse_label(post.lang):
            labelled[label].append(post.text)
    common = {label: texts for label, texts in labelled.items() if len(texts) >= LABEL_SHARE * len(posts)}
    found = {label: _find_other_language(label, texts) for label, texts in common.items()}
    return {label: other for label, other in found.items() if other}


def build_label_warnings(wrong: Mapping[str, str]) -> tuple[DataWarning, ...]:
    """Return what the status says of such labels."""
    return tuple(
        DataWarning(
            reason=reasons.STATEMENT_CONTRADICTED.name,
            message=f"Posts are labelled as {label}, but their texts are in {other}. The model card names the language "
            "of the texts, and spec.filter.languages still goes by the labels. Correct them where the posts come from.",
        )
        for label, other in wrong.items()
    )


def _find_other_language(label: str, texts: Sequence[str]) -> str | None:
    """Return the language of the texts if it clearly is another one."""
    sample = sample_evenly(texts, SAMPLE)
    if label == _ENGLISH and sum(map(bool, map(_ENGLISH_WORDS.search, sample))) >= _ENGLISH_SHARE * len(sample):
        return None
    clear = Counter(filter(None, map(detect_language, sample)))
    if clear.total() < FEWEST:
        return None
    language, count = clear.most_common(1)[0]
    close = any({label, language} <= group for group in _CLOSE)
    return language if language != label and not close and count >= CLEAR_SHARE * clear.total() else None
