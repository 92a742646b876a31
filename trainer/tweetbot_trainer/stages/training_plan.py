"""What a run trains: decided before torch is imported."""

from dataclasses import dataclass

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import DatasetResult as DatasetResult
from tweetbot_trainer.data.dataset.dataset import Dataset
from tweetbot_trainer.data.dataset.source_records import SourceRecord
from tweetbot_trainer.data.dataset.store import get_dataset_uri, load_dataset
from tweetbot_trainer.learning.fingerprint import fingerprint
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.values import Hyperparameters, resolve_hyperparameters, resolve_lora
from tweetbot_trainer.publishing.registry.lookup import choose_version, find_reusable
from tweetbot_trainer.publishing.registry.run_record import read_record
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.gates import can_publish, judge_gates
from tweetbot_trainer.store import ObjectStore


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
    run = context.run
    digest = run.dataset or ""
    record = read_record(context.store, run)
    if record and record.result.dataset.digest != digest:
        record = None
    base = record.base if record else context.resolve_base()
    data = record.result.dataset if record else _read_dataset_result(context, digest)
    values, key = choose_values(context.store, run, base, data, record.training_key if record else None)
    return TrainingPlan(
        data=data,
        base=base,
        sources=record.sources if record else (),
        values=values,
        key=key,
        version=choose_version(context.store, run, key),
    )


def choose_values(
    store: ObjectStore, run: RunDocument, base: BaseIdentity, data: DatasetResult, recorded_key: str | None = None
) -> tuple[Hyperparameters, str]:
    """Return the run's hyperparameters, and the training key that they give.

    The defaults of small accounts are newer than some runs and models, and must not train these again (decision 56):
    a run that was prepared without them goes on without, and so does one that can publish what was trained without.
    """
    spec = run.spec
    lora, kept = resolve_lora(spec.model), data.table.kept
    former, present = (
        resolve_hyperparameters(
            spec.training, base.uri, spec.sources, lora, posts=posts, architecture=(base.architecture, base.channels)
        )
        for posts in (None, kept)
    )
    former_key, key = (fingerprint(data.digest, base, values) for values in (former, present))
    if key == former_key or recorded_key == key:
        return present, key
    if recorded_key == former_key or _can_serve(store, run, former_key):
        return former, former_key
    return present, key


def _can_serve(store: ObjectStore, run: RunDocument, key: str) -> bool:
    """Tell whether a version with this training key is published, and the run need not train another one."""
    found = None if run.forced else find_reusable(store, run, key)
    return found is not None and can_publish(judge_gates(run.spec, found.metrics))


def _read_dataset_result(context: StageContext, digest: str) -> DatasetResult:
    return build_dataset_result(load_dataset(context.store, context.run, digest), get_dataset_uri(context.run, digest))
