"""Answers of the fake Weights & Biases server to the GraphQL operations of the 0.31 client."""

import json
from collections.abc import Callable

from tweetbot_fakes.remotes.wandb_state import (
    ENTITY,
    FakeWandb,
    Json,
    RecordedArtifact,
    RecordedReport,
    Refused,
)


def answer(server: FakeWandb, operation: str, variables: Json) -> Json | None:
    """Return the data of a GraphQL operation; None for an unknown one."""
    known = _OPERATIONS.get(operation)
    return known(server, variables) if known else None


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


def _find_run(server: FakeWandb, variables: Json) -> Json:
    if variables["project"] in server.hidden:
        return {"project": None}
    run = server.runs.get(variables["name"])
    return {"project": {"run": {"id": f"{variables['project']}:{run.name}"} if run else None}}


def _delete_run(server: FakeWandb, variables: Json) -> Json:
    """Delete a run, and with `deleteArtifacts` what it made."""
    project, _, name = variables["id"].partition(":")
    if project in server.closed:
        raise Refused(f"permission denied: {project}")
    del server.runs[name]
    if variables["deleteArtifacts"]:
        for made in [one.id for one in server.artifacts.values() if name in one.made_by]:
            del server.artifacts[made]
    return {"deleteRun": {"clientMutationId": None}}


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
    "DeleteRun": _delete_run,
    "ProjectViews": _list_reports,
    "Run": _find_run,
    "RunResumeStatus": _resume_status,
    "RunStoppedStatus": lambda _server, _variables: {"project": {"run": {"stopped": False}}},
    "ServerFeaturesQuery": lambda _server, _variables: {"serverInfo": {"features": []}},
    "UpsertBucket": _upsert_bucket,
    "UseArtifact": _use_artifact,
    "upsertView": _upsert_report,
    "Viewer": _viewer,
}
