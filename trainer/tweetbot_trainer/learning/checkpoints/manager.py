"""The checkpoints of one run in the store: save, find the newest intact one, erase.

A checkpoint's manifest is written last, so one that a killed Pod left half-done does not count. Uploads run beside the
training, one at a time. One that the store does not take is offered again until it does, or the training ends: an
unavailable store never costs the training.
"""

import math
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from tweetbot_contract.spec.parts import Part
from tweetbot_trainer.learning.checkpoints.files import BadCheckpoint, read_checkpoint, write_checkpoint
from tweetbot_trainer.learning.checkpoints.naming import MANIFEST, erase_checkpoints, list_names, make_name
from tweetbot_trainer.learning.training.callbacks import FindIncompatibility
from tweetbot_trainer.learning.training.device import Device
from tweetbot_trainer.learning.training.state import Checkpoint
from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.store import BestEffortStore, ObjectNotFound, ObjectStore, compute_sha256, get_body_size, join
from tweetbot_trainer.store.file_records import FilePath, FileRecord, build_file_records

#: The newest, and the one before in case the newest is damaged.
KEPT = 2
#: How long the last uploads may wait for the store, in seconds: of a Pod that ends, in its grace period.
LAST_SECONDS = 20.0


class CheckpointManifest(Part):
    """The files of a checkpoint, the training it belongs to, and what it was made with."""

    schema_version: Literal[1] = 1
    training_key: str
    step: int
    processor: str
    threads: int
    versions: dict[str, str]
    files: dict[FilePath, FileRecord]


@dataclass(frozen=True, slots=True)
class CheckpointKey:
    """Where a training's checkpoints are, which ones it can continue from, and with which libraries to the last bit."""

    uri: str
    training_key: str
    library_versions: dict[str, str]


class CheckpointManager:
    """Implements Checkpoints for one run."""

    def __init__(
        self,
        key: CheckpointKey,
        folder: Path,
        *,
        store: ObjectStore,
        best_effort: BestEffortStore,
        interval: float,
        log: Log,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Read from `store`, write to `best_effort`. `interval` is in seconds, `folder` an empty folder on the disk."""
        self._uri, self._key, self._folder = key.uri, key, folder
        self._store, self._best_effort, self._best_effort_store = store, best_effort, best_effort.store
        self._log, self._clock, self._now = log, clock, now
        self._interval, self._next = interval, clock() + interval
        self._upload: threading.Thread | None = None

    def load_newest(self, device: Device, find_incompatibility: FindIncompatibility) -> Checkpoint | None:
        """Return the newest intact and compatible checkpoint, or None. Raises StageError if the store fails."""
        for name in sorted(list_names(self._store, self._uri), reverse=True):
            try:
                manifest, checkpoint = self._read(name)
                if why := find_incompatibility(checkpoint):
                    raise BadCheckpoint(why)
            except (BadCheckpoint, ValidationError) as error:
                self._log.warning("checkpoint.passed_over", name=name, message=str(error))
                continue
            self._log.info("checkpoint.resumed", step=manifest.step, of=name)
            self._warn_of_differences(manifest, device)
            self._warn_of_kept_precision(checkpoint, device)
            return checkpoint
        return None

    def is_due(self) -> bool:
        """Tell whether the interval has passed and the last upload has ended."""
        return self._clock() >= self._next and not (self._upload and self._upload.is_alive())

    def save(self, checkpoint: Checkpoint, *, last: bool = False) -> None:
        """Write a checkpoint to the disk, then upload it in a thread beside the training; wait for it if `last`.

        Only the disk write blocks the training: it must finish before the next step changes the live tensors.
        """
        self._next = self._clock() + self._interval
        self._end_upload()
        self._best_effort.limit(LAST_SECONDS if last else math.inf)
        step = len(checkpoint.trainer_state.losses)
        folder = self._folder / make_name(step, self._now())
        try:
            write_checkpoint(checkpoint, folder)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            self._log.warning("checkpoint.failed", step=step, message=str(error))
            return
        made_on = (checkpoint.trainer_state.processor, checkpoint.trainer_state.threads)
        work = partial(self._upload_checkpoint, folder, *made_on)
        self._upload = threading.Thread(target=work, name="checkpoint", daemon=True)
        self._upload.start()
        if last:
            self._upload.join()

    def clear(self) -> None:
        """Erase this run's checkpoints, and those of runs given up a week ago, once the model is published."""
        self._end_upload()
        erase_checkpoints(self._store, self._uri, now=self._now(), log=self._log)

    def _end_upload(self) -> None:
        """Wait for the upload, which waits no longer for the store."""
        if self._upload:
            self._best_effort.limit(0)
            self._upload.join()

    def _read(self, name: str) -> tuple[CheckpointManifest, Checkpoint]:
        uri, folder = join(self._uri, name), self._folder / "read"
        found = self._store.find(join(uri, MANIFEST))
        manifest = CheckpointManifest.model_validate_json(found.body if found else b"")
        if manifest.training_key != self._key.training_key:
            raise BadCheckpoint("it belongs to another training")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            for path, record in manifest.files.items():
                self._fetch(join(uri, path), folder / Path(path).name, record)
            return manifest, read_checkpoint(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _fetch(self, uri: str, path: Path, record: FileRecord) -> None:
        try:
            self._store.download(uri, path)
        except ObjectNotFound as error:
            raise BadCheckpoint(f"{path.name} is missing") from error
        if get_body_size(path) != record.size or compute_sha256(path) != record.sha256:
            raise BadCheckpoint(f"{path.name} differs from what was written")

    def _upload_checkpoint(self, folder: Path, processor: str, threads: int) -> None:
        """Upload a checkpoint, its manifest last, then remove older ones."""
        step = int(folder.name.partition("-")[0])
        try:
            files = build_file_records(folder)
            for path in files:
                self._best_effort_store.put(join(self._uri, folder.name, path), folder / path)
            manifest = CheckpointManifest(
                training_key=self._key.training_key,
                step=step,
                processor=processor,
                threads=threads,
                versions=self._key.library_versions,
                files=files,
            )
            body = manifest.model_dump_json(by_alias=True).encode()
            self._best_effort_store.put(join(self._uri, folder.name, MANIFEST), body)
            self._log.info("checkpoint.saved", step=step, bytes=sum(record.size for record in files.values()))
            self._remove_older()
        except (StageError, OSError) as error:
            self._log.warning("checkpoint.failed", step=step, message=str(error))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _remove_older(self) -> None:
        for name in sorted(list_names(self._best_effort_store, self._uri), reverse=True)[KEPT:]:
            # The manifest first: half a checkpoint must not look intact.
            self._best_effort_store.delete(join(self._uri, name, MANIFEST))
            for info in tuple(self._best_effort_store.list(f"{join(self._uri, name)}/")):
                self._best_effort_store.delete(info.uri)

    def _warn_of_differences(self, manifest: CheckpointManifest, device: Device) -> None:
        """Floating-point sums repeat to the last bit only with the same libraries, processor and thread count."""
        before = (manifest.processor, manifest.threads, manifest.versions)
        now = (device.name, device.threads, self._key.library_versions)
        if before != now:
            self._log.warning("checkpoint.other_machine", before=str(before), now=str(now))

    def _warn_of_kept_precision(self, checkpoint: Checkpoint, device: Device) -> None:
        """A training keeps its number format; tell where this machine would have chosen the other one, and why."""
        kept = checkpoint.trainer_state.precision
        if kept is None or kept == device.precision:
            return
        message = (
            f"the training began in {kept} and goes on in it; on this machine it would begin in {device.precision}"
        )
        products = {"productSeconds": device.products.as_json()} if device.products else {}
        self._log.warning("checkpoint.other_precision", message=message, **products)
