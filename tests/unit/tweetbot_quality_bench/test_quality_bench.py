"""The quality benchmark: every recipe begins from one base and reads as much, and what counts are ratios."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders.model import a_saved_base, posts_of, some_texts
from tweetbot_quality_bench.contest import OURS, RECIPES, STOCK, Task, resolve_values, run_task
from tweetbot_quality_bench.render import render_section
from tweetbot_quality_bench.verdict import compare_recipes

POSTS = tuple(posts_of(some_texts(120)))


def a_task(recipe: str, **changes: Any) -> Task:
    values = replace(resolve_values(recipe), early_stopping=False)
    return replace(Task(recipe, "cat", POSTS, values, rates=(1e-3,), texts=0), **changes)


def a_result(recipe: str, account: str, bits: float, verbatim: float) -> dict[str, Any]:
    return {
        "recipe": recipe,
        "account": account,
        "bitsPerByte": bits,
        "validation": {"0.001": bits, "0.01": bits + 1},
        "verbatimRate": verbatim,
    }


def told(*ours: tuple[float, float], stock: tuple[tuple[float, float], ...]) -> dict[str, Any]:
    results = [
        a_result(recipe, str(account), *figures)
        for recipe, each in ((STOCK, stock), (OURS, ours))
        for account, figures in enumerate(each)
    ]
    found: dict[str, Any] = compare_recipes(results)["recipes"][OURS]
    return found


def test_bits_are_compared_account_by_account() -> None:
    found = told((1.0, 0.0), (4.0, 0.0), stock=((2.0, 0.0), (2.0, 0.0)))
    assert (found["bitsPerByte"], found["bitsToStock"], found["bitsMark"]) == (2.0, 1.0, False)
    assert told((1.96, 0.0), stock=((2.0, 0.0),))["bitsMark"] is True


@pytest.mark.parametrize(
    ("ours", "stock", "limit", "reached"),
    [(0.02, 0.1, 0.02, True), (0.021, 0.1, 0.02, False), (0.025, 0.016, 0.026, True), (0.03, 0.016, 0.026, False)],
)
def test_verbatim_is_a_share_of_stocks_or_a_point_above_a_small_one(
    ours: float, stock: float, limit: float, reached: bool
) -> None:
    found = told((2.0, ours), stock=((2.0, stock),))
    assert (found["verbatimLimit"], found["verbatimMark"]) == (limit, reached)


def test_all_recipes_read_as_many_label_tokens(tmp_path: Path) -> None:
    folder = a_saved_base(tmp_path / "base")
    stock, ours, adapters = (run_task(a_task(recipe), folder)["labelTokens"] for recipe in RECIPES)
    assert stock <= ours == adapters <= stock * 64 / 63 + 64


def test_the_rate_with_the_lowest_validation_loss_is_taken(tmp_path: Path) -> None:
    found = run_task(a_task(OURS, rates=(1e-9, 3e-3, 1e30)), a_saved_base(tmp_path / "base"))
    assert list(found["validation"]) == ["1e-09", "0.003"], "a rate without a loss counts for nothing"
    assert found["rate"] == 0.003 == float(min(found["validation"], key=found["validation"].get))
    assert found["bitsPerByte"] < found["baseBitsPerByte"]


def test_no_way_from_the_base_is_the_base(tmp_path: Path) -> None:
    found = run_task(a_task(OURS, shares=(0.0,)), a_saved_base(tmp_path / "base"))
    assert found["bitsPerByte"] == pytest.approx(found["baseBitsPerByte"], abs=1e-4)


def test_the_table_tells_which_marks_were_reached() -> None:
    results = [
        a_result(recipe, "cat", bits, 0.01)
        | {"rate": 1e-3, "labelTokens": 1000, "baseBitsPerByte": 3.0, "verbatimRateSized": 0.0, "verbatimRateUnseen": 0}
        for recipe, bits in ((STOCK, 2.0), (OURS, 1.9))
    ]
    run = {"date": "D", "commit": "C", "machine": "M", "seconds": 1, "results": results, **compare_recipes(results)}
    lines = render_section(run).splitlines()
    assert "| huggingtweets | 2.000 | – | 1.0% | – |" in lines
    assert "| tweetbot | 1.900 | 0.950 (reached) | 1.0% | 2.0% (reached) |" in lines
    assert "| cat | tweetbot | 0.001 | 1,000 | 1.900 | 3.000 | 1.0% | 0.0% | 0.0% |" in lines
