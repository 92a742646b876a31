"""The trainer's benchmark: what it times are our own steps, and what it counts are labels alone."""

import json
from io import StringIO
from pathlib import Path

import pytest

from tweetbot_trainer_bench import material
from tweetbot_trainer_bench.clock import StepClock
from tweetbot_trainer_bench.contender import CONTENDERS
from tweetbot_trainer_bench.figures import (
    FIGURES,
    FIRST_STEP,
    IMPORTED,
    IMPORTS,
    LOADED,
    MARKS,
    TUNED,
    Round,
    summarize,
)
from tweetbot_trainer_bench.gpu import get_peak_flops
from tweetbot_trainer_bench.material import Shape, read_posts, write_material
from tweetbot_trainer_bench.ours import run_ours
from tweetbot_trainer_bench.render import render_section

TINY = Shape(1, 32, 2, 200, 64)
TINY_LLAMA = Shape(1, 32, 2, 200, 64, kv_heads=1, inner=64)


def test_posts_have_the_lengths_of_tweets(tmp_path: Path) -> None:
    write_material(tmp_path, TINY, posts=500)
    lengths = [len(post) for post in read_posts(tmp_path)]
    assert 20 < sum(lengths) / len(lengths) < 30
    assert all(0 <= one < TINY.end_mark for post in read_posts(tmp_path) for one in post)


def test_the_products_of_the_true_gpt2_are_six_for_each_weight() -> None:
    weights = 123_532_032 - 1024 * 768  # of the matrices, the head once, positions and biases apart
    assert material.SHAPES["gpt2"].count_flops_per_token() == pytest.approx(6 * weights, rel=0.01)


def test_frozen_weights_need_two_products_of_three() -> None:
    shape = material.SHAPES["gpt2"]
    assert shape.count_flops_per_token(frozen=True) * 3 == shape.count_flops_per_token() * 2


def test_the_products_of_a_llama_are_six_for_each_weight() -> None:
    weights = sum(p.numel() for name, p in TINY_LLAMA.create_model().named_parameters() if p.dim() == 2)
    assert TINY_LLAMA.count_flops_per_token() == 6 * weights


@pytest.mark.parametrize("shape", [TINY, TINY_LLAMA])
def test_ours_stops_after_its_steps_and_tells_how_it_started(
    shape: Shape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_material(tmp_path, shape, posts=600)
    clock, text = StepClock(warm_up=1), StringIO()
    run_ours(tmp_path, shape, 3, clock, precision="Auto")
    assert clock.steps == 3
    monkeypatch.setattr("sys.__stdout__", text)
    clock.print_figures()
    figures = json.loads(text.getvalue())
    assert 0 < figures[IMPORTS] <= figures[LOADED] < figures[FIRST_STEP]
    assert figures["precision"] == "FP32"


def test_the_first_steps_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, text = StepClock(warm_up=5), StringIO()
    for _ in range(8):
        clock.finish_step(7)
    monkeypatch.setattr("sys.__stdout__", text)
    clock.print_figures()
    figures = json.loads(text.getvalue())
    assert figures["labels"] == 7 * 3
    assert figures["tokens_per_second"] == figures["labels"] / figures["seconds"]


def a_round(**speeds: float) -> Round:
    """Return a round in which each contender, named by its first letter, has that speed and a tenth of it as start."""
    names = {"ours": "ours", "lora": "ours, LoRA", "a": "a stock Trainer", "b": "b packed"} | dict(
        zip("cde", TUNED[1:], strict=True)
    )
    figures = {
        names[name]: dict(zip(FIGURES, (speed, speed / 10, speed), strict=True)) for name, speed in speeds.items()
    }
    return {"machine": {"flops": 1e12}, **figures}


ROUNDS = [
    a_round(ours=300, lora=390, a=100, b=200, c=250, d=150, e=100),
    a_round(ours=100, lora=110, a=100, b=50, c=40, d=30, e=20),  # somebody else used the machine
    a_round(ours=330, lora=429, a=110, b=220, c=220, d=275, e=100),
]


def test_a_ratio_is_the_median_of_ratios_within_rounds() -> None:
    found = summarize("bench-mini", ROUNDS)
    assert found["ours_to_each"]["b packed"]["tokens_per_second"] == 1.5
    assert found["contenders"]["ours"]["tokens_per_second"] == 300


def test_marks_are_judged_against_the_best_of_each_round() -> None:
    found = {one["mark"]: one for one in summarize("bench-mini", ROUNDS)["marks"]}
    assert (found["speed, to stock"]["ratio"], found["speed, to stock"]["reached"]) == (3.0, True)
    assert (found["speed, to the best peer"]["ratio"], found["speed, to the best peer"]["reached"]) == (1.2, False)
    assert found["speed of LoRA, to our full"]["ratio"] == 1.3
    start = found["process start to first step, to stock"]
    assert (start["ratio"], start["reached"]) == (3.0, False)


def test_what_a_start_costs_has_a_table_and_marks_of_its_own() -> None:
    start = {IMPORTS: 2.0, IMPORTED: 560.0, LOADED: 2.2, FIRST_STEP: 2.5}
    slow = {IMPORTS: 5.0, IMPORTED: 800.0, LOADED: 5.4, FIRST_STEP: 10.0}
    (plain,) = ROUNDS[:1]
    found = summarize("bench-mini", [{**plain, "ours": {**plain["ours"], **start, "precision": "FP32"},
                                      "a stock Trainer": {**plain["a stock Trainer"], **slow}}])  # fmt: skip
    marks = {one["mark"]: (one["ratio"], one["reached"]) for one in found["marks"]}
    assert marks["processor seconds to first step, to stock"] == (0.25, True)
    assert marks["processor seconds of imports"] == (2.0, True)
    assert marks["memory after imports, MiB"] == (560.0, True)
    run = {"date": "2026-12-01", "commit": "abc", "machine": "one", "seconds": 90, "shapes": [found], "quality": None}
    assert "| a stock Trainer | 5.0 | 800 | 5.4 | 10.0 | 0.25 | FP32 |" in render_section(run)


def test_a_mark_without_its_contenders_is_left_out() -> None:
    found = summarize("bench-mini", [a_round(ours=3, b=2)])
    assert [one["mark"] for one in found["marks"]] == ["speed, to tuned packed"]


def test_the_share_of_the_limit_is_computed_from_products() -> None:
    found = summarize("gpt2", [a_round(ours=600, lora=900)])["contenders"]
    assert found["ours"]["share_of_matmul_limit"] == found["ours, LoRA"]["share_of_matmul_limit"] == 0.445


def test_a_gpu_is_measured_against_its_own_peak() -> None:
    rounds = [
        {"machine": {"flops": 1e12}, "ours, GPU": {**a_round(a=1e5)["a stock Trainer"], "gpu": "NVIDIA H100 80GB"}}
    ]
    assert summarize("gpt2", rounds)["contenders"]["ours, GPU"]["mfu"] == pytest.approx(0.075, abs=0.001)
    assert [get_peak_flops(name) for name in ("NVIDIA L4", "NVIDIA L40S", "Another", None)] == [
        121e12,
        362e12,
        None,
        None,
    ]


def test_every_mark_names_contenders_and_shapes_that_are_there() -> None:
    assert {mark.shape for mark in MARKS} <= material.SHAPES.keys()
    assert {name for mark in MARKS for name in (mark.contender, *mark.others)} <= CONTENDERS.keys()


def test_the_page_gets_every_contender_and_mark() -> None:
    shapes = [summarize("bench-mini", ROUNDS)]
    recipes = {"tweetbot": {"bitsPerByte": 1.5, "bitsToStock": 0.97, "verbatimRate": 0.01}}
    run = {"date": "2026-11-27", "commit": "abc", "machine": "one", "seconds": 90, "shapes": shapes, "quality": recipes}
    section = render_section(run)
    assert "| b packed | 200 | 1.50 |" in section
    assert "| speed, to stock | 2.31 | 3.00 | yes |" in section
    assert "| tweetbot | 1.500 | 0.97 | 0.01 |" in section
