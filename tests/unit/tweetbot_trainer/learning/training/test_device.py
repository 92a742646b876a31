"""What a process may compute with."""

import pytest

from tweetbot_trainer.learning.training.device import (
    count_threads,
    parse_cpu_name,
    parse_cpu_quota,
)

X86 = "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu sse2 avx2 avx512_bf16 vaes\n"


def test_the_processor_has_a_name() -> None:
    assert [parse_cpu_name(X86), parse_cpu_name("")] == ["AMD EPYC", "unknown"]


@pytest.mark.parametrize(
    ("texts", "cpus"),
    [(("150000 100000", ""), 1.5), (("max 100000", "200000 100000"), 2.0), (("", "50000 100000"), 0.5)],
)
def test_the_containers_quota_counts(texts: tuple[str, str], cpus: float) -> None:
    assert parse_cpu_quota(*texts) == cpus


def test_no_quota_leaves_all_processors() -> None:
    assert parse_cpu_quota("max 100000", "-1 100000", " ") >= 1


def test_an_operators_word_on_threads_wins() -> None:
    assert count_threads({"OMP_NUM_THREADS": "7"}, channels=128) == 7
    assert count_threads({"OMP_NUM_THREADS": "0"}, channels=768) >= 1


def test_a_small_model_computes_on_one_thread() -> None:
    assert count_threads({}, channels=128) == 1
