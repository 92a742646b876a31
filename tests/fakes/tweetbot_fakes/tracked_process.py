"""A process of its own that tracks a run: what a dying server leaves in the client must not meet other tests.

    python -m tweetbot_fakes.tracked_process RUN_DOCUMENT SECRETS WORK

Writes a line once it is tracked, waits for a line, sends rows and an artifact, and writes what it was told.
"""

import os
import sys
from io import StringIO
from pathlib import Path

from tweetbot_contract.handover import RunDocument
from tweetbot_trainer.publishing.tracking.interface import TrackedArtifact
from tweetbot_trainer.publishing.tracking.start import TrackerStarter
from tweetbot_trainer.publishing.tracking.wandb_run import RunConfig, TrackedRun
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.store.folder import FolderStore

ROWS = 1000


def main() -> None:
    run = RunDocument.model_validate_json(sys.argv[1])
    place = RunConfig(
        TrackedRun.from_document(run), Path(sys.argv[3]), init_timeout=10, finish_timeout=1, finish_slack=1
    )
    tracker = TrackerStarter(run, place, store=FolderStore(), secrets=Path(sys.argv[2]), log=Log(StringIO()))(
        {"epochs": 4}
    )
    print(tracker.get_current_result().model_dump_json(by_alias=True), flush=True)
    sys.stdin.readline()
    for step in range(ROWS):
        tracker.log({"step": step, "train/loss": 2.0})
    tracker.log_artifact(TrackedArtifact("model-gull", "finetuned-model", "s3://team-a/models/m/model", "output"))
    told = tracker.finish()
    print(told.model_dump_json(by_alias=True), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
