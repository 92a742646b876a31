"""What a run trains: decided before torch is imported."""

from dataclasses import dataclass

from tweetbot_contract.result import DatasetResult as DatasetResult
from tweetbot_trainer.data.dataset.dataset import Dataset
from tweetbot_trainer.data.dataset.source_records import SourceRecord
from tweetbot_trainer.data.dataset.store import get_dataset_uri, load_dataset
from tweetbot_trainer.learning.fingerprint import fingerprint
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.values import Hyperparameters, resolve_hyperparameters, resolve_lora
from tweetbot_trainer.publishing.registry.lookup import choose_version
from tweetbot_trainer.publishing.registry.run_record import read_record
from tweetbot_trainer.stages.context import StageContext


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """The dataset, the base and the hyperparameters, and the name of the version that they give."""

    data: DatasetResult
    base: BaseIdentity
    sources: tuple[SourceRecord, ...]
    values: Hyperparameters
    key: str
    version: str


def build_dataset_result(dataset: Dataset, uri: str) -> DatasetResult:
    """Describe a stored dataset."""
    return DatasetResult(digest=dataset.digest, uri=uri, table=dataset.table, newest_post_at=dataset.newest_post_at)


def build_training_plan(context: StageContext) -> TrainingPlan:
    """Plan a training from the record of the prepare stage, or from the spec if the record is of another dataset.

    Raises SpecRefused if the run document names no dataset, or one that is gone.
    """
    run, spec = context.run, context.run.spec
    digest = run.dataset or ""
    record = read_record(context.store, run)
    if record and record.result.dataset.digest != digest:
        record = None
    base = record.base if record else context.resolve_base()
    values = resolve_hyperparameters(spec.training, base.uri, spec.sources, resolve_lora(spec.model))
    key = fingerprint(digest, base, values)
    return TrainingPlan(
        data=record.result.dataset if record else _read_dataset_result(context, digest),
        base=base,
        sources=record.sources if record else (),
        values=values,
        key=key,
        version=choose_version(context.store, run, key),
    )


def _read_dataset_result(context: StageContext, digest: str) -> DatasetResult:
    return build_dataset_result(load_dataset(context.store, context.run, digest), get_dataset_uri(context.run, digest))
