"""When a style score is told, and that it lies between other people and the author."""

from collections.abc import Sequence
from functools import cache
from random import Random

import pytest

from tweetbot_demo.grammar import make_post
from tweetbot_trainer.learning.style import background
from tweetbot_trainer.learning.style.style import (
    FEWEST_HELD_OUT_POSTS,
    FEWEST_TRAIN_POSTS,
    Style,
    measure_style,
)

RANDOM = Random(1)
GULL = tuple(make_post(RANDOM) for _ in range(300))
FIGURES = ("style_score", "style_score_low", "style_score_high", "function_word_score")
TRAIN, HELD_OUT, NEW = GULL[:200], GULL[200:240], GULL[240:]
#: What others might post: none of it is the gull's, and none is in the background.
OTHERS = [
    f"{opening} {thing}{end}"
    for opening in ("so tired of", "Just finished", "who else loves", "Can't believe", "Finally got", "I really miss")
    for thing in ("my old phone", "the new season", "coffee at work", "your stupid cat", "these long meetings")
    for end in ("!!", " lol", ".", " :)")
]
GERMAN = [
    f"{wer} {was} {wann}."
    for wer in ("Der Hafenmeister", "Meine Nachbarin", "Die alte Fähre", "Unser Leuchtturm", "Ein Fischer", "Keiner")
    for was in ("wollte nicht gehen", "hat gestern gesungen", "schläft schon wieder", "vergisst ständig meinen Namen")
    for wann in ("seit dem frühen Morgen", "wie jeden Dienstag", "trotz des Regens", "ohne jeden Grund", "und lachte")
] * 2
Random(2).shuffle(GERMAN)
JAPANESE = ["今日はとても良い天気ですね。港まで散歩しました", "猫がまた寝ている。夢でも見ているのかな"] * 100
BILINGUAL = [GERMAN[index] if index % 3 == 0 else text for index, text in enumerate(GULL[:200])]


#: The same measurement serves several tests.
measure_once = cache(measure_style)


def score(samples: Sequence[str]) -> float:
    found = measure_once(tuple(samples), TRAIN, HELD_OUT).score
    assert found is not None
    return found.value


def test_new_posts_of_the_author_score_one_and_those_of_others_nothing() -> None:
    assert score(NEW) == pytest.approx(1, abs=0.1)
    assert score(OTHERS) == pytest.approx(0, abs=0.1)


def test_a_model_that_writes_half_of_it_like_the_author_lies_between() -> None:
    mixed = [author if index % 2 else other for index, (author, other) in enumerate(zip(NEW, OTHERS, strict=False))]
    assert 0.25 < score(mixed) < 0.75


def test_copies_of_training_posts_score_higher_than_the_author_does() -> None:
    assert score(TRAIN) > score(HELD_OUT) == 1.0


def test_names_links_and_tags_of_others_change_nothing() -> None:
    named = [f"@{name} {text} https://example.org/{name} #{name}" for name, text in zip("ab" * 30, NEW, strict=True)]
    other = [text.replace("@a", "@somebody_else").replace("#a", "#Brexit").replace("/a", "/x?y=1") for text in named]
    assert score(named) == score(other)


def test_the_interval_holds_the_score_and_the_function_words_have_their_own() -> None:
    found = measure_once(NEW, TRAIN, HELD_OUT)
    assert found.score is not None
    assert found.function_words is not None
    assert found.score.low < found.score.value < found.score.high
    assert found.as_metrics()["function_word_score"] == found.function_words.value != found.score.value


def test_the_same_texts_give_the_same_score() -> None:
    assert measure_style(NEW, TRAIN, HELD_OUT) == measure_once(NEW, TRAIN, HELD_OUT)


@pytest.mark.parametrize(
    ("train", "held_out", "told"),
    [
        (FEWEST_TRAIN_POSTS, FEWEST_HELD_OUT_POSTS, True),
        (FEWEST_TRAIN_POSTS - 1, FEWEST_HELD_OUT_POSTS, False),
        (FEWEST_TRAIN_POSTS, FEWEST_HELD_OUT_POSTS - 1, False),
    ],
)
def test_few_posts_give_no_score_but_the_numbers_that_it_takes(train: int, held_out: int, told: bool) -> None:
    found = measure_style(NEW, TRAIN[:train], HELD_OUT[:held_out])
    assert (found.score is not None) is told
    if not told:
        assert found.untold == f"it takes 100 posts to train on and 30 held out, and there are {train} and {held_out}"
        assert found.as_metrics() == dict.fromkeys(FIGURES) | {"style_not_measured": found.untold}


@pytest.mark.parametrize("posts", [GERMAN, JAPANESE, BILINGUAL], ids=["German", "Japanese", "a third German"])
def test_a_language_that_the_background_does_not_know_gives_no_score(posts: list[str]) -> None:
    found = measure_style(posts[:60], posts[:150], posts[150:200])
    assert found.untold == "texts of other people are known in English only, and many of these posts are not"


def test_emoji_and_capitals_are_of_no_language() -> None:
    loud = [f"{text.upper()} 🐟🐟🐟🌊🌊🔥🔥🔥" for text in GULL]
    assert measure_style(loud[240:], loud[:200], loud[200:240]).score is not None


def test_an_author_who_writes_like_everybody_gets_no_score() -> None:
    words = [
        "the",
        "and",
        "of",
        "to",
        "a",
        "in",
        "is",
        "it",
        "you",
        "that",
        "he",
        "was",
        "for",
        "on",
        "are",
        "with",
        "as",
        "his",
        "they",
        "be",
        "at",
    ]
    random = Random(3)
    noise = [" ".join(random.choices(words, k=12)) for _ in range(100)]
    plain = [
        " ".join(random.choices(["all", "kinds", "of", "people", "say", "things", "like", "that"], k=9))
        for _ in range(60)
    ]
    assert measure_style(NEW, noise, plain).untold == (
        "the author's own held-out posts cannot be told from other people's texts"
    )


@pytest.mark.parametrize("samples", [[], ["", "  "]])
def test_a_model_that_writes_nothing_gets_no_score(samples: list[str]) -> None:
    assert measure_style(samples, TRAIN, HELD_OUT).untold == "the model wrote nothing"


def test_posts_without_words_do_no_harm() -> None:
    train, held_out = [*TRAIN, "", "😂😂", "https://example.org"], [*HELD_OUT, "", "😂"]
    assert measure_style([*NEW, "", "!!!"], train, held_out).score is not None


def test_a_background_that_was_swapped_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "SHA256", "0" * 64)
    background.load_backgrounds.cache_clear()
    with pytest.raises(ValueError, match="not the one that this version was calibrated with"):
        background.load_backgrounds()
    background.load_backgrounds.cache_clear()


def test_what_goes_into_metrics_is_a_few_numbers() -> None:
    found = measure_once(NEW, TRAIN, HELD_OUT).as_metrics()
    assert [type(found[name]) for name in FIGURES] == [float] * 4
    assert found["style_not_measured"] is None
    assert Style(untold="why").as_metrics() == dict.fromkeys(FIGURES) | {"style_not_measured": "why"}
