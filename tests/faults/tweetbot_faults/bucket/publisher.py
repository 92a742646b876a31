"""A trainer that publishes: one process, a folder of finished files, and an S3 server behind a proxy."""

import multiprocessing
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builders.manifests import a_spec
from builders.stages import a_folder, a_version
from tweetbot_contract.handover import RunDocument

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["boto3", "botocore.config", "tweetbot_trainer.publishing.registry.publish"])
#: Bytes of the weights, and above which a file goes in parts: S3 wants 5 MiB for each but the last.
WEIGHTS, PART = 6 * 2**20, 5 * 2**20
#: Seconds that a trainer waits: for an answer, and for a server that is away.
READ_TIMEOUT, PATIENCE = 3, 2.0


@dataclass(frozen=True)
class Place:
    """The S3 server as a trainer sees it."""

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str


@dataclass(frozen=True)
class Attempt:
    """One Pod of a run: which run, and whose bytes."""

    run: RunDocument
    folder: Path
    training: str
    """A training key."""

    def publish(self, store: Any) -> None:
        from tweetbot_trainer.publishing.registry.publish import publish

        manifest = a_version(self.folder, self.run, version=self.training[:16], training_key=self.training)
        publish(store, self.run, self.folder, manifest)


def a_run(prefix: str, place: Place, number: int = 1) -> RunDocument:
    """Return the document of a run whose output is below a prefix."""
    spec = a_spec(output={"s3": {"uri": f"s3://{place.bucket}/{prefix}", "endpoint": place.endpoint}})
    identity = {"stage": "Train", "namespace": "team-a", "name": "gull", "uid": "uid-gull"}
    fields = {"run_id": f"{number:016x}", "run_number": number, "dataset": "d" * 64}
    return RunDocument(**{**identity, **fields, "spec": spec})


def a_finished_folder(folder: Path, *, seed: int) -> Path:
    """Write what a training leaves, weights of some MiB that no other seed has."""
    return a_folder(folder, bytes([seed % 251]) * WEIGHTS)


@dataclass
class Trainer:
    """The process of an attempt."""

    attempt: Attempt
    place: Place
    _process: Any = field(default=None)

    def start(self) -> "Trainer":
        self._process = _FORKS.Process(target=_work, args=(self.attempt, self.place))
        self._process.start()
        return self

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process.pid:
            os.kill(self._process.pid, signal.SIGKILL)  # `wait`, in another thread, sees its end

    def wait(self) -> int:
        """Return its exit code. Raises TimeoutError."""
        self._process.join(60)
        if self._process.exitcode is None:
            self.kill()
            raise TimeoutError("the trainer did not end within 60 s")
        return int(self._process.exitcode)


def open_store(place: Place) -> Any:
    """Return the trainer's own store, with small parts and little patience."""
    import boto3
    from botocore.config import Config

    from tweetbot_trainer.runtime.retry_budget import RetryBudget
    from tweetbot_trainer.store.s3 import S3Store

    config = Config(
        signature_version="s3v4",
        connect_timeout=READ_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
    )
    keys = {"aws_access_key_id": place.access_key, "aws_secret_access_key": place.secret_key}
    client: Any = boto3.client("s3", endpoint_url=place.endpoint, region_name="us-east-1", config=config, **keys)
    return S3Store(client, RetryBudget(READ_TIMEOUT + PATIENCE), largest=PART, part=PART)


def _work(attempt: Attempt, place: Place) -> None:
    from tweetbot_trainer.runtime.errors import StageError
    from tweetbot_trainer.runtime.termination import describe_failure

    try:
        attempt.publish(open_store(place))
    except StageError as error:
        os._exit(describe_failure(error)[1])
    os._exit(0)
