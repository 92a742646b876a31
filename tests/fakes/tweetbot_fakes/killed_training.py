"""A training that is killed after each of its steps: every process continues from the checkpoints of the one before.

    python -m tweetbot_fakes.killed_training FOLDER STEPS ADAPTER_STEPS

Prints a line of JSON with the hashes of the weights of an undisturbed and of a killed training, and how many steps
were done again that a checkpoint had: once of all weights, killed after each of STEPS, and once of LoRA adapters,
killed after each of ADAPTER_STEPS. This process loads torch once and forks, single-threaded, so that a kill costs
only the training.
"""

import hashlib
import json
import os
import shutil
import signal
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

from builders.model import DEVICE, a_base, examples_of, some_texts, some_values
from tweetbot_trainer.learning.checkpoints.manager import CheckpointKey, CheckpointManager
from tweetbot_trainer.learning.checkpoints.naming import MANIFEST
from tweetbot_trainer.learning.training.callbacks import Callbacks
from tweetbot_trainer.learning.training.loop import train
from tweetbot_trainer.learning.training.lora import attach_adapters
from tweetbot_trainer.learning.training.metrics import TrainingProgress
from tweetbot_trainer.learning.values import LoraConfig
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.store import BestEffortStore
from tweetbot_trainer.store.folder import FolderStore

#: The first step that each process of a training did, one a line.
FIRST_STEPS = "first-steps"
TRAIN, VALIDATION = some_texts(60), some_texts(12, seed=2)


def main() -> None:
    folder, steps, adapter_steps = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    every = _hashes(folder / "every", steps, None)
    adapters = _hashes(folder / "adapters", adapter_steps, LoraConfig(rank=2, alpha=4))
    print(json.dumps({"every weight": every, "adapters": adapters}))


def _hashes(folder: Path, steps: int, lora: LoraConfig | None) -> dict[str, str | int]:
    for name in ("undisturbed", "killed"):
        (folder / name).mkdir(parents=True)
    whole = _hash_of(folder / "undisturbed", lora, die_at=None)
    kept = []
    for step in range(1, steps + 1):
        kept.append(_find_newest_step(folder / "killed"))
        _kill(folder / "killed", lora, step)
    kept.append(_find_newest_step(folder / "killed"))
    killed = _hash_of(folder / "killed", lora, die_at=None)
    firsts = [int(line) for line in (folder / "killed" / FIRST_STEPS).read_text().split()]
    redone = sum(newest + 1 - first for newest, first in zip(kept, firsts, strict=True))
    return {"undisturbed": whole, "killed": killed, "redone": redone}


def _find_newest_step(folder: Path) -> int:
    """Return the step of the newest checkpoint that is whole, 0 without one."""
    return max((int(found.parent.name.partition("-")[0]) for found in folder.rglob(MANIFEST)), default=0)


def _kill(folder: Path, lora: LoraConfig | None, step: int) -> None:
    """Train in a process that dies right after this step, while a checkpoint is being uploaded."""
    child = os.fork()
    if child == 0:
        _hash_of(folder, lora, die_at=step)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WTERMSIG(status) != signal.SIGKILL:
        raise SystemExit(f"the training should have been killed at step {step}, but ended with {status}")
    shutil.rmtree(folder / "work", ignore_errors=True)


def _hash_of(folder: Path, lora: LoraConfig | None, *, die_at: int | None) -> str:
    """Train, or continue, with dropout and a checkpoint after each step; return the weights' hash."""
    base = a_base(TRAIN)
    values = replace(some_values(epochs=5), dropout=0.1, lora=lora)
    if lora:
        attach_adapters(base.model, lora, values.seed)
    checkpoints = CheckpointManager(
        CheckpointKey(f"file://{folder}/bucket", "key", {}),
        folder / "work",
        store=FolderStore(),
        best_effort=BestEffortStore(FolderStore()),
        interval=0.0,
        log=Log(StringIO()),
    )

    began = False

    def on_progress(progress: TrainingProgress) -> None:
        nonlocal began
        if not began:
            with (folder / FIRST_STEPS).open("a") as file:
                file.write(f"{progress.step}\n")
            began = True
        if progress.step == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    train(
        base.model,
        examples_of(base, TRAIN),
        examples_of(base, VALIDATION),
        values,
        device=DEVICE,
        callbacks=Callbacks(on_progress=on_progress, checkpoints=checkpoints),
        stop_early=True,
    )
    checkpoints.clear()
    tensors = base.model.state_dict()
    return hashlib.sha256(b"".join(tensors[name].numpy().tobytes() for name in sorted(tensors))).hexdigest()


if __name__ == "__main__":
    main()
