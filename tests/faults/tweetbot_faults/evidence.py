"""What an oracle judges by: every committed change of a namespace's objects, in order, and what there is at the end.

It comes from the API server's audit log, or from the store of the cluster in memory: never from what the operator says.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Manifest = dict[str, Any]
Actor = Literal["operator", "world"]
Verb = Literal["create", "update", "delete", "gone"]
#: Whose difference between two runs means nothing: identities and times. `pods` counts those that an operator has
#: seen, as `ranSeconds` does: what ends and goes while there is no operator is in neither. What a run
#: is expected to take follows from what the one before took.
MASKED = frozenset(
    {
        *("uid", "resourceVersion", "creationTimestamp", "managedFields", "deletionTimestamp", "generation"),
        *(
            "lastTransitionTime",
            "startedAt",
            "finishedAt",
            "ranSeconds",
            "minutes",
            "minutesLeast",
            "minutesMost",
            "countedPods",
            "startTime",
            "completionTime",
            "lastProbeTime",
            "jobCreatedAt",
        ),
        *("pods", "attempts", "at", "jobCreations"),
        *("observedGeneration", "lastScheduleTime", "nextScheduleTime", "retryAt", "publishedAt"),
    }
)


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
#: The name of a Job beside the stages: the time of its request is in it.
_REQUEST = re.compile(r"-[0-9a-f]{8}-(pin|forget)\b")


@dataclass(frozen=True)
class Change:
    """A committed change; `object` is what the server kept after it, or what it was before it was gone."""

    actor: Actor
    verb: Verb
    kind: str
    object: Manifest
    cause: str = ""
    """The namespace whose TweetBot the operator was at work on, where that is known."""

    @property
    def metadata(self) -> Manifest:
        metadata: Manifest = self.object["metadata"]
        return metadata

    @property
    def uid(self) -> str:
        return str(self.metadata["uid"])

    @property
    def place(self) -> tuple[str, str]:
        return str(self.metadata["namespace"]), str(self.metadata["name"])


@dataclass
class Evidence:
    """One play: what changed, what is left, what users wrote last, and how the process fared."""

    changes: list[Change] = field(default_factory=list)
    end: list[tuple[str, Manifest]] = field(default_factory=list)
    """Kind and object of everything that is left."""
    reached: bool = True
    """Whether the end of the workload was reached in time."""
    late_writes: int = 0
    """The operator's writes after the end, while nothing happened any more."""
    wishes: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    """By namespace and name: labels, annotations and spec as a user wrote them last."""
    texts: dict[str, str] = field(default_factory=dict)
    """Whatever people can read, by where: logs, Events, conditions."""
    process: list[str] = field(default_factory=list)
    """What is wrong with the operator's process: not healthy, a traceback, too much memory."""

    def of(self, kind: str, actor: Actor | None = None) -> Iterator[Change]:
        """Yield the changes of one kind, by one actor or by all."""
        return (each for each in self.changes if each.kind == kind and actor in (None, each.actor))

    def of_operator(self) -> Iterator[Change]:
        """Yield what the operator wrote."""
        return (each for each in self.changes if each.actor == "operator")

    def left(self, kind: str) -> list[Manifest]:
        """Return what is left of a kind."""
        return [item for of, item in self.end if of == kind]


def mask(value: Any) -> Any:
    """Leave out what differs between any two runs."""
    if isinstance(value, dict):
        return {key: mask(item) for key, item in value.items() if key not in MASKED}
    if isinstance(value, str):
        return _REQUEST.sub(r"-a-request-\1", _TIME.sub("a time", value))
    return [mask(item) for item in value] if isinstance(value, list | tuple) else value
