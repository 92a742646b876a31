"""Whether torch can use the GPU that a training asked for, and why not: image, driver, device file, the GPU itself."""

from pathlib import Path

import torch

from tweetbot_contract import reasons
from tweetbot_contract.spec.scheduling import Gpu
from tweetbot_trainer.runtime.errors import SpecRefused, TemporaryError

#: Where the device files of a vendor's GPUs lie, by the domain of its extended resources.
_DEVICE_FILES = {"nvidia.com": "nvidia[0-9]*", "amd.com": "kfd"}
_ON_THE_CPU = "or set spec.resources.gpu.count to 0 to train on the CPU"
#: Characters of torch's own words in our message.
_SAID_LENGTH = 300


def require_gpu(gpu: Gpu, devices: Path = Path("/dev")) -> None:
    """Compute once on the GPU, if the spec asks for one, so that no training holds a GPU that it cannot use.

    Raises SpecRefused (AcceleratorUnusable) if the image's torch can use no GPU of this kind, TemporaryError with the
    same reason if that of another node may work.
    """
    if gpu.count == 0:
        return
    built_for, vendor = _describe_build(), gpu.resource.partition("/")[0]
    asked = f"The training asked for {gpu.resource}, and the image's torch {torch.__version__} is built for {built_for}"
    if _is_other_build(vendor):
        advice = f"have the operator's setting trainerImage changed to an image for that GPU, {_ON_THE_CPU}"
        raise SpecRefused(reasons.ACCELERATOR_UNUSABLE, f"{asked}: {advice}")
    words = _try_gpu() or _count_gpus(gpu.count)
    if words:
        advice = f"{_advise(words, vendor, devices)}, {_ON_THE_CPU}"
        raise TemporaryError(reasons.ACCELERATOR_UNUSABLE, f"{asked} and says: {words}. On this node, {advice}.")


def _describe_build() -> str:
    if torch.version.cuda:
        return f"NVIDIA (CUDA {torch.version.cuda})"
    if torch.version.hip:
        return f"AMD (ROCm {torch.version.hip})"
    return "CPUs alone"


def _is_other_build(vendor: str) -> bool:
    """Tell whether torch has no GPU support at all, or that of another vendor."""
    builds = {"nvidia.com": torch.version.cuda, "amd.com": torch.version.hip}
    return not builds.get(vendor, torch.version.cuda or torch.version.hip)


def _try_gpu() -> str:
    """Return torch's words if a small product fails on the GPU; empty if it succeeds."""
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
        square = torch.ones((8, 8), device="cuda")
        (square @ square).sum().item()
    except (RuntimeError, AssertionError) as error:
        return " ".join(str(error).split())[:_SAID_LENGTH].rstrip(".") or type(error).__name__
    return ""


def _count_gpus(wanted: int) -> str:
    found = torch.cuda.device_count()
    return f"it finds {found} GPUs of {wanted}" if found < wanted else ""


def _advise(words: str, vendor: str, devices: Path) -> str:
    pattern = _DEVICE_FILES.get(vendor)
    if "too old" in words:
        return "have the driver updated"
    if "no kernel image" in words:
        return "have the GPU replaced by one that this build of torch supports"
    if pattern and not any(devices.glob(pattern)):
        return f"the Pod has no /dev/{pattern}: have the device plugin mended, or set scheduling.runtimeClassName"
    return "have the driver and the GPU checked"
