"""One contender in a process of its own: `python -m tweetbot_trainer_bench.contender NAME SHAPE STEPS FOLDER`."""

import importlib
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import torch

from tweetbot_trainer_bench.clock import StepClock
from tweetbot_trainer_bench.material import COURSES, SHAPES

#: Where each is, imported when it runs: what the others import is not its time.
CONTENDERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "ours": ("ours", "ours", {}),
    "ours, LoRA": ("ours", "ours", {"lora": True}),
    "ours, dropout 0.1": ("ours", "ours", {"dropout": 0.1}),
    "ours, GPU": ("ours", "ours", {"gpu": True}),
    "a stock Trainer": ("peers", "stock", {}),
    "b packed": ("peers", "packed", {}),
    "c padded by length": ("peers", "padded", {}),
    "d packed, compiled": ("peers", "packed_compiled", {}),
    "e TRL packed": ("peers", "trl", {}),
}
#: What says something at every shape; the other contenders run at the small one alone, and where there is a GPU.
EVERYWHERE = tuple(name for name in CONTENDERS if name not in ("ours, dropout 0.1", "ours, GPU"))


def contenders_for(shape: str) -> list[str]:
    """Return who runs at a shape on this machine."""
    gpu = ["ours, GPU"] if torch.cuda.is_available() else []
    return [*EVERYWHERE, *gpu, *(["ours, dropout 0.1"] if shape == "bench-mini" else [])]


def main() -> None:
    """Run it and print its figures."""
    name, shape, steps, folder = sys.argv[1:5]
    module, function, options = CONTENDERS[name]
    run = getattr(importlib.import_module(f"tweetbot_trainer_bench.{module}"), function)
    gpu = torch.cuda.get_device_name() if options.get("gpu") else None
    clock = StepClock(COURSES[shape].warm_up, gpu)
    partial(run, **options)(Path(folder), SHAPES[shape], int(steps), clock)
    clock.tell()
    sys.stdout.flush()
    os._exit(0)  # threads of libraries are not waited for


if __name__ == "__main__":
    main()
