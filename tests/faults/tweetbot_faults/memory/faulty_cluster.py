"""The cluster in memory with one fault at one of the operator's writes, and a record of everything that changed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tweetbot_fakes.kubernetes.cluster import FakeCluster, Manifest
from tweetbot_fakes.kubernetes.copying import copy_json
from tweetbot_faults.evidence import Actor, Change, Verb
from tweetbot_operator.client import errors
from tweetbot_operator.client.interface import Kind

#: The Cluster's methods that write, by the names under which the fake counts their faults.
WRITES = ("create_job", "delete_job", "apply_status", "forget_status", "set_finalizers")
BEFORE, AFTER = "before", "after"


class Killed(BaseException):
    """The operator's process is no more: no handler on the way may catch it."""


@dataclass(frozen=True)
class WriteFault:
    """What happens at the operator's write number `at`, from 0: `name` says what, and before or after the commit."""

    at: int
    name: str


@dataclass
class FaultyCluster(FakeCluster):
    """Records each change; `fault` strikes once; `at_write` is called before the commit of each write."""

    fault: WriteFault | None = None
    struck: bool = False
    actor: Actor = "world"
    cause: str = ""
    changes: list[Change] = field(default_factory=list)
    at_write: Callable[[int], None] = lambda number: None
    broken: Callable[[str], errors.ApiError | None] = lambda method: None
    """What every request of a method meets, for as long as it answers an error."""
    _verb: str = ""

    def put(self, kind: Kind, manifest: Manifest) -> Manifest:
        metadata = manifest["metadata"]
        verb: Verb = "update" if (kind, metadata["namespace"], metadata["name"]) in self.objects else "create"
        if self.actor == "operator" and self._verb == "delete_job":
            verb = "delete"
        stored = super().put(kind, manifest)
        self._note(verb, kind, stored)
        return stored

    def remove(self, kind: Kind, namespace: str, name: str) -> None:
        gone = self.objects[kind, namespace, name]
        super().remove(kind, namespace, name)
        self._note("gone", kind, gone)

    def _note(self, verb: Verb, kind: Kind, manifest: Manifest) -> None:
        self.changes.append(
            Change(self.actor, verb, kind, copy_json(manifest), self.cause if self.actor == "operator" else "")
        )

    def _fault(self, method: str) -> None:
        self._verb = method
        super()._fault(method)
        if error := self.broken(method):
            raise error
        if method in WRITES:
            self.at_write(len(self.writes))
            self._strike(BEFORE, method)

    def _committed(self, write: str) -> None:
        super()._committed(write)
        self._strike(AFTER, self._verb, number=len(self.writes) - 1)

    def _strike(self, when: str, method: str, number: int | None = None) -> None:
        number = len(self.writes) if number is None else number
        if self.fault is None or self.struck or number != self.fault.at:
            return
        place, raise_fault = FAULTS[self.fault.name]
        if place == when:
            self.struck = True
            raise_fault(method)


def _raise(error: BaseException) -> Callable[[str], None]:
    def strike(method: str) -> None:
        raise error

    return strike


def _repeat(method: str) -> None:
    """Answer as to a second request, which a load balancer has sent and whose answer alone comes through."""
    raise errors.AlreadyExists("it exists") if method == "create_job" else errors.Conflict("it has been modified")


#: When each strikes, and what the operator meets then.
FAULTS: dict[str, tuple[str, Callable[[str], None]]] = {
    "kill-before": (BEFORE, _raise(Killed())),
    "kill-after": (AFTER, _raise(Killed())),
    "timeout-before": (BEFORE, _raise(errors.Timeout("no answer in time"))),
    "timeout-after": (AFTER, _raise(errors.Timeout("no answer in time"))),
    "reset-after": (AFTER, _raise(errors.Unavailable("ClientOSError: connection reset by peer"))),
    "409": (BEFORE, _raise(errors.Conflict("the object has been modified"))),
    "500": (BEFORE, _raise(errors.InternalError("500: etcdserver: leader changed"))),
    "503": (BEFORE, _raise(errors.Unavailable("503: the server is overloaded"))),
    "lease-lost": (BEFORE, _raise(errors.NotLeader("the lease is not ours"))),
    "sent-twice": (AFTER, _repeat),
}


def a_running_pod(job: Manifest, number: int, now: str) -> Manifest:
    """Return the Pod that the Job controller and the kubelet would make of a Job."""
    metadata = job["metadata"]
    owner = {"kind": "Job", "name": metadata["name"], "uid": metadata["uid"], "controller": True}
    state: dict[str, Any] = {"running": {"startedAt": now}}
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": now}
    return {
        "metadata": {
            "namespace": metadata["namespace"],
            "name": f"{metadata['name']}-{number}",
            "labels": dict(metadata["labels"]),
            "ownerReferences": [owner],
        },
        "spec": job["spec"]["template"]["spec"],
        "status": {
            "phase": "Running",
            "startTime": now,
            "conditions": [scheduled],
            "containerStatuses": [{"name": "trainer", "state": state}],
        },
    }
