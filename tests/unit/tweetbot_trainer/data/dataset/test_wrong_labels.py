"""A label that the texts contradict is found, and nothing is said where the texts prove nothing."""

import pytest

from tweetbot_trainer.data.dataset import wrong_labels
from tweetbot_trainer.data.dataset.wrong_labels import build_label_warnings, find_wrong_labels
from tweetbot_trainer.data.posts import DatasetPost

GERMAN = "Heute Morgen lag dichter Nebel über dem Hafen, und die Möwen haben {} Brötchen gestohlen"
ENGLISH = "This morning a thick fog lay over the harbour, and the gulls have stolen {} sandwiches"
DANISH = "I morges lå der tæt tåge over havnen, og mågerne har stjålet {} rundstykker"


def posts(text: str, lang: str | None, count: int = 40) -> list[DatasetPost]:
    return [DatasetPost(f"{lang}{index}", text.format(index), None, lang, 0) for index in range(count)]


def test_a_label_that_the_texts_contradict_is_found() -> None:
    assert find_wrong_labels(posts(GERMAN, "en")) == {"en": "de"}
    assert find_wrong_labels([*posts(GERMAN, "en"), *posts(GERMAN, "de")]) == {"en": "de"}


@pytest.mark.parametrize(
    "found",
    [
        [],
        posts(GERMAN, "de"),
        posts(GERMAN, None),
        posts(GERMAN, "und"),
        posts(GERMAN, "en", 19),
        posts("lol {}", "en"),
        posts(DANISH, "no"),
        [*posts(ENGLISH, "en", 20), *posts(GERMAN, "en", 20)],
        [*posts(GERMAN, "en", 30), *posts(ENGLISH, "fr", 0), *posts(GERMAN, "de", 400)],
    ],
)
def test_without_a_clear_contradiction_nothing_is_found(found: list[DatasetPost]) -> None:
    assert find_wrong_labels(found) == {}


def test_english_texts_under_their_label_need_no_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    def detect(text: str) -> str:
        raise AssertionError(text)

    monkeypatch.setattr(wrong_labels, "detect_language", detect)
    assert find_wrong_labels(posts(ENGLISH, "en")) == {}


def test_the_warning_names_both_languages() -> None:
    (warning,) = build_label_warnings({"en": "de"})
    assert warning.reason == "StatementContradicted"
    assert "labelled as en, but their texts are in de" in warning.message
