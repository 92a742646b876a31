"""The style bench: what counts as told apart, and that the background is what its tool makes."""

from random import Random

import pytest

from tweetbot_demo.grammar import make_post
from tweetbot_style_bench.attribution import compute_auc, measure_attribution
from tweetbot_style_bench.make_background import make_content
from tweetbot_style_bench.render import render_section
from tweetbot_style_bench.sayings import cut_author


def make_posts(seed: int, mark: str) -> list[str]:
    random = Random(seed)
    return [f"{make_post(random)}{mark}" for _ in range(180)]


ACCOUNTS = {"plain": make_posts(1, ""), "loud": [text.upper() for text in make_posts(2, "!!!")]}
TRAINED = {"style": 0.9, "interval": [0.8, 1.0], "functionWords": 0.8, "untold": None, "verbatimRate": 0.01}
UNTOLD = {"style": None, "interval": None, "functionWords": None, "untold": "why", "verbatimRate": 0.0}


@pytest.mark.parametrize(
    ("own", "others", "auc"),
    [([1.0, 0.9], [0.1, 0.2], 1.0), ([0.1], [0.9], 0.0), ([0.5], [0.5, 0.1], 0.75)],
)
def test_auc_is_how_often_the_author_scores_higher(own: list[float], others: list[float], auc: float) -> None:
    assert compute_auc(own, others) == auc


def test_two_ways_of_writing_are_told_apart_and_one_person_under_two_names_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tweetbot_style_bench.attribution.FOLDS", 2)
    found = measure_attribution(ACCOUNTS)["style"]
    assert found["auc"] > 0.95
    assert found["accounts"]["plain"]["own"] == pytest.approx(1, abs=0.1)
    same = measure_attribution({"one": make_posts(1, ""), "two": make_posts(2, "")})["style"]
    assert same["auc"] < 0.9


def test_the_page_names_what_reached_its_mark() -> None:
    account = {"posts": 200, "auc": 0.99, "own": 1.0, "others": 0.1, "nearest": "loud", "nearestScore": 0.4}
    view = {"auc": 0.93, "othersMean": 0.1, "accounts": {"plain": account, "few": {"posts": 180}}}
    run = {
        **{"date": "today", "commit": "1", "machine": "m", "seconds": 1},
        "attribution": {"style": view, "functionWords": view},
        "trainings": [
            {"account": "a", "base": UNTOLD, "trainings": [TRAINED, TRAINED], "difference": 0.0},
            {"account": "b", "base": TRAINED, "trainings": [TRAINED, UNTOLD], "difference": None},
        ],
    }
    page = render_section(run)
    assert "| style score | 0.930 (missed) | 0.10 |" in page
    assert "| plain | 200 | 0.990 | 1.00 | 0.10 | loud, 0.40 | 0.990 |" in page
    assert "| few | 180 | not told |" in page
    assert "| a | not told | 0.90 (0.80 to 1.00) | 0.90 (0.80 to 1.00) | 0.000 (reached) | 0.8 | 1.0% |" in page
    assert "| b | 0.90 (0.80 to 1.00) | 0.90 (0.80 to 1.00) | not told | not told |" in page


def test_a_background_depends_on_its_texts_alone_and_holds_some_out() -> None:
    texts = {"posts": [f"text number {word}" for word in ("one", "two", "three", "four", "five", "six")]}
    content = make_content(texts)
    assert content == make_content(texts)
    assert b" four" in content
    assert content.count(b'"heldOut"') == 2


@pytest.mark.parametrize(
    ("saying", "text"),
    [
        ("Be brief.\n\t\t-- Somebody, of a book", "Be brief."),
        ("-- he said --\nand left", "-- he said --\nand left"),
        ("one\n\ntwo", "one\ntwo"),
    ],
)
def test_an_authors_name_is_no_part_of_the_text(saying: str, text: str) -> None:
    assert cut_author(saying) == text
