"""Records where a dataset and a model come from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.spec.sources import Source
from tweetbot_trainer.data.dataset.dataset import Dataset
from tweetbot_trainer.data.dataset.source_records import SourceRecord, get_kind, get_source_uri
from tweetbot_trainer.data.dataset.splits import Order
from tweetbot_trainer.publishing.registry.manifest import Provenance
from tweetbot_trainer.publishing.registry.run_record import drop_page_records
from tweetbot_trainer.runtime.versions import get_library_versions
from tweetbot_trainer.stages.source_reading import SourceResult
from tweetbot_trainer.stages.training_plan import TrainingPlan

if TYPE_CHECKING:  # it imports torch, which prepare must not
    from tweetbot_trainer.learning.training.device import Device


def build_provenance(run: RunDocument, plan: TrainingPlan, device: "Device", ordered_by: Order) -> Provenance:
    """Describe what a version was made from, by which code and on which device."""
    subject = run.spec.subject
    return Provenance(
        base=plan.base.as_record(),
        sources=drop_page_records(plan.sources),
        training=plan.values.as_json(),
        ordered_by=ordered_by,
        seed=plan.values.seed,
        image=run.image,
        processor=device.name,
        threads=device.threads,
        precision=device.precision,
        product_seconds=device.products.as_json() if device.products else None,
        versions=get_library_versions(),
        handle=subject.handle,
        relation=subject.relation,
        consent_ref=subject.consent_ref,
    )


def build_source_records(
    prefix: str, sources: Sequence[Source], read: Sequence[SourceResult], dataset: Dataset
) -> tuple[SourceRecord, ...]:
    """Describe each source: the objects that were read, the account, the drop counts and the dates of its posts."""
    return tuple(
        SourceRecord(
            kind=get_kind(source),
            uri=get_source_uri(prefix, source),
            objects=seen.objects,
            account_id=seen.profile.account_id if seen.profile else None,
            handle=seen.profile.handle if seen.profile else None,
            table=table,
            oldest_post_at=oldest,
            newest_post_at=newest,
        )
        for source, seen, table, (oldest, newest) in zip(
            sources, read, dataset.source_tables, dataset.date_ranges, strict=True
        )
    )
