"""The quality benchmark: every recipe begins from one base and reads as much, and what counts are ratios."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders.model import a_saved_base, posts_of, some_texts
from tweetbot_quality_bench.__main__ import parse_arguments
from tweetbot_quality_bench.base import FAMILIES, SHAPE, build_config
from tweetbot_quality_bench.contest import OURS, RECIPES, STOCK, Task, resolve_values, run_task
from tweetbot_quality_bench.render import render_section
from tweetbot_quality_bench.small import PEOPLE, SCRATCH, SIZES, UNSEEN, make_small_tasks, summarize_sizes
from tweetbot_quality_bench.texts import GULL, Texts
from tweetbot_quality_bench.verdict import compare_recipes
from tweetbot_trainer.learning.decoder.configs import build_shape
from tweetbot_trainer.learning.model.scratch import draw_model

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
    assert "| cat | tweetbot | 0.001 | 1,000 | 1.900 | 3.000 | 1.0% | 0.0% | 0.0% | – |" in lines


def small_tasks(**changes: Any) -> list[Task]:
    return list(make_small_tasks(Texts((), {"cat": POSTS}), ["cat"], [20, 50, 500], samples=0, **changes))


def test_an_account_is_cut_to_each_size_and_measured_on_the_same_newest_posts() -> None:
    tasks = small_tasks(contenders=[OURS])
    assert [len(task.posts) for task in tasks] == [20, 50, len(POSTS) - UNSEEN]
    assert {task.unseen for task in tasks} == {POSTS[-UNSEEN:]}
    assert all(not set(task.posts) & set(task.unseen) for task in tasks)


def test_a_small_account_is_learned_by_the_defaults_for_its_size() -> None:
    posts = tuple(posts_of(some_texts(700)))
    tasks = list(make_small_tasks(Texts((), {"cat": posts}), ["cat"], [150, 600], contenders=[SCRATCH]))
    assert [task.values for task in tasks] == [resolve_values(OURS, SCRATCH, posts=size) for size in (150, 600)]
    assert tasks[0].rates == (tasks[0].values.learning_rate,)


def test_changes_are_contenders_of_their_own() -> None:
    tasks = small_tasks(contenders=[OURS], changes=[{}, {"epochs": 8}])
    assert [(task.recipe, task.values.epochs) for task in tasks[:2]] == [("tweetbot", 4), ("tweetbot epochs=8", 8)]


def test_a_small_account_is_measured_on_its_unseen_posts(tmp_path: Path) -> None:
    task = replace(small_tasks(contenders=[OURS])[1], rates=(1e-3,))
    found = run_task(task, a_saved_base(tmp_path / "base"))
    assert (found["size"], found["account"]) == (50, "cat")
    assert found["bitsPerByte"] < found["baseBitsPerByte"]


def a_size(account: str, bits: float, base: float | None, **more: Any) -> dict[str, Any]:
    return {
        **a_result(OURS, account, bits, 0.02),
        **{"size": 50, "baseBitsPerByte": base, "verbatimRateUnseen": 0.01, "bestEpoch": 3, "steps": 8, "seconds": 2.0},
        **more,
    }


def test_sizes_are_averaged_over_the_accounts_of_people_and_apart_for_the_grammar() -> None:
    cat, dog, gull = a_size("cat", 1.0, 2.0), a_size("dog", 4.0, 2.0, bestEpoch=4), a_size(GULL, 0.5, None)
    people, grammar = summarize_sizes([cat, gull, dog])
    assert (people["account"], people["bitsPerByte"], people["bitsToBase"], people["bestEpoch"]) == (PEOPLE, 2, 1, 3.5)
    assert (grammar["account"], grammar["bitsPerByte"]) == (GULL, 0.5)
    assert "bitsToBase" not in grammar


@pytest.mark.parametrize(("style", "cell"), [({"styleScore": None}, "–"), ({"styleScore": 0.7}, "0.70")])
def test_the_table_of_sizes_has_the_style_where_it_was_measured(style: dict[str, float | None], cell: str) -> None:
    sizes = summarize_sizes([a_size("cat", 1.9, 2.0, **style)])
    run = {"date": "D", "commit": "C", "machine": "M", "seconds": 1, "results": [], "recipes": {}}
    lines = render_section({**run, "small": {"sizes": sizes}}).splitlines()
    assert f"| 50 | {PEOPLE} | tweetbot | 1.900 | 0.950 | 2.0% | 1.0% | {cell} | 3.0 | 8 | 2.0 |" in lines


@pytest.mark.parametrize(
    ("arguments", "sizes"),
    [([], SIZES), (["--scratch"], ()), (["--set", "epochs=8"], ()), (["--set", "epochs=8", "--sizes", "50"], [50])],
)
def test_experiments_learn_small_accounts_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], sizes: list[int]
) -> None:
    monkeypatch.setattr("sys.argv", ["make", *arguments])
    assert parse_arguments().sizes == sizes


def test_a_llama_for_the_contest_is_as_large_as_the_gpt2_and_has_no_dropout() -> None:
    gpt2, llama = (build_shape(build_config(family, 1024)) for family in FAMILIES)
    positions = SHAPE.context * SHAPE.channels
    assert llama.weights == pytest.approx(gpt2.weights - positions, rel=0.01)
    assert draw_model(build_config("llama", 1024), seed=1).config.context == SHAPE.context
    assert [resolve_values(OURS, family=family).dropout for family in FAMILIES] == [0.1, 0.0]
