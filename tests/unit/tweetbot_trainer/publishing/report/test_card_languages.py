"""Which languages a card names, and whether texts decided."""

from dataclasses import replace

import pytest

from builders.model import a_post, posts_of
from tweetbot_trainer.data.posts import DatasetPost
from tweetbot_trainer.publishing.report import card_languages
from tweetbot_trainer.publishing.report.card_languages import CardLanguages, find_languages

GERMAN, ENGLISH = (
    "der Hafen ist heute ruhig, und die Flut kommt erst abends",
    "the harbour is quiet and the tide is low",
)
JAPANESE = "港は静かで潮が引いている"


def labelled(count: int, label: str | None, text: str = ENGLISH) -> list[DatasetPost]:
    return [replace(a_post(number, text=text), lang=label) for number in range(count)]


def test_labels_decide_where_there_are_some() -> None:
    rare = [*labelled(1, "fr"), *labelled(1, "und"), *labelled(1, None)]
    assert find_languages([*labelled(80, "en"), *labelled(20, "ja", JAPANESE), *rare]) == CardLanguages(("en", "ja"))
    assert find_languages(labelled(1, "in")) == CardLanguages(("id",))
    assert find_languages([*labelled(1, "und"), *labelled(1, "<b>")]) == CardLanguages(())


def test_texts_decide_where_no_post_has_a_label() -> None:
    assert find_languages(labelled(40, None, GERMAN)) == CardLanguages(("de",), detected=True)


def test_a_source_without_labels_counts_beside_one_with_them() -> None:
    posts = [*labelled(30, None, GERMAN), *labelled(10, "en")]
    assert find_languages(posts) == CardLanguages(("de", "en"), detected=True)


def test_a_few_words_are_no_language() -> None:
    assert find_languages([*labelled(40, None, "lol same"), *labelled(4, None, GERMAN)]) == CardLanguages(())
    assert find_languages([]) == CardLanguages(())


def test_only_a_sample_is_looked_at_and_stands_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def detect(text: str) -> str:
        seen.append(text)
        return "de" if int(text) < 60_000 else "en"

    monkeypatch.setattr(card_languages, "detect_language", detect)
    posts = [replace(post, lang=None) for post in posts_of([str(number) for number in range(100_000)])]
    assert find_languages([*posts, *labelled(20_000, "zxx")]) == CardLanguages(("de", "en"), detected=True)
    assert len(seen) == 500


def test_texts_decide_where_they_contradict_the_labels() -> None:
    assert find_languages(labelled(40, "en", GERMAN)) == CardLanguages(("de",), detected=True)
