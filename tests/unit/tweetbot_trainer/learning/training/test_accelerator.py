"""A GPU that torch cannot use: permanent if it is the image's fault, else for another node to try."""

from pathlib import Path

import pytest
import torch

from tweetbot_contract.spec.scheduling import Gpu
from tweetbot_trainer.learning.training.accelerator import require_gpu
from tweetbot_trainer.runtime.errors import SpecRefused, TemporaryError

#: What torch says, by what is wrong.
NO_DRIVER = "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver"
OLD_DRIVER = "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver"
NO_DEVICE = "No CUDA GPUs are available"
OLD_GPU = "CUDA error: no kernel image is available for execution on the device\nCUDA kernel errors might be reported"


def built_for(monkeypatch: pytest.MonkeyPatch, *, cuda: str | None = None, hip: str | None = None) -> None:
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.version, "hip", hip)


def saying(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    def init() -> None:
        raise RuntimeError(words)

    monkeypatch.setattr(torch.cuda, "init", init)


@pytest.mark.parametrize(
    ("resource", "cuda", "hip", "words"),
    [
        ("nvidia.com/gpu", None, None, "nvidia.com/gpu, and the image's torch .* is built for CPUs alone"),
        ("nvidia.com/mig-1g.5gb", None, "6.4", r"built for AMD \(ROCm 6\.4\)"),
        ("amd.com/gpu", "13.2", None, r"built for NVIDIA \(CUDA 13\.2\)"),
        ("example.com/gpu", None, None, "built for CPUs alone"),
    ],
)
def test_an_image_that_can_use_no_such_gpu_is_refused_for_good(
    monkeypatch: pytest.MonkeyPatch, resource: str, cuda: str | None, hip: str | None, words: str
) -> None:
    built_for(monkeypatch, cuda=cuda, hip=hip)
    with pytest.raises(SpecRefused, match=f"AcceleratorUnusable: .*{words}.*trainerImage.*resources.gpu.count to 0"):
        require_gpu(Gpu(resource=resource))


@pytest.mark.parametrize(
    ("said", "files", "advice"),
    [
        (NO_DRIVER, (), "the Pod has no /dev/nvidia.*: have the device plugin mended"),
        (OLD_DRIVER, ("nvidia0",), "have the driver updated"),
        (NO_DEVICE, ("nvidiactl",), "the Pod has no /dev/nvidia"),
        (OLD_GPU, ("nvidia0",), "have the GPU replaced"),
        ("CUDA error: uncorrectable ECC error encountered", ("nvidia0",), "have the driver and the GPU checked"),
    ],
)
def test_a_gpu_that_fails_on_this_node_is_tried_again_with_torchs_own_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, files: tuple[str, ...], advice: str
) -> None:
    built_for(monkeypatch, cuda="13.2")
    saying(monkeypatch, said)
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(TemporaryError, match=f"AcceleratorUnusable: .*{advice}.*resources.gpu.count to 0") as failure:
        require_gpu(Gpu(), tmp_path)
    assert " ".join(said.split()).rstrip(".") in failure.value.message


def test_a_gpu_of_another_make_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    built_for(monkeypatch, cuda="13.2")
    saying(monkeypatch, NO_DEVICE)
    with pytest.raises(TemporaryError, match="have the driver and the GPU checked"):
        require_gpu(Gpu(resource="example.com/gpu"))


def with_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    ones = torch.ones
    built_for(monkeypatch, cuda="13.2")
    monkeypatch.setattr(torch.cuda, "init", lambda: None)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch, "ones", lambda shape, device: ones(shape))


def test_a_gpu_that_computes_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(monkeypatch, 1)
    require_gpu(Gpu())


def test_fewer_gpus_than_asked_for_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(monkeypatch, 2)
    with pytest.raises(TemporaryError, match=r"AcceleratorUnusable: .* says: it finds 2 GPUs of 4\."):
        require_gpu(Gpu(count=4))


def test_a_training_on_the_cpu_asks_for_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    built_for(monkeypatch)
    require_gpu(Gpu(count=0))
