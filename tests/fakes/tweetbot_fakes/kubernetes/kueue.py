"""What Kueue writes on Jobs, by a queue with room for a few: it suspends, admits and evicts, and writes no more."""

import json
from collections.abc import Callable
from typing import Any

QUEUE, PRIORITY = "kueue.x-k8s.io/queue-name", "kueue.x-k8s.io/priority-class"
Document = dict[str, Any]
#: kubectl in the queue's namespace; answers what it printed.
Kubectl = Callable[..., str]


class FakeKueue:
    """The one queue of a namespace. Whose priority class is `high` goes before all others, and in their place."""

    def __init__(self, kubectl: Kubectl, jobs: Callable[[], list[Document]], room: int = 1) -> None:
        """`jobs` returns all Jobs of the namespace."""
        self._kubectl, self._all_jobs, self._room = kubectl, jobs, room

    def tick(self) -> None:
        """Look once at the Jobs, and give the room to those whose turn it is; what leaves it makes room at the next."""
        jobs = [job for job in self._jobs() if not _ended(job)]
        first = [_name(job) for job in sorted(jobs, key=_turn)[: self._room]]
        inside = [job for job in jobs if not job["spec"].get("suspend")]
        for job in inside:
            if _name(job) not in first:
                self._edit(job, {"suspend": True})
        for job in jobs:
            if job not in inside and _name(job) in first and len(inside) < self._room:
                self._edit(
                    job, {"suspend": False, "template": {"spec": {"nodeSelector": {"kubernetes.io/os": "linux"}}}}
                )

    def _jobs(self) -> list[Document]:
        return [job for job in self._all_jobs() if QUEUE in job["metadata"].get("labels", {})]

    def _edit(self, job: Document, spec: Document) -> None:
        self._kubectl("patch", "job", _name(job), "--type=merge", "-p", json.dumps({"spec": spec}))


def _name(job: Document) -> str:
    return str(job["metadata"]["name"])


def _ended(job: Document) -> bool:
    conditions = job["status"].get("conditions") or ()
    ended = any(each["type"] in ("Complete", "Failed") and each["status"] == "True" for each in conditions)
    return ended or "deletionTimestamp" in job["metadata"]


def _turn(job: Document) -> tuple[bool, str, str]:
    metadata = job["metadata"]
    return (metadata["labels"].get(PRIORITY) != "high", metadata["creationTimestamp"], _name(job))
