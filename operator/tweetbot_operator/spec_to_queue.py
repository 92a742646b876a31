"""Scheduling and stage → what makes a Job wait in a Kueue queue: two labels, and its suspension from the start.

Kueue's webhook suspends a Job of its queues as it is created. We do so ourselves, since the webhook may be set to be
passed over where it is away, or may not look at the namespace: a training that begins past its queue takes what is not
its own. From then on `suspend` and the template are Kueue's.
"""

from typing import Any

from tweetbot_contract.handover import PRIORITY_LABEL, QUEUE_LABEL
from tweetbot_contract.scheduling import Scheduling
from tweetbot_contract.status import Stage

Manifest = dict[str, Any]


def queue_of(scheduling: Scheduling, stage: Stage) -> str | None:
    """Return the LocalQueue that a stage waits in; None for one that begins at once."""
    return scheduling.queue_name if stage == "Train" or scheduling.queue_prepare else None


def queue_labels(scheduling: Scheduling, stage: Stage) -> dict[str, str]:
    """Return Kueue's labels of a stage's Job. A priority counts in the namespace's default queue, too."""
    labels = {QUEUE_LABEL: queue_of(scheduling, stage), PRIORITY_LABEL: scheduling.workload_priority_class_name}
    return {name: value for name, value in labels.items() if value}


def suspension(scheduling: Scheduling, stage: Stage) -> Manifest:
    """Return the fields of a Job's spec that hold it back until its queue admits it."""
    return {"suspend": True} if queue_of(scheduling, stage) else {}
