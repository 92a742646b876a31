"""SIGKILL after each of 40 steps of a training: what goes on each time ends with the same weights, to the bit.

And after each of 4 where LoRA adapters alone are trained and kept."""

import json
import os
import subprocess
import sys
from pathlib import Path

STEPS, ADAPTER_STEPS = 40, 4


def test_a_training_killed_after_every_step_ends_with_the_same_weights(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tweetbot_fakes.killed_training", str(tmp_path), str(STEPS), str(ADAPTER_STEPS)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    for trained in ("every weight", "adapters"):
        assert told[trained]["killed"] == told[trained]["undisturbed"]
        assert told[trained]["redone"] == 0, "steps that a finished checkpoint had"
