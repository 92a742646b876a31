"""What a process may compute with."""

import pytest

from tweetbot_trainer.learning.training.device import (
    allowed_threads,
    chosen_processor,
    computes_bf16,
    cpu_name,
    quota_cpus,
)

X86 = "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu sse2 avx2 avx512_bf16 vaes\n"
OLD = "processor\t: 0\nmodel name\t: Old One\nflags\t\t: fpu sse2 avx2 avx512f\nbugs\t\t: bf16\n"


def test_bfloat16_needs_its_instructions() -> None:
    assert computes_bf16(X86)
    assert computes_bf16("Features\t: fp asimd bf16 i8mm\n")
    assert not computes_bf16(OLD)
    assert not computes_bf16("")


def test_the_processor_has_a_name() -> None:
    assert [cpu_name(X86), cpu_name("")] == ["AMD EPYC", "unknown"]


@pytest.mark.parametrize(
    ("texts", "cpus"),
    [(("150000 100000", ""), 1.5), (("max 100000", "200000 100000"), 2.0), (("", "50000 100000"), 0.5)],
)
def test_the_containers_quota_counts(texts: tuple[str, str], cpus: float) -> None:
    assert quota_cpus(*texts) == cpus


def test_no_quota_leaves_all_processors() -> None:
    assert quota_cpus("max 100000", "-1 100000", " ") >= 1


def test_an_operators_word_on_threads_wins() -> None:
    assert allowed_threads({"OMP_NUM_THREADS": "7"}, channels=128) == 7
    assert allowed_threads({"OMP_NUM_THREADS": "0"}, channels=768) >= 1


def test_a_small_model_computes_on_one_thread() -> None:
    assert allowed_threads({}, channels=128) == 1


def test_a_small_model_on_a_cpu_stays_in_float32() -> None:
    assert chosen_processor("Auto", gpu=False, channels=128).precision == "FP32"


def test_asked_for_precision_is_used() -> None:
    assert chosen_processor("BF16", gpu=False, channels=128).precision == "BF16"
    assert chosen_processor("FP32", gpu=False, channels=4096).precision == "FP32"
