"""What the fake Weights & Biases server knows."""

import threading
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
#: refuse: the connection is closed without an answer. hang: no answer until the server ends. 401: the key is unknown.
#: unavailable: 503 to everything. stream: 500 to the history only. reports: no answer to who asks for reports.
Fault = Literal["none", "refuse", "hang", "401", "unavailable", "stream", "reports"]
ENTITY = "harbour"


@dataclass
class RecordedRun:
    """What the server knows about one run."""

    name: str
    fields: Json = field(default_factory=dict)
    config: Json = field(default_factory=dict)
    history: dict[int, Json] = field(default_factory=dict)
    summary: Json = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    exit_code: int | None = None


@dataclass
class RecordedArtifact:
    """One version of an artifact, its aliases, and which runs made or used it; unseen until it is committed."""

    id: str
    name: str
    type: str
    digest: str
    metadata: Json
    index: int = 0
    aliases: set[str] = field(default_factory=set)
    made_by: set[str] = field(default_factory=set)
    used_by: set[str] = field(default_factory=set)
    manifest: Json = field(default_factory=dict)
    committed: bool = False


@dataclass
class RecordedReport:
    """A report, which the server calls a view."""

    id: str
    title: str
    description: str
    spec: Json


class Refused(Exception):
    """The server knows the key's user and does not let it do this: 403."""


@dataclass
class FakeWandb:
    """The server's state. `fault` may be changed at any time; in projects of `closed` nobody may write or delete.

    Those of `hidden` are not shown to the key.
    """

    url: str = ""
    uploads_url: str = ""
    fault: Fault = "none"
    closed: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    runs: dict[str, RecordedRun] = field(default_factory=dict)
    artifacts: dict[str, RecordedArtifact] = field(default_factory=dict)
    reports: dict[str, RecordedReport] = field(default_factory=dict)
    reports_fault: bool = False
    unknown: list[str] = field(default_factory=list)
    received: bytearray = field(default_factory=bytearray)
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, name: str) -> RecordedRun:
        return self.runs.setdefault(name, RecordedRun(name))

    def artifact(self, name: str) -> RecordedArtifact:
        """Return the newest version of an artifact."""
        return next(one for one in reversed(self.artifacts.values()) if one.name == name)

    def versions(self, name: str) -> list[RecordedArtifact]:
        """Return every version of an artifact that is committed, oldest first."""
        return [one for one in self.artifacts.values() if one.name == name and one.committed]

    def uncommitted(self) -> list[str]:
        """Return the names of artifacts that were begun and never committed."""
        return [one.name for one in self.artifacts.values() if not one.committed]
