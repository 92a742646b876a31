"""Probes the run's bucket before the first post is fetched, once per bucket, way to reach it, and trainer version."""

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from tweetbot_contract import reasons
from tweetbot_contract.spec.known_bases import find_base
from tweetbot_contract.spec.output import S3Output
from tweetbot_contract.spec.parts import Part
from tweetbot_trainer.learning.model.identity import HUB, SCRATCH_DIGESTS, WEIGHTS
from tweetbot_trainer.runtime.errors import StageError, StageStopped, TemporaryError
from tweetbot_trainer.runtime.versions import describe_program
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.store import build_store_opener, join
from tweetbot_trainer.store.interface import UnnamedRefusal
from tweetbot_trainer.store.multipart import LARGEST_PUT

if TYPE_CHECKING:
    from tweetbot_trainer.store.s3 import S3Store

RECORD_FILE = "storage-probe.json"
#: Bytes of the largest file of a run for each weight: AdamW keeps two float32, in a checkpoint's one file; and the same
#: for each byte of its base, which may be in bfloat16.
_LARGEST_FILE, _LARGEST_TO_BASE = 8, 4


class ProbeRecord(Part):
    """What was probed and found good: this bucket, reached this way, by this trainer."""

    schema_version: Literal[1] = 1
    trainer: str
    output: S3Output
    #: boto3 takes these from the environment where the spec has none.
    endpoint: str | None = None
    region: str | None = None
    service_account_name: str | None = None
    multipart: bool


def probe_storage(context: StageContext) -> None:
    """Try all that the run will need of its bucket, unless the record says that it was tried before.

    A folder in place of a bucket needs no probe. Raises StageError with the name of what is missing.
    """
    if not context.run.prefix.startswith("s3://"):
        return
    kept = _read_record(context)
    record = _build_record(context)
    if kept == record:
        return
    _probe(context, multipart=record.multipart)
    context.log.info("storage.probed", endpoint=record.endpoint or "", multipart=record.multipart)
    _write_record(context, record)


def _probe(context: StageContext, *, multipart: bool) -> None:
    from tweetbot_trainer.store.probe import PROBE_FOLDER, StorageProbe  # loads boto3, which a folder does without

    def open_s3(output: S3Output) -> "S3Store":
        return _open_s3(context, output)

    folder = join(context.run.prefix, PROBE_FOLDER)
    StorageProbe(open_s3, context.run.spec.output.s3, folder, context.work, multipart=multipart).run()


def _open_s3(context: StageContext, output: S3Output) -> "S3Store":
    """Open the bucket impatiently: nothing is paid for yet, and what is refused is best seen in the status at once."""
    from tweetbot_trainer.store.s3 import S3Store

    budget = replace(context.retry_budget, impatient_for=frozenset({reasons.STORAGE_FULL, UnnamedRefusal}))
    store = build_store_opener(output, context.secrets, budget)(context.run.prefix)
    assert isinstance(store, S3Store)
    return store


def _build_record(context: StageContext) -> ProbeRecord:
    spec = context.run.spec
    return ProbeRecord(
        trainer=describe_program(),
        output=spec.output.s3,
        endpoint=spec.output.s3.endpoint or os.environ.get("AWS_ENDPOINT_URL_S3"),
        region=spec.output.s3.region or os.environ.get("AWS_REGION"),
        service_account_name=spec.service_account_name,
        multipart=_needs_multipart(context),
    )


def _needs_multipart(context: StageContext) -> bool:
    """Tell whether a file of the run may be too large for one request."""
    base = context.run.spec.model.base.rstrip("/")
    if base in SCRATCH_DIGESTS:
        return False
    if base.startswith(HUB):
        known = find_base(base)  # the size of another one is only known once it is downloaded, when it is late
        return known is None or _LARGEST_FILE * known.shape.weights > LARGEST_PUT
    try:
        return _LARGEST_TO_BASE * context.base_files.get_size(join(base, WEIGHTS)) > LARGEST_PUT
    except TemporaryError:
        raise
    except StageError:
        return False  # the probe, or the base's own check, will say what is wrong


def _read_record(context: StageContext) -> ProbeRecord | None:
    """Return the record of the last probe. What is refused here is left to the probe, which can name it."""
    try:
        found = _open_s3(context, context.run.spec.output.s3).find(_get_record_uri(context))
        return ProbeRecord.model_validate_json(found.body) if found else None
    except (ValidationError, StageError) as fault:
        if isinstance(fault, TemporaryError) and not isinstance(fault, UnnamedRefusal):
            raise
        return None


def _write_record(context: StageContext, record: ProbeRecord) -> None:
    """Write the record. Without it the next run probes again, so a fault is only logged."""
    try:
        body = record.model_dump_json(by_alias=True, exclude_none=True, indent=1)
        context.store.put(_get_record_uri(context), f"{body}\n".encode())
    except StageStopped:
        raise
    except StageError as fault:
        context.log.warning("storage.probe_not_recorded", message=fault.message)


def _get_record_uri(context: StageContext) -> str:
    return join(context.run.prefix, RECORD_FILE)
