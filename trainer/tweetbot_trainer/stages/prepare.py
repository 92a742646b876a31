"""The first stage: read and clean the posts, store the dataset, look for a model to reuse. It does not import torch."""

from typing import TYPE_CHECKING

from tweetbot_contract.data_table import DataWarning
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import PrepareSucceeded, TrainSucceeded
from tweetbot_trainer.data.cleaning import clean
from tweetbot_trainer.data.dataset.copy_hashes import store_copy_hashes
from tweetbot_trainer.data.dataset.dataset import Dataset, build_dataset
from tweetbot_trainer.data.dataset.enough import require_enough
from tweetbot_trainer.data.dataset.profiles import CardAccount, build_accounts, store_accounts
from tweetbot_trainer.data.dataset.source_counts import fill_tables
from tweetbot_trainer.data.dataset.statements import find_contradictions
from tweetbot_trainer.data.dataset.store import is_stored, store_dataset
from tweetbot_trainer.data.dataset.wrong_labels import build_label_warnings, find_wrong_labels
from tweetbot_trainer.learning.values import resolve_hyperparameters, resolve_lora
from tweetbot_trainer.publishing.registry.hash_removal import remove_hashes_of_bot
from tweetbot_trainer.publishing.registry.latest import serve
from tweetbot_trainer.publishing.registry.lookup import choose_version, find_reusable
from tweetbot_trainer.publishing.registry.ownership import join_prefix, require_owner, reserve_version_use
from tweetbot_trainer.publishing.registry.retention import mark_adopted
from tweetbot_trainer.publishing.registry.run_record import PrepareRecord, read_record, write_record
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.gates import build_advisory, can_publish, judge_gates
from tweetbot_trainer.stages.new_posts import count_new_posts_if_too_few
from tweetbot_trainer.stages.provenance import build_source_records
from tweetbot_trainer.stages.source_reading import SourceReader
from tweetbot_trainer.stages.storage_probe import probe_storage
from tweetbot_trainer.stages.tracking import build_prepare_config, track_prepared
from tweetbot_trainer.stages.training_plan import build_dataset_result, choose_values
from tweetbot_trainer.store import ObjectStore

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def prepare(context: StageContext) -> PrepareSucceeded:
    """Prepare the run's dataset, unless it was prepared before, and look for a published model to reuse.

    Raises StageError; PrefixOwned if there is something to train, and the output belongs to another TweetBot. An
    interrupted stage leaves nothing that its next attempt cannot use.
    """
    run, store, log = context.run, context.store, context.log
    probe_storage(context)
    owned = join_prefix(store, run, log)
    if owned is None:
        remove_hashes_of_bot(store, run, log)  # before a version is adopted, as it changes its digest
    record = _find_record(store, run, log) or _prepare_dataset(context)
    if adopted := _reuse_model(store, run, record.training_key, log, owned=owned):
        return record.result.model_copy(update={"adopted": adopted, "prefix_owned": owned})
    too_few = count_new_posts_if_too_few(store, run, record.result.dataset.digest)
    if too_few is None:
        require_owner(store, run)  # before a GPU is paid for
        return record.result
    log.info("prepare.nothing_new", newPosts=too_few, minNewPosts=run.min_new_posts)
    return record.result.model_copy(update={"new_posts": too_few, "prefix_owned": owned})


def _find_record(store: ObjectStore, run: RunDocument, log: Log) -> PrepareRecord | None:
    record = read_record(store, run)
    if record is None or not is_stored(store, run, record.result.dataset.digest):
        return None
    log.info("prepare.found", digest=record.result.dataset.digest)
    return record


def _prepare_dataset(context: StageContext) -> PrepareRecord:
    run, spec = context.run, context.run.spec
    values = resolve_hyperparameters(spec.training, spec.model.base, spec.sources, resolve_lora(spec.model))
    base, tokenizer = context.inspect_base(values)  # first, so that a wrong base costs no billed posts
    reader = SourceReader(context)
    with context.track(build_prepare_config(spec)) as tracker, reader.bill_failures():
        dataset = build_dataset(clean(reader.read_posts(), spec.filter), spec.filter, sources=len(spec.sources))
        counts = [read.counts for read in reader.results]
        dataset = fill_tables(dataset, counts)
        require_enough(dataset, counts, spec.sources, spec.filter)
        if tokenizer:
            _try_tokenizer(tokenizer, dataset, base.uri)
        uri = store_dataset(context.store, run, dataset, check=context.stop.check)
        context.stop.check()
        store_copy_hashes(context.store, uri, dataset)
        context.log.info("prepare.dataset", digest=dataset.digest, uri=uri, **dataset.table.to_dict())
        accounts = _store_accounts(context, reader, uri)
        track_prepared(tracker, run, dataset, uri)
        result = PrepareSucceeded(
            dataset=build_dataset_result(dataset, uri),
            billed=reader.compute_bill(),
            warnings=(*reader.warnings, *_check_statements(context, accounts, dataset)),
            tracking=tracker.finish(),
        )
    _, key = choose_values(context.store, run, base, result.dataset)
    record = PrepareRecord(
        training_key=key,
        base=base,
        sources=build_source_records(run.prefix, spec.sources, reader.results, dataset),
        excluded_edits=tuple(reader.excluded_edits) or None,
        result=result,
    )
    context.stop.check()
    write_record(context.store, run, record)
    return record


def _try_tokenizer(tokenizer: "Tokenizer", dataset: Dataset, uri: str) -> None:
    """Encode every post once: some tokenizers fail at some texts alone. Raises SpecRefused (BaseModelRefused)."""
    from tweetbot_trainer.learning.model.tokenizer import encode_all

    encode_all(tokenizer, [post.text for post in dataset.posts], uri=uri)


def _store_accounts(context: StageContext, reader: SourceReader, uri: str) -> tuple[CardAccount, ...]:
    """Write the accounts' profiles beside the dataset, and return them."""
    accounts = build_accounts([read.profile for read in reader.results], context.log)
    store_accounts(context.store, uri, accounts)
    return accounts


def _check_statements(
    context: StageContext, accounts: tuple[CardAccount, ...], dataset: Dataset
) -> tuple[DataWarning, ...]:
    """Return a warning for each statement of the spec, and of labels, that the sources contradict."""
    spec = context.run.spec
    contradictions = find_contradictions(spec.subject, spec.sources, accounts)
    labels = build_label_warnings(find_wrong_labels(dataset.posts))
    warnings = (*contradictions.build_warnings(), *labels)
    for warning in warnings:
        context.log.warning("prepare.warning", reason=warning.reason, message=warning.message)
    return warnings


def _reuse_model(
    store: ObjectStore, run: RunDocument, training_key: str, log: Log, *, owned: str | None
) -> TrainSucceeded | None:
    """Adopt a published model; in another TweetBot's folder (`owned`) without moving latest.json."""
    if owned and not reserve_version_use(store, run, choose_version(store, run, training_key)):
        return None
    adopted = find_reusable(store, run, training_key)
    misses = judge_gates(run.spec, adopted.metrics) if adopted else ()
    if adopted is None or not can_publish(misses):
        return None  # the train stage will say which gate was missed
    if not owned:
        mark_adopted(store, run, adopted)
        adopted = serve(store, run, adopted)
    log.info("prepare.adopted", uri=adopted.model.uri)
    return adopted.model_copy(update={"gate_advisory": adopted.gate_advisory or build_advisory(misses)})
