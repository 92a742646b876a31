"""Trains in several processes, one for each GPU: starts those beside this one, and ends them with it.

They get all they need from this process, and neither read nor write anything. torchrun's agent does not start them:
it takes SIGTERM for itself, which asks a stage for a checkpoint, and restarts what a Job restarts (decision 95).
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import torch
from torch.distributed import TCPStore, destroy_process_group, init_process_group, is_initialized  # type: ignore[attr-defined]
from torch.multiprocessing.spawn import ProcessException, start_processes

from tweetbot_contract import reasons
from tweetbot_trainer.learning.batches.examples import Example
from tweetbot_trainer.learning.decoder.build import build_decoder
from tweetbot_trainer.learning.decoder.configs import DecoderConfig
from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.training.callbacks import Callbacks, TrainOutput
from tweetbot_trainer.learning.training.device import Device
from tweetbot_trainer.learning.training.loop import train
from tweetbot_trainer.learning.training.lora import attach_adapters
from tweetbot_trainer.learning.training.ranks import Ranks
from tweetbot_trainer.learning.values import Hyperparameters
from tweetbot_trainer.runtime.errors import StageError, TemporaryError

#: How long a process waits for another: this one may read or write a checkpoint meanwhile.
PATIENCE = timedelta(minutes=10)
_LOOPBACK = "127.0.0.1"
#: All processes are in one Pod: they meet on loopback, and a Pod's /dev/shm is too small for NCCL's buffers.
_VARIABLES = {"GLOO_SOCKET_IFNAME": "lo", "NCCL_SOCKET_IFNAME": "lo", "NCCL_SHM_DISABLE": "1"}


@dataclass(frozen=True, slots=True)
class Work:
    """What every process of a training has before it begins; the weights come from the first."""

    config: DecoderConfig
    recompute: bool
    examples: Sequence[Example]
    validation: Sequence[Example]
    values: Hyperparameters
    device: Device
    stop_early: bool

    def train(self, model: Decoder, ranks: Ranks, callbacks: Callbacks) -> TrainOutput:
        """Train the model at this place among the processes. Raises as training.loop.train."""
        return train(
            model,
            self.examples,
            self.validation,
            self.values,
            device=replace(self.device, ranks=ranks),
            callbacks=callbacks,
            stop_early=self.stop_early,
        )


def train_together(model: Decoder, work: Work, callbacks: Callbacks, processes: int) -> TrainOutput:
    """Train the model in this process and, if there are to be several, in others that it starts.

    Raises as training.loop.train; TemporaryError (AcceleratorUnusable) if another process has ended before.
    """
    if processes == 1:
        return work.train(model, Ranks(), callbacks)
    with _start_others(work, processes) as ranks:
        return work.train(model, ranks, callbacks)


@contextmanager
def _start_others(work: Work, size: int) -> Iterator[Ranks]:
    os.environ.update({name: os.environ.get(name, value) for name, value in _VARIABLES.items()})
    store = TCPStore(_LOOPBACK, 0, size, is_master=True, wait_for_workers=False)
    arguments = (work, size, store.port)
    others = start_processes(  # type: ignore[no-untyped-call]
        _follow, arguments, nprocs=size - 1, join=False, start_method="spawn"
    )
    try:
        while not store.check([f"ready/{rank}" for rank in range(1, size)]):
            others.join(timeout=0.05)  # raises if one has ended
        _join(work.device, store, Ranks(0, size))
        yield Ranks(0, size)
    except (RuntimeError, ProcessException) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        text = f"of {size} processes that train together one has ended: {' '.join(str(error).split())[:200]}"
        raise TemporaryError(reasons.ACCELERATOR_UNUSABLE, text) from error
    finally:
        for process in others.processes:
            process.kill()
            process.join()
        if is_initialized():
            destroy_process_group()


def _follow(index: int, work: Work, size: int, port: int) -> None:
    """Train along with the first process until it ends or stops."""
    ranks = Ranks(index + 1, size)
    torch.set_num_threads(work.device.threads)
    store = TCPStore(_LOOPBACK, port, size, is_master=False)
    store.set(f"ready/{ranks.rank}", "")
    _join(work.device, store, ranks)
    with torch.device(work.device.device_type):
        model = build_decoder(work.config)
    model.recompute = work.recompute
    if work.values.lora:
        attach_adapters(model, work.values.lora, work.values.seed)
    with suppress(StageError):  # the first process meets the same and tells it
        work.train(model, ranks, Callbacks())


def _join(device: Device, store: TCPStore, ranks: Ranks) -> None:
    on_gpu = device.device_type == "cuda"
    if on_gpu:
        torch.cuda.set_device(ranks.rank)
    backend = "nccl" if on_gpu else "gloo"
    init_process_group(backend, store=store, rank=ranks.rank, world_size=ranks.size, timeout=PATIENCE)
