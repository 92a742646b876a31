"""`runs/<run id>/prepare.json`: what a run's preparation decided. Preparing again gives the same answer."""

from typing import Literal

from pydantic import ValidationError

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import PrepareSucceeded
from tweetbot_contract.spec.parts import Part
from tweetbot_trainer.data.dataset.source_records import SourceRecord
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.store import ObjectStore, join


class PrepareRecord(Part):
    """The result, with the base and the training key pinned: a branch on the hub may move during the run.

    `excluded_edits` has all ids of each edited post that filter.excludeIds left out, by which `forget` finds it in
    datasets of before; None if there is none.
    """

    schema_version: Literal[1] = 1
    training_key: str
    base: BaseIdentity
    sources: tuple[SourceRecord, ...] = ()
    excluded_edits: tuple[tuple[str, ...], ...] | None = None
    result: PrepareSucceeded


def read_record(store: ObjectStore, run: RunDocument) -> PrepareRecord | None:
    """Read the run's record. None if there is none, or none that this trainer can read."""
    return find_record(store, run.prefix, run.run_id)


def find_record(store: ObjectStore, folder: str, run_id: str) -> PrepareRecord | None:
    """Read the record of a run of the TweetBot with this folder, as read_record does."""
    found = store.find(join(folder, "runs", run_id, "prepare.json"))
    try:
        return PrepareRecord.model_validate_json(found.body) if found else None
    except ValidationError:
        return None


def write_record(store: ObjectStore, run: RunDocument, record: PrepareRecord) -> None:
    """Write the run's record, which completes the preparation."""
    body = record.model_dump_json(by_alias=True, exclude_none=True, indent=1)
    store.put(join(get_run_folder(run), "prepare.json"), f"{body}\n".encode())


def drop_page_records(sources: tuple[SourceRecord, ...]) -> tuple[SourceRecord, ...]:
    """Leave out the pages of an API: a page may hold a single post, and its hash would confirm a guess of it."""
    return tuple(one.model_copy(update={"objects": ()}) if one.kind == "x" else one for one in sources)


def get_run_folder(run: RunDocument) -> str:
    """Return the address of the run's own folder."""
    return join(run.prefix, "runs", run.run_id)
