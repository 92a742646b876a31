"""One contender in a process of its own: `python -m tweetbot_trainer_bench.contender NAME SHAPE STEPS FOLDER`."""

import importlib
import os
import sys
from functools import partial
from pathlib import Path

from tweetbot_trainer_bench.material import SHAPES

#: Where each is, imported when it runs: what the others import is not its time.
CONTENDERS = {
    "ours": ("ours", "ours", {}),
    "ours, dropout 0.1": ("ours", "ours", {"dropout": 0.1}),
    "a stock Trainer": ("peers", "stock", {}),
    "b packed": ("peers", "packed", {}),
    "c padded by length": ("peers", "padded", {}),
    "d packed, compiled": ("peers", "packed_compiled", {}),
    "e TRL packed": ("peers", "trl", {}),
}


def main() -> None:
    """Run it and print its figures."""
    name, shape, steps, folder = sys.argv[1:5]
    module, function, options = CONTENDERS[name]
    run = getattr(importlib.import_module(f"tweetbot_trainer_bench.{module}"), function)
    partial(run, **options)(Path(folder), SHAPES[shape], int(steps)).tell()
    sys.stdout.flush()
    os._exit(0)  # threads of libraries are not waited for


if __name__ == "__main__":
    main()
