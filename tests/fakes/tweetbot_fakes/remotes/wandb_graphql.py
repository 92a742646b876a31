"""What the fake Weights & Biases server knows, and its answers to the GraphQL operations of the 0.31 client."""

import json
import threading
from collections.abc import Callable
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
    """The server's state. `fault` may be changed at any time; in projects of `closed` nobody may write."""

    url: str = ""
    uploads_url: str = ""
    fault: Fault = "none"
    closed: set[str] = field(default_factory=set)
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

    def answer(self, operation: str, variables: Json) -> Json | None:
        """Return the data of a GraphQL operation; None for an unknown one."""
        known = _OPERATIONS.get(operation)
        return known(self, variables) if known else None


def _upsert_bucket(server: FakeWandb, variables: Json) -> Json:
    if variables.get("project") in server.closed:
        raise Refused(f"permission denied: {variables['project']}")
    run = server.run(variables["name"])
    run.fields |= {name: value for name, value in variables.items() if value is not None}
    if variables.get("config"):
        run.config |= json.loads(variables["config"])
    project = {"id": "p1", "name": variables.get("project") or "uncategorized"}
    project["entity"] = {"id": "e1", "name": variables.get("entity") or ENTITY}
    bucket = {"id": run.name, "name": run.name, "displayName": variables.get("displayName"), "description": None}
    bucket |= {"config": json.dumps(run.config), "sweepName": None, "project": project, "historyLineCount": 0}
    return {"upsertBucket": {"bucket": bucket, "inserted": True}}


def _resume_status(server: FakeWandb, variables: Json) -> Json:
    run = server.runs.get(variables["name"])
    bucket: Json | None = None
    if run:
        tail = json.dumps([json.dumps(row) for row in list(run.history.values())[-1:]])
        bucket = {
            "id": run.name,
            "name": run.name,
            "summaryMetrics": json.dumps(run.summary),
            "displayName": run.fields.get("displayName"),
            "logLineCount": 0,
            "historyLineCount": len(run.history),
            "eventsLineCount": 0,
            "historyTail": tail,
            "eventsTail": "[]",
            "config": json.dumps(run.config),
            "tags": [],
            "notes": None,
            "wandbConfig": json.dumps({"t": 1}),
        }
    entity = {"id": "e1", "name": ENTITY}
    return {"model": {"id": "p1", "name": variables["project"], "entity": entity, "bucket": bucket}}


def _list_reports(server: FakeWandb, variables: Json) -> Json:
    edges = [{"node": _report(server, one, variables), "cursor": one.id} for one in server.reports.values()]
    pages = {"endCursor": None, "hasNextPage": False}
    return {"project": {"allViews": {"edges": edges, "pageInfo": pages}}}


def _report(server: FakeWandb, report: RecordedReport, variables: Json) -> Json:
    return {
        "id": report.id,
        "type": "runs",
        "name": report.id,
        "displayName": report.title,
        "description": report.description,
        "project": {"id": "p1", "name": variables.get("projectName"), "entityName": variables.get("entityName")},
        "user": None,
        "spec": json.dumps(report.spec),
        "createdAt": "2026-11-23T00:00:00Z",
        "updatedAt": "2026-11-23T00:00:00Z",
    }


def _upsert_report(server: FakeWandb, variables: Json) -> Json:
    if server.reports_fault:
        raise Refused("permission denied: reports")
    identifier = variables.get("id") or f"report{len(server.reports)}=="
    spec = json.loads(variables["spec"])
    report = RecordedReport(identifier, variables["displayName"], variables["description"], spec)
    server.reports[identifier] = report
    return {"upsertView": {"view": _report(server, report, variables), "inserted": not variables.get("id")}}


def _viewer(_server: FakeWandb, _variables: Json) -> Json:
    teams: Json = {"edges": []}
    return {"viewer": {"id": "v1", "entity": ENTITY, "username": "gull", "email": "", "flags": "{}", "teams": teams}}


def _create_run_files(server: FakeWandb, variables: Json) -> Json:
    place = f"{server.uploads_url or server.url}/upload/run/{variables['run']}"
    files = [{"name": name, "uploadUrl": f"{place}/{name}"} for name in variables["files"]]
    return {"createRunFiles": {"runID": variables["run"], "uploadHeaders": [], "files": files}}


def _create_artifact(server: FakeWandb, variables: Json) -> Json:
    given = variables["input"]
    name = given["artifactCollectionName"]
    same = (one for one in server.artifacts.values() if (one.name, one.digest) == (name, given["digest"]))
    artifact = next(same, None)
    if artifact is None:
        metadata = json.loads(given["metadata"] or "{}")
        identifier, index = f"artifact-{len(server.artifacts)}", len(server.versions(name))
        artifact = RecordedArtifact(identifier, name, given["artifactTypeName"], given["digest"], metadata, index)
        server.artifacts[artifact.id] = artifact
    _move_aliases(server, artifact, {one["alias"] for one in given.get("aliases") or ()})
    if given.get("runName"):
        artifact.made_by.add(given["runName"])
    state = "COMMITTED" if artifact.committed else "PENDING"
    sequence = {"latestArtifact": None}
    return {"createArtifact": {"artifact": {"id": artifact.id, "state": state, "artifactSequence": sequence}}}


def _move_aliases(server: FakeWandb, artifact: RecordedArtifact, aliases: set[str]) -> None:
    """Give a version these aliases; each names one version of an artifact only."""
    for other in server.artifacts.values():
        if other.name == artifact.name:
            other.aliases -= aliases
    artifact.aliases |= aliases


def _create_manifest(server: FakeWandb, variables: Json) -> Json:
    artifact = variables.get("artifactID") or variables["input"]["artifactID"]
    file: Json = {
        "id": "f1",
        "name": "wandb_manifest.json",
        "displayName": "wandb_manifest.json",
        "uploadUrl": f"{server.uploads_url or server.url}/upload/manifest/{artifact}",
        "uploadHeaders": [],
        "storagePath": "wandb_manifest.json",
        "uploadMultipartUrls": None,
    }
    return {"createArtifactManifest": {"artifactManifest": {"id": f"manifest-{artifact}", "file": file}}}


def _create_artifact_files(server: FakeWandb, variables: Json) -> Json:
    nodes = [_artifact_file(server, given) for given in variables["input"]["artifactFiles"]]
    return {"createArtifactFiles": {"files": {"edges": [{"node": node} for node in nodes]}}}


def _artifact_file(server: FakeWandb, given: Json) -> Json:
    return {
        "id": given["name"],
        "name": given["name"],
        "displayName": given["name"],
        "uploadUrl": f"{server.uploads_url or server.url}/upload/artifact/{given['artifactID']}/{given['name']}",
        "uploadHeaders": [],
        "artifact": {"id": given["artifactID"]},
        "storagePath": given["name"],
        "uploadMultipartUrls": None,
    }


def _commit_artifact(server: FakeWandb, variables: Json) -> Json:
    identifier = variables.get("artifactID") or variables["input"]["artifactID"]
    server.artifacts[identifier].committed = True
    return {"commitArtifact": {"artifact": {"id": identifier, "digest": server.artifacts[identifier].digest}}}


def _use_artifact(server: FakeWandb, variables: Json) -> Json:
    given = variables.get("input", variables)
    server.artifacts[given["artifactID"]].used_by.add(given["runName"])
    return {"useArtifact": {"artifact": {"id": given["artifactID"], "digest": ""}}}


def _artifact_by_id(server: FakeWandb, variables: Json) -> Json:
    artifact = server.artifacts[variables["id"]]
    project = {"id": "p1", "internalId": "cDE=", "name": "huggingtweets", "entity": {"id": "e1", "name": ENTITY}}
    sequence = {"__typename": "ArtifactSequence", "id": f"sequence-{artifact.id}", "name": artifact.name}
    fields = {
        "__typename": "Artifact",
        "id": artifact.id,
        "artifactSequence": {**sequence, "project": project},
        "versionIndex": artifact.index,
        "artifactType": {"name": artifact.type},
        "description": None,
        "metadata": json.dumps(artifact.metadata),
        "ttlDurationSeconds": -1,
        "ttlIsInherited": True,
        "tags": [],
        "historyStep": None,
        "state": "COMMITTED" if artifact.committed else "PENDING",
        "size": 0,
        "digest": artifact.digest,
        "commitHash": "c0ffee",
        "fileCount": 1,
        "createdAt": "2026-11-23T00:00:00Z",
        "updatedAt": None,
        "aliases": [{"id": one, "alias": one, "artifactCollection": None} for one in sorted(artifact.aliases)],
    }
    return {"artifact": fields}


def _artifact_type(server: FakeWandb, variables: Json) -> Json:
    name = variables["name"].partition(":")[0]
    kind = next((one.type for one in server.artifacts.values() if one.name == name), None)
    return {"project": {"artifact": {"artifactType": {"name": kind}} if kind else None}}


_OPERATIONS: dict[str, Callable[[FakeWandb, Json], Json]] = {
    "ArtifactByID": _artifact_by_id,
    "ArtifactType": _artifact_type,
    "CommitArtifact": _commit_artifact,
    "CreateArtifact": _create_artifact,
    "CreateArtifactFiles": _create_artifact_files,
    "CreateArtifactManifest": _create_manifest,
    "CreateRunFiles": _create_run_files,
    "ProjectViews": _list_reports,
    "RunResumeStatus": _resume_status,
    "RunStoppedStatus": lambda _server, _variables: {"project": {"run": {"stopped": False}}},
    "ServerFeaturesQuery": lambda _server, _variables: {"serverInfo": {"features": []}},
    "UpsertBucket": _upsert_bucket,
    "UseArtifact": _use_artifact,
    "upsertView": _upsert_report,
    "Viewer": _viewer,
}
