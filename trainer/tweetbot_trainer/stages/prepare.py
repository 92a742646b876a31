"""The first stage: posts in, a dataset by its digest out, and a model to adopt if there is one. No torch in here."""

from typing import Any

from tweetbot_contract.result import DatasetResult as DatasetResult
from tweetbot_contract.result import PrepareSucceeded, TrainSucceeded
from tweetbot_contract.spec.sources import Source, XSource
from tweetbot_trainer.data.cleaning import clean
from tweetbot_trainer.data.dataset.dataset import Dataset, build_dataset, build_header
from tweetbot_trainer.data.dataset.profiles import build_accounts, store_accounts
from tweetbot_trainer.data.dataset.store import is_stored, store_dataset
from tweetbot_trainer.data.sources import get_pages_folder
from tweetbot_trainer.learning.fingerprint import fingerprint
from tweetbot_trainer.learning.model.base_files import resolve_base_identity
from tweetbot_trainer.learning.values import resolve_hyperparameters, resolve_lora
from tweetbot_trainer.publishing.registry.latest import update_latest
from tweetbot_trainer.publishing.registry.lookup import find_reusable
from tweetbot_trainer.publishing.registry.run_record import PrepareRecord, read_record, write_record
from tweetbot_trainer.publishing.tracking.interface import TrackedArtifact, Tracker, make_dataset_artifact
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.gates import can_publish
from tweetbot_trainer.stages.new_posts import count_new_posts_if_too_few
from tweetbot_trainer.stages.provenance import build_source_records, find_other_handle
from tweetbot_trainer.stages.retention import mark_adopted
from tweetbot_trainer.stages.source_reading import SourceReader


def prepare(context: StageContext) -> PrepareSucceeded:
    """Return the run's dataset, from its record if it was prepared before, and a model to adopt.

    Raises StageFailed of the fitting class; a stage that was stopped leaves nothing that its next attempt cannot use.
    """
    record = _find_record(context) or _prepare_dataset(context)
    if adopted := _reuse_model(context, record.training_key):
        return record.result.model_copy(update={"adopted": adopted})
    too_few = count_new_posts_if_too_few(context.store, context.run, record.result.dataset.digest)
    if too_few is not None:
        context.log.info("prepare.nothing_new", newPosts=too_few, minNewPosts=context.run.min_new_posts)
    return record.result.model_copy(update={"new_posts": too_few})


def _find_record(context: StageContext) -> PrepareRecord | None:
    record = read_record(context.store, context.run)
    if record is None or not is_stored(context.store, context.run, record.result.dataset.digest):
        return None
    context.log.info("prepare.found", digest=record.result.dataset.digest)
    return record


def _prepare_dataset(context: StageContext) -> PrepareRecord:
    run, spec = context.run, context.run.spec
    base = resolve_base_identity(
        spec, context.base_files, context.retry_budget
    )  # first, so that a wrong base costs no billed posts
    values = resolve_hyperparameters(spec.training, spec.model.base, spec.sources, resolve_lora(spec.model))
    with context.track(_build_config(context)) as tracker:
        reader = SourceReader(context)
        dataset = build_dataset(clean(reader.read_posts(), spec.filter), spec.filter, sources=len(spec.sources))
        uri = store_dataset(context.store, run, dataset, check=context.stop.check)
        context.log.info("prepare.dataset", digest=dataset.digest, uri=uri, **dataset.table.to_dict())
        _keep_accounts(context, reader, uri)
        _track(context, tracker, dataset, uri)
        result = PrepareSucceeded(
            dataset=DatasetResult(
                digest=dataset.digest, uri=uri, table=dataset.table, newest_post_at=dataset.newest_post_at
            ),
            billed=reader.compute_bill(),
            tracking=tracker.finish(),
        )
    key = fingerprint(dataset.digest, base, values)
    sources = build_source_records(spec.sources, reader.results, dataset)
    record = PrepareRecord(training_key=key, base=base, sources=sources, result=result)
    context.stop.check()
    write_record(context.store, run, record)
    return record


def _reuse_model(context: StageContext, training_key: str) -> TrainSucceeded | None:
    adopted = find_reusable(context.store, context.run, training_key)
    if adopted and not can_publish(context.run.spec, adopted.metrics):
        return None  # the train stage says what is missed
    if adopted:
        mark_adopted(context.store, context.run, adopted)
        update_latest(context.store, context.run, adopted)
        context.log.info("prepare.adopted", uri=adopted.model.uri)
    return adopted


def _keep_accounts(context: StageContext, reader: SourceReader, uri: str) -> None:
    """Write how the accounts show themselves beside the dataset; say so where one is not whom the spec names."""
    accounts = build_accounts([read.profile for read in reader.results], context.log)
    store_accounts(context.store, uri, accounts)
    if named := find_other_handle(context.run.spec, accounts):
        message = (
            f"subject.handle is {context.run.spec.subject.handle}, and the source is of @{named}: the card says so"
        )
        context.log.warning("prepare.another_account", message=message)


def _build_config(context: StageContext) -> dict[str, Any]:
    spec = context.run.spec
    return {"handle": spec.subject.handle, "sources": len(spec.sources), **build_header(spec.filter)}


def _track(context: StageContext, tracker: Tracker, dataset: Dataset, uri: str) -> None:
    """Counts and addresses always go to the tracker, the posts' text only where the spec says so."""
    name, table = context.run.name, dataset.table.to_dict()
    for index, (source, own) in enumerate(zip(context.run.spec.sources, dataset.source_tables, strict=True)):
        raw = TrackedArtifact(
            name=f"tweets-{name}-{index}",
            type="raw-dataset",
            uri=_get_source_uri(context, source),
            direction="input",
            metadata={"source": index, **own.to_dict()},
        )
        tracker.log_artifact(raw)
    tracker.log_artifact(make_dataset_artifact(name, uri, dataset.digest, dataset.table, direction="output"))
    tracker.set_summary(table)
    if context.run.spec.tracking.wandb.log_text:
        tracker.log_table("posts", ("id", "text"), [(post.id, post.text) for post in dataset.posts])


def _get_source_uri(context: StageContext, source: Source) -> str:
    match source.kind:
        case XSource(handle=handle):
            return get_pages_folder(context.run.prefix, handle)
        case kind:
            return kind.uri
