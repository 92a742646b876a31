"""The trainer's benchmark: what it times are our own steps, and what it counts are labels alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tweetbot_trainer_bench import material
from tweetbot_trainer_bench.clock import WARM_UP
from tweetbot_trainer_bench.material import Shape, read_posts, write_material
from tweetbot_trainer_bench.ours import ours

TINY = Shape(1, 32, 2, 200, 64)


def test_posts_have_the_lengths_of_tweets(tmp_path: Path) -> None:
    write_material(tmp_path, TINY, posts=500)
    lengths = [len(post) for post in read_posts(tmp_path)]
    assert 20 < sum(lengths) / len(lengths) < 30
    assert all(0 <= one < TINY.end_mark for post in read_posts(tmp_path) for one in post)


def test_the_products_of_the_true_gpt2_are_six_for_each_weight() -> None:
    weights = 123_532_032 - 1024 * 768  # of the matrices, the head once, positions and biases apart
    assert material.SHAPES["gpt2"].flops_per_token() == pytest.approx(6 * weights, rel=0.01)


def test_ours_stops_after_its_steps(tmp_path: Path) -> None:
    write_material(tmp_path, TINY, posts=600)
    assert ours(tmp_path, TINY, steps=WARM_UP + 2).steps == WARM_UP + 2


def test_the_first_steps_are_not_counted() -> None:
    code = "from tweetbot_trainer_bench.clock import StepClock as S; c = S(); [c.step(7) for _ in range(8)]; c.tell()"
    told = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, stdout=subprocess.PIPE)
    assert json.loads(told.stdout)["labels"] == 7 * (8 - WARM_UP)
