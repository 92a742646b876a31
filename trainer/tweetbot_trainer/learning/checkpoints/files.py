"""A checkpoint as files: tensors as safetensors, the rest as JSON; reading them never executes code."""

import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tweetbot_trainer.learning.training.state import Checkpoint, TrainerState

_TRAINER_STATE = "course.json"
_TENSORS = ".safetensors"


class BadCheckpoint(ValueError):
    """These files are not a usable checkpoint; the message says why."""


def write_checkpoint(checkpoint: Checkpoint, folder: Path) -> None:
    """Write a checkpoint into a new folder, one file per part. Raises OSError if the disk is full."""
    folder.mkdir(parents=True)
    for part, tensors in checkpoint.tensors.items():
        whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
        try:
            save_file(whole, folder / f"{part}{_TENSORS}")
        except SafetensorError as error:  # its own class for errors of the operating system
            raise OSError(str(error)) from error
    (folder / _TRAINER_STATE).write_text(json.dumps(checkpoint.trainer_state.as_json()), encoding="utf-8")


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read the checkpoint in a folder. Raises BadCheckpoint."""
    try:
        trainer_state = TrainerState.from_json(json.loads((folder / _TRAINER_STATE).read_bytes()))
        tensors = {path.name.removesuffix(_TENSORS): load_file(path) for path in folder.glob(f"*{_TENSORS}")}
    except (ValueError, LookupError, TypeError, AttributeError, OSError, RecursionError, SafetensorError) as error:
        raise BadCheckpoint(str(error)) from error
    return Checkpoint(trainer_state, tensors)
