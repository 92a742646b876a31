"""What a run trains: settled before torch is asked for anything."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tweetbot_contract.result import DatasetResult as DatasetResult
from tweetbot_trainer.data.dataset.source_records import SourceRecord
from tweetbot_trainer.data.dataset.store import get_dataset_uri, load_dataset
from tweetbot_trainer.learning.fingerprint import fingerprint
from tweetbot_trainer.learning.model.base_files import resolve_base_identity
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.values import Hyperparameters, resolve_hyperparameters, resolve_lora
from tweetbot_trainer.publishing.registry.lookup import choose_version
from tweetbot_trainer.publishing.registry.run_record import read_record
from tweetbot_trainer.stages.context import StageContext


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """The dataset, the base, the values, and the version's name that they give."""

    data: DatasetResult
    base: BaseIdentity
    sources: tuple[SourceRecord, ...]
    values: Hyperparameters
    key: str
    version: str

    def build_config(self) -> Mapping[str, Any]:
        """Return every hyper-parameter, for trackers."""
        return {**self.values.as_json(), "base": asdict(self.base), "dataset": self.data.digest, "key": self.key}


def build_training_plan(context: StageContext) -> TrainingPlan:
    """Return the plan of a training: what the run's preparation settled, as far as it speaks of the same dataset.

    Raises SpecRefused when the run document names no dataset, or one that is gone.
    """
    run, spec = context.run, context.run.spec
    digest = run.dataset or ""
    record = read_record(context.store, run)
    settled = record if record and record.result.dataset.digest == digest else None
    base = settled.base if settled else resolve_base_identity(spec, context.base_files, context.retry_budget)
    values = resolve_hyperparameters(spec.training, base.uri, spec.sources, resolve_lora(spec.model))
    key = fingerprint(digest, base, values)
    return TrainingPlan(
        data=settled.result.dataset if settled else _read_dataset_result(context, digest),
        base=base,
        sources=settled.sources if settled else (),
        values=values,
        key=key,
        version=choose_version(context.store, run, key),
    )


def _read_dataset_result(context: StageContext, digest: str) -> DatasetResult:
    dataset = load_dataset(context.store, context.run, digest)
    uri = get_dataset_uri(context.run, digest)
    return DatasetResult(digest=digest, uri=uri, table=dataset.table, newest_post_at=dataset.newest_post_at)
