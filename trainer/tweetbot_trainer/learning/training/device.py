"""What this process computes with: threads, CPU or GPU, and number format."""

import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import torch

from tweetbot_trainer.learning.training.precision import (
    WIDE_CHANNELS,
    DeviceType,
    Precision,
    ProductSeconds,
    measure_product,
)
from tweetbot_trainer.learning.training.ranks import Ranks

#: Steps with fewer channels are too short to share: two threads wait for each other longer than they compute, and worse
#: where other processes want the cores (128: 8,400 tokens per second on one thread beside other work, 4,400 on two,
#: 10,500 on two alone).
SHARED_CHANNELS = 256
_CPUINFO = Path("/proc/cpuinfo")
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Device:
    """What a run computes with, all of which must be the same for the same bits; `name` is the processor's model.

    `ranks` is its place among the processes that train together. `products` are the times by which the format was
    chosen, or None if the spec names it or the model is narrow.
    """

    device_type: DeviceType
    name: str
    threads: int
    bf16: bool
    products: ProductSeconds | None = None
    ranks: Ranks = field(default_factory=Ranks)

    @property
    def precision(self) -> Precision:
        """Return the format of the matrix products."""
        return "BF16" if self.bf16 else "FP32"


def select_device(
    precision: Literal["Auto", "FP32", "BF16"],
    *,
    gpu: bool,
    channels: int,
    measure: Callable[[DeviceType, int], ProductSeconds] = measure_product,
) -> Device:
    """Select the GPU if the run may use one and torch sees it, else the CPU; set torch's thread count.

    Auto is BF16 where `measure` finds it clearly faster for a model with this many channels, else FP32.
    """
    threads = count_threads(os.environ, channels)
    torch.set_num_threads(threads)
    if gpu and torch.cuda.is_available():
        device = Device("cuda", torch.cuda.get_device_name(), threads, bf16=precision == "BF16")
    else:
        device = Device("cpu", parse_cpu_name(_read(_CPUINFO)), threads, bf16=precision == "BF16")
    if precision != "Auto" or channels < WIDE_CHANNELS or _is_gpu_without_bf16(device):
        return device
    products = measure(device.device_type, channels)
    return replace(device, bf16=products.favors_bf16, products=products)


def use_threads_for(channels: Iterable[int]) -> None:
    """Set torch's thread count as suits the widest of models with this many channels."""
    torch.set_num_threads(count_threads(os.environ, max(channels)))


def _is_gpu_without_bf16(device: Device) -> bool:
    return device.device_type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)


def parse_cpu_name(cpuinfo: str) -> str:
    """Return the CPU's model name from the text of /proc/cpuinfo."""
    lines = (line.partition(":") for line in cpuinfo.splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == "model name"), "unknown")


def count_threads(environ: Mapping[str, str], channels: int) -> int:
    """Return OMP_NUM_THREADS if set, 1 for a small model, else what CPU affinity and the container's quota allow."""
    if (asked := environ.get("OMP_NUM_THREADS", "")).isdigit() and int(asked) > 0:
        return int(asked)
    if channels < SHARED_CHANNELS:
        return 1
    quota = parse_cpu_quota(_read(_CGROUP / "cpu.max"), _read_v1_quota())
    return max(1, min(len(os.sched_getaffinity(0)), math.ceil(quota)))


def parse_cpu_quota(*texts: str) -> float:
    """Return the smallest quota, in CPUs, of texts in the format of cgroup v2's cpu.max (`quota period`).

    Without any it is the machine's CPU count.
    """
    pairs = [text.split() for text in texts]
    limits = [int(pair[0]) / int(pair[1]) for pair in pairs if len(pair) == 2 and all(map(str.isdigit, pair))]
    return min((limit for limit in limits if limit > 0), default=float(os.cpu_count() or 1))


def _read_v1_quota() -> str:
    folder = _CGROUP / "cpu"
    return f"{_read(folder / 'cpu.cfs_quota_us').strip()} {_read(folder / 'cpu.cfs_period_us').strip()}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
