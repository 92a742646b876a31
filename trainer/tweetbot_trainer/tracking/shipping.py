"""Send the client's files to the output: `runs/<run id>/wandb/…`, from where `wandb sync` brings them to a server."""

from pathlib import Path

from tweetbot_contract.handover import RunDocument
from tweetbot_trainer.errors import StageFailed
from tweetbot_trainer.log import Log
from tweetbot_trainer.run_record import run_folder
from tweetbot_trainer.store import ObjectStore, join


def ship(store: ObjectStore, run: RunDocument, folder: Path, log: Log) -> None:
    """Write every file below the folder; a fault is logged and no more, since the metrics are in the report as well."""
    target = join(run_folder(run), "wandb", run.stage.lower())
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    try:
        for path in files:
            store.put(join(target, path.relative_to(folder).as_posix()), path)
    except (StageFailed, OSError) as error:
        log.warning("tracking.not_shipped", message=str(error))
