"""The number format of the products is the faster one, by measurement. No time is read here: clocks are fakes."""

import math
from collections.abc import Iterator

import pytest
import torch

from tweetbot_trainer.learning.training.device import select_device
from tweetbot_trainer.learning.training.precision import (
    BUDGET,
    CLEARLY_FASTER,
    FEWEST_ROUNDS,
    WIDE_CHANNELS,
    DeviceType,
    ProductSeconds,
    measure_product,
    time_formats,
)


class Machine:
    """A machine whose products take `seconds`, float32 and bfloat16 in turns, and which sees only them pass."""

    def __init__(self, seconds: Iterator[float]) -> None:
        self._seconds, self.now, self.formats = seconds, 0.0, list[bool]()

    def multiply(self, bf16: bool) -> None:
        self.formats.append(bf16)
        self.now += next(self._seconds)

    def time(self) -> ProductSeconds:
        return time_formats(self.multiply, clock=lambda: self.now)


def test_the_shortest_time_of_each_format_counts_and_the_first_round_does_not() -> None:
    machine = Machine(iter([0.001, 0.001, 0.5, 0.25, 0.125, 0.5, 0.25, 0.75]))
    assert machine.time() == ProductSeconds(fp32=0.125, bf16=0.25)


def test_the_formats_take_turns_so_that_other_work_slows_both() -> None:
    machine = Machine(iter([BUDGET] * 100))
    machine.time()
    assert machine.formats == [False, True] * (1 + FEWEST_ROUNDS)


def test_short_products_are_repeated_until_the_budget_is_spent() -> None:
    product = 1 / 1024
    machine = Machine(iter([product] * 1000))
    machine.time()
    assert machine.formats == [False, True] * (1 + math.ceil(BUDGET / (2 * product)))


@pytest.mark.parametrize(
    ("fp32", "bf16", "faster"), [(2.0, 1.0, True), (CLEARLY_FASTER, 1.0, True), (1.0, 1.0, False), (1.0, 49.0, False)]
)
def test_a_tie_is_float32(fp32: float, bf16: float, faster: bool) -> None:
    assert ProductSeconds(fp32, bf16).favors_bf16 is faster


def test_a_processor_with_bfloat16_that_is_slower_by_it_computes_in_float32() -> None:
    """A Xeon with avx512_bf16 and no AMX: the flag is there, and a step takes 1.4 to 1.8 times as long."""
    slower = ProductSeconds(fp32=0.0076, bf16=0.0137)
    device = select_device("Auto", gpu=False, channels=768, measure=lambda *_: slower)
    assert (device.precision, device.products) == ("FP32", slower)


def test_a_processor_that_is_faster_by_bfloat16_uses_it() -> None:
    faster = ProductSeconds(fp32=0.012, bf16=0.006)
    device = select_device("Auto", gpu=False, channels=768, measure=lambda *_: faster)
    assert (device.precision, device.products) == ("BF16", faster)


def test_the_product_is_of_the_models_own_width_on_the_device_that_trains() -> None:
    asked = list[tuple[DeviceType, int]]()

    def measure(device_type: DeviceType, channels: int) -> ProductSeconds:
        asked.append((device_type, channels))
        return ProductSeconds(1.0, 1.0)

    select_device("Auto", gpu=False, channels=1024, measure=measure)
    assert asked == [("cpu", 1024)]


@pytest.mark.parametrize(
    ("precision", "channels", "chosen"),
    [("BF16", 768, "BF16"), ("FP32", 768, "FP32"), ("BF16", 128, "BF16"), ("Auto", WIDE_CHANNELS - 1, "FP32")],
)
def test_what_the_spec_says_and_narrow_models_are_not_measured(precision: str, channels: int, chosen: str) -> None:
    def refuse(*_: object) -> ProductSeconds:
        raise AssertionError("it was measured")

    device = select_device(precision, gpu=False, channels=channels, measure=refuse)  # type: ignore[arg-type]
    assert (device.precision, device.products) == (chosen, None)


@pytest.mark.parametrize(("native", "chosen"), [(True, "BF16"), (False, "FP32")])
def test_a_gpu_is_measured_if_it_computes_bfloat16_itself(
    monkeypatch: pytest.MonkeyPatch, native: bool, chosen: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    device = select_device("Auto", gpu=True, channels=768, measure=lambda *_: ProductSeconds(2.0, 1.0))
    assert (device.device_type, device.name, device.precision) == ("cuda", "a GPU", chosen)


def test_a_measurement_times_both_formats_and_draws_no_random_number() -> None:
    before = torch.get_rng_state()
    found = measure_product("cpu", 32)
    assert min(found.fp32, found.bf16) > 0
    assert torch.equal(torch.get_rng_state(), before)
