"""A training's state as files: tensors as safetensors, the rest as JSON; nothing in them is ever executed."""

import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tweetbot_trainer.learning.training.state import Course, TrainingState

_COURSE = "course.json"
_TENSORS = ".safetensors"


class BadCheckpoint(ValueError):
    """These files hold no training state; the message says what is wrong with them."""


def write_state(state: TrainingState, folder: Path) -> None:
    """Write the state into a folder, one part after the other. Raises OSError when the disk is full."""
    folder.mkdir(parents=True)
    for part, tensors in state.tensors.items():
        whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
        try:
            save_file(whole, folder / f"{part}{_TENSORS}")
        except SafetensorError as error:  # its own name for what the operating system refused
            raise OSError(str(error)) from error
    (folder / _COURSE).write_text(json.dumps(state.course.as_json()), encoding="utf-8")


def read_state(folder: Path) -> TrainingState:
    """Return the state that a folder holds. Raises BadCheckpoint."""
    try:
        course = Course.from_json(json.loads((folder / _COURSE).read_bytes()))
        tensors = {path.name.removesuffix(_TENSORS): load_file(path) for path in folder.glob(f"*{_TENSORS}")}
    except (ValueError, LookupError, TypeError, AttributeError, OSError, SafetensorError) as error:
        raise BadCheckpoint(str(error)) from error
    return TrainingState(course, tensors)
