"""What stands in a version's manifest beside its files."""

from dataclasses import asdict

from tweetbot_contract.handover import RunDocument
from tweetbot_trainer.model.identity import BaseIdentity
from tweetbot_trainer.splits import Order
from tweetbot_trainer.training.processors import Processor
from tweetbot_trainer.training.values import TrainingValues
from tweetbot_trainer.version_manifest import Provenance
from tweetbot_trainer.versions import versions


def provenance_of(
    run: RunDocument, *, base: BaseIdentity, values: TrainingValues, processor: Processor, ordered_by: Order
) -> Provenance:
    """Return what the version was made from, by and on."""
    subject = run.spec.subject
    return Provenance(
        base=asdict(base),
        training=values.as_json(),
        ordered_by=ordered_by,
        seed=values.seed,
        image=run.image,
        processor=processor.name,
        threads=processor.threads,
        versions=versions(),
        relation=subject.relation,
        consent_ref=subject.consent_ref,
    )
