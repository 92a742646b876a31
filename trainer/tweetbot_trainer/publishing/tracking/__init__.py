"""Experiment tracking, beside metrics.jsonl, which is always written first.

interface    what stages tell a tracker; NullTracker for mode Disabled
mode         Online or Offline, decided once before anything is started
wandb_run    one W&B run
background   a tracker on a thread of its own, so that no server can fail or delay a run
shipping     offline run directories to the output, from where they can be synced
"""

from tweetbot_trainer.publishing.tracking.interface import (
    NullTracker,
    TrackedArtifact,
    Tracker,
    make_base_artifact,
    make_dataset_artifact,
)

__all__ = ["NullTracker", "TrackedArtifact", "Tracker", "make_base_artifact", "make_dataset_artifact"]
