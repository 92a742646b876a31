"""Which number format the matrix products of a training have: the one that a measurement shows to be faster.

Processor flags do not tell: with avx512_bf16 but without AMX, bfloat16 may take twice the time of float32, or half
(docs/decisions/0057).
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

import torch

Precision = Literal["FP32", "BF16"]
DeviceType = Literal["cpu", "cuda"]

#: Narrower models are not measured and stay in float32, so that their weights are the same everywhere. Their products
#: gain less than what lies between these loses by conversion (128 channels on an AMD EPYC with avx512_bf16: the
#: product is 1.6 times as fast in bfloat16, the whole step 0.75 times).
WIDE_CHANNELS = 512
#: bfloat16 must be this many times as fast: in a tie, float32 is the more exact one.
CLEARLY_FASTER = 1.15
#: Seconds that a measurement lasts, unless this many rounds take longer.
BUDGET, FEWEST_ROUNDS = 0.05, 3
#: Rows of the measured product: few on a CPU, for the sake of BUDGET; on a GPU more, or its launch would be measured.
ROWS: dict[DeviceType, int] = {"cpu": 128, "cuda": 1024}


@dataclass(frozen=True, slots=True)
class ProductSeconds:
    """How many seconds one product of the model's shape takes in each format, with its gradients and conversions."""

    fp32: float
    bf16: float

    @property
    def favors_bf16(self) -> bool:
        """Whether bfloat16 is clearly faster."""
        return self.fp32 >= CLEARLY_FASTER * self.bf16

    def as_json(self) -> dict[str, float]:
        """Return the seconds by format, to three digits, under the names of spec.training.precision."""
        return {name.upper(): float(f"{seconds:.3g}") for name, seconds in asdict(self).items()}


def measure_product(device_type: DeviceType, channels: int) -> ProductSeconds:
    """Time the widest product of a GPT-2 block with this many channels, [rows, channels] x [channels, 4 channels].

    Takes about BUDGET seconds, longer where a processor emulates bfloat16. Draws no random numbers.
    """
    x = torch.ones(ROWS[device_type], channels, device=device_type, requires_grad=True)
    weights = torch.ones(channels, 4 * channels, device=device_type, requires_grad=True)

    def multiply(bf16: bool) -> None:
        with torch.autocast(device_type, dtype=torch.bfloat16, enabled=bf16):
            product = x @ weights
        torch.autograd.grad(product, (x, weights), torch.ones_like(product))
        if device_type == "cuda":
            torch.cuda.synchronize()

    return time_formats(multiply)


def time_formats(multiply: Callable[[bool], None], clock: Callable[[], float] = time.perf_counter) -> ProductSeconds:
    """Return the shortest time of `multiply` in float32 (False) and in bfloat16 (True), in seconds.

    Both take turns, so that what else the machine does slows both; a first round, which loads kernels, does not count.
    """
    multiply(False)
    multiply(True)
    times: dict[bool, list[float]] = {False: [], True: []}
    begun = clock()
    while len(times[True]) < FEWEST_ROUNDS or clock() - begun < BUDGET:
        for bf16, found in times.items():
            start = clock()
            multiply(bf16)
            found.append(clock() - start)
    return ProductSeconds(min(times[False]), min(times[True]))
