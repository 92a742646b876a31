"""The first stage: posts in, a dataset by its digest out, and a model to adopt if there is one. No torch in here."""

from dataclasses import asdict
from typing import Any

from tweetbot_contract.result import Dataset as DatasetResult
from tweetbot_contract.result import PrepareSucceeded, TrainSucceeded
from tweetbot_contract.spec.sources import Source, XSource
from tweetbot_trainer.data.cleaning import clean
from tweetbot_trainer.data.dataset.dataset import Dataset, build_dataset, header_of
from tweetbot_trainer.data.dataset.profiles import accounts_of, store_accounts
from tweetbot_trainer.data.dataset.store import is_stored, store_dataset
from tweetbot_trainer.data.sources import pages_folder
from tweetbot_trainer.learning.fingerprint import training_key
from tweetbot_trainer.learning.model.base_files import identified_base
from tweetbot_trainer.learning.values import effective_values, lora_of
from tweetbot_trainer.publishing.registry.latest import point_to
from tweetbot_trainer.publishing.registry.lookup import adoptable
from tweetbot_trainer.publishing.registry.run_record import PrepareRecord, read_record, write_record
from tweetbot_trainer.publishing.tracking import TrackedArtifact, Tracker, dataset_artifact
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.gates import passes
from tweetbot_trainer.stages.new_posts import too_few_new_posts
from tweetbot_trainer.stages.provenance import other_handle, source_records
from tweetbot_trainer.stages.retention import mark_adopted
from tweetbot_trainer.stages.source_reading import SourceReading


def prepare(context: StageContext) -> PrepareSucceeded:
    """Return the run's dataset, from its record if it was prepared before, and a model to adopt.

    Raises StageFailed of the fitting class; a stage that was stopped leaves nothing that its next attempt cannot use.
    """
    record = _standing_record(context) or _prepared(context)
    if adopted := _adopted(context, record.training_key):
        return record.result.model_copy(update={"adopted": adopted})
    too_few = too_few_new_posts(context.store, context.run, record.result.dataset.digest)
    if too_few is not None:
        context.log.info("prepare.nothing_new", newPosts=too_few, minNewPosts=context.run.min_new_posts)
    return record.result.model_copy(update={"new_posts": too_few})


def _standing_record(context: StageContext) -> PrepareRecord | None:
    record = read_record(context.store, context.run)
    if record is None or not is_stored(context.store, context.run, record.result.dataset.digest):
        return None
    context.log.info("prepare.found", digest=record.result.dataset.digest)
    return record


def _prepared(context: StageContext) -> PrepareRecord:
    run, spec = context.run, context.run.spec
    base = identified_base(
        spec, context.base_files, context.patience
    )  # first, so that a wrong base costs no billed posts
    values = effective_values(spec.training, spec.model.base, spec.sources, lora_of(spec.model))
    with context.tracked(_config(context)) as tracker:
        reading = SourceReading(context)
        dataset = build_dataset(clean(reading.posts(), spec.filter), spec.filter, sources=len(spec.sources))
        uri = store_dataset(context.store, run, dataset, check=context.stop.check)
        context.log.info("prepare.dataset", digest=dataset.digest, uri=uri, **dataset.table.as_json())
        _keep_accounts(context, reading, uri)
        _track(context, tracker, dataset, uri)
        result = PrepareSucceeded(
            dataset=DatasetResult(
                digest=dataset.digest, uri=uri, table=dataset.table, newest_post_at=dataset.newest_post_at
            ),
            billed=reading.bill(),
            tracking=tracker.finish(),
        )
    key = training_key(dataset.digest, base, values)
    sources = source_records(spec.sources, reading.read, dataset)
    record = PrepareRecord(training_key=key, base=asdict(base), sources=sources, result=result)
    context.stop.check()
    write_record(context.store, run, record)
    return record


def _adopted(context: StageContext, training_key: str) -> TrainSucceeded | None:
    adopted = adoptable(context.store, context.run, training_key)
    if adopted and not passes(context.run.spec, adopted.metrics):
        return None  # the train stage says what is missed
    if adopted:
        mark_adopted(context.store, context.run, adopted)
        point_to(context.store, context.run, adopted)
        context.log.info("prepare.adopted", uri=adopted.model.uri)
    return adopted


def _keep_accounts(context: StageContext, reading: SourceReading, uri: str) -> None:
    """Write how the accounts show themselves beside the dataset; say so where one is not whom the spec names."""
    accounts = accounts_of([read.profile for read in reading.read], context.log)
    store_accounts(context.store, uri, accounts)
    if named := other_handle(context.run.spec, accounts):
        message = (
            f"subject.handle is {context.run.spec.subject.handle}, and the source is of @{named}: the card says so"
        )
        context.log.warning("prepare.another_account", message=message)


def _config(context: StageContext) -> dict[str, Any]:
    spec = context.run.spec
    return {"handle": spec.subject.handle, "sources": len(spec.sources), **header_of(spec.filter)}


def _track(context: StageContext, tracker: Tracker, dataset: Dataset, uri: str) -> None:
    """Counts and addresses always go to the tracker, the posts' text only where the spec says so."""
    name, table = context.run.name, dataset.table.as_json()
    for index, (source, own) in enumerate(zip(context.run.spec.sources, dataset.source_tables, strict=True)):
        raw = TrackedArtifact(
            name=f"tweets-{name}-{index}",
            type="raw-dataset",
            uri=_address(context, source),
            direction="input",
            metadata={"source": index, **own.as_json()},
        )
        tracker.artifact(raw)
    tracker.artifact(dataset_artifact(name, uri, dataset.digest, dataset.table, direction="output"))
    tracker.summary(table)
    if context.run.spec.tracking.wandb.log_text:
        tracker.table("posts", ("id", "text"), [(post.id, post.text) for post in dataset.posts])


def _address(context: StageContext, source: Source) -> str:
    match source.kind:
        case XSource(handle=handle):
            return pages_folder(context.run.prefix, handle)
        case kind:
            return kind.uri
