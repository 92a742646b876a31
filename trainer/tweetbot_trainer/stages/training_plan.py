"""What a run trains: settled before torch is asked for anything."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tweetbot_contract.result import Dataset as DatasetResult
from tweetbot_trainer.data.dataset.source_records import SourceRecord
from tweetbot_trainer.data.dataset.store import dataset_uri, required_dataset
from tweetbot_trainer.learning.fingerprint import training_key
from tweetbot_trainer.learning.model.base_files import identified_base
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.values import TrainingValues, effective_values, lora_of
from tweetbot_trainer.publishing.registry.lookup import version_for
from tweetbot_trainer.publishing.registry.run_record import read_record
from tweetbot_trainer.stages.context import StageContext


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """The dataset, the base, the values, and the version's name that they give."""

    data: DatasetResult
    base: BaseIdentity
    sources: tuple[SourceRecord, ...]
    values: TrainingValues
    key: str
    version: str

    def as_config(self) -> Mapping[str, Any]:
        """Return every hyper-parameter, for trackers."""
        return {**self.values.as_json(), "base": asdict(self.base), "dataset": self.data.digest, "key": self.key}


def plan_of(context: StageContext) -> TrainingPlan:
    """Return the plan of a training: what the run's preparation settled, as far as it speaks of the same dataset.

    Raises SpecRefused when the run document names no dataset, or one that is gone.
    """
    run, spec = context.run, context.run.spec
    digest = run.dataset or ""
    record = read_record(context.store, run)
    settled = record if record and record.result.dataset.digest == digest else None
    base = settled.base_identity if settled else identified_base(spec, context.base_files, context.patience)
    values = effective_values(spec.training, base.uri, spec.sources, lora_of(spec.model))
    key = training_key(digest, base, values)
    return TrainingPlan(
        data=settled.result.dataset if settled else _told_by_snapshot(context, digest),
        base=base,
        sources=settled.sources if settled else (),
        values=values,
        key=key,
        version=version_for(context.store, run, key),
    )


def _told_by_snapshot(context: StageContext, digest: str) -> DatasetResult:
    dataset = required_dataset(context.store, context.run, digest)
    uri = dataset_uri(context.run, digest)
    return DatasetResult(digest=digest, uri=uri, table=dataset.table, newest_post_at=dataset.newest_post_at)
