"""`runs/<run id>/prepare.json`: what a run's preparation decided; asking again gives the same answer."""

from typing import Any, Literal

from pydantic import ValidationError

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import PrepareSucceeded
from tweetbot_contract.spec.parts import Part
from tweetbot_trainer.data.dataset.source_records import SourceRecord
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.store import ObjectStore, join


class PrepareRecord(Part):
    """The base and the training key are pinned here: a branch on the hub may move while the run goes on."""

    schema_version: Literal[1] = 1
    training_key: str
    base: dict[str, Any]
    sources: tuple[SourceRecord, ...] = ()
    result: PrepareSucceeded

    @property
    def base_identity(self) -> BaseIdentity:
        """Return the base that the run trains from."""
        return BaseIdentity(**self.base)


def read_record(store: ObjectStore, run: RunDocument) -> PrepareRecord | None:
    """Return the run's record, None where there is none or none that this version can read."""
    found = store.find(_build_record_uri(run))
    try:
        return PrepareRecord.model_validate_json(found.body) if found else None
    except ValidationError:
        return None


def write_record(store: ObjectStore, run: RunDocument, record: PrepareRecord) -> None:
    """Write the run's record; it makes the preparation finished."""
    store.put(
        _build_record_uri(run), (record.model_dump_json(by_alias=True, exclude_none=True, indent=1) + "\n").encode()
    )


def get_run_folder(run: RunDocument) -> str:
    """Return the address below which a run keeps what is its own."""
    return join(run.prefix, "runs", run.run_id)


def _build_record_uri(run: RunDocument) -> str:
    return join(get_run_folder(run), "prepare.json")
