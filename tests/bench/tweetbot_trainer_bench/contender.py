"""One contender in its own process: `python -m tweetbot_trainer_bench.contender NAME SHAPE STEPS FOLDER`."""

import importlib
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from tweetbot_trainer_bench.clock import StepClock
from tweetbot_trainer_bench.material import SCHEDULES, SHAPES

#: Module, function and options of each; imported when it runs, so that it does not pay for the others' imports.
CONTENDERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "ours": ("ours", "run_ours", {}),
    "ours, LoRA": ("ours", "run_ours", {"lora": True}),
    "ours, dropout 0.1": ("ours", "run_ours", {"dropout": 0.1}),
    "ours, Auto": ("ours", "run_ours", {"precision": "Auto"}),
    "ours, GPU": ("ours", "run_ours", {"precision": "Auto", "gpu": True}),
    "a stock Trainer": ("peers", "run_stock", {}),
    "b packed": ("peers", "run_packed", {}),
    "c padded by length": ("peers", "run_padded", {}),
    "d packed, compiled": ("peers", "run_packed_compiled", {}),
    "e TRL packed": ("peers", "run_trl", {}),
}
#: Contenders that run at one shape alone: Auto chooses where products are wide.
ONLY_AT = {"ours, dropout 0.1": "bench-mini", "ours, Auto": "gpt2"}
GPU = "ours, GPU"


def list_contenders(shape: str) -> list[str]:
    """List the contenders that run at a shape on this machine."""
    import torch

    fitting = [name for name in CONTENDERS if ONLY_AT.get(name, shape) == shape]
    return [name for name in fitting if name != GPU or torch.cuda.is_available()]


def main() -> None:
    """Run the contender and print its figures."""
    name, shape, steps, folder = sys.argv[1:5]
    module, function, options = CONTENDERS[name]
    run = getattr(importlib.import_module(f"tweetbot_trainer_bench.{module}"), function)
    clock = StepClock(SCHEDULES[shape].warm_up)
    partial(run, **options)(Path(folder), SHAPES[shape], int(steps), clock)
    clock.print_figures()
    sys.stdout.flush()
    os._exit(0)  # do not wait for threads of libraries


if __name__ == "__main__":
    main()
