"""Which language a post is in, and which posts a filter of languages drops."""

import pytest

from builders.trainer import a_post
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import build_recipe, clean
from tweetbot_trainer.data.cleaning.languages import detect_language, parse_label

ENGLISH, GERMAN = "the harbour is quiet and the tide is low", "der Hafen ist heute ruhig und die Flut kommt erst abends"


def reason(text: str, label: str | None, *languages: str) -> str | None:
    (cleaned,) = clean([a_post(text, lang=label)], Filter(languages=languages))
    return cleaned.reason


@pytest.mark.parametrize(
    ("label", "language"),
    [("en", "en"), ("pt-BR", "pt"), ("zh_Hant", "zh"), ("iw", "he"), ("in", "id"), ("nb", "no"), ("EN", "en")],
)
def test_a_label_names_a_language(label: str, language: str) -> None:
    assert parse_label(label) == language


@pytest.mark.parametrize("label", [None, "", "und", "zxx", "qme"])
def test_some_labels_name_none(label: str | None) -> None:
    assert parse_label(label) is None


@pytest.mark.parametrize(
    ("label", "languages", "expected"),
    [
        ("en", (), None),
        ("en", ("en", "ja"), None),
        ("de", ("en",), "languages"),
        ("in", ("id",), None),
        ("id", ("in",), None),
        ("nb", ("no",), None),
    ],
)
def test_the_label_decides_where_there_is_one(label: str, languages: tuple[str, ...], expected: str | None) -> None:
    assert reason(ENGLISH, label, *languages) == expected


@pytest.mark.parametrize("label", [None, "und"])
@pytest.mark.parametrize(("text", "expected"), [(ENGLISH, None), (GERMAN, "languages"), ("港の朝は静か", "languages")])
def test_the_text_decides_where_no_label_does(label: str | None, text: str, expected: str | None) -> None:
    assert reason(text, label, "en") == expected


@pytest.mark.parametrize("text", ["lol same here", "haha omg yes", "@gull brb ok ok", "🌊 1 2 3"])
def test_what_neither_places_stays(text: str) -> None:
    assert detect_language(text) is None
    assert reason(text, None, "de") is None


def test_names_and_tags_do_not_speak() -> None:
    assert detect_language("@the_english_harbour_gull #thetideislow #harbour") is None


def test_codes_are_todays_in_the_header() -> None:
    assert build_recipe(Filter(languages=("iw", "he", "en"))).options.languages == ("en", "he")


def test_the_detector_is_part_of_the_version_only_where_it_may_decide() -> None:
    assert "py3langid=" not in build_recipe(Filter()).version
    assert "py3langid=" in build_recipe(Filter(languages=("en",))).version
