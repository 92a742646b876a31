"""Evidence of one namespace on a real API server: the audit log's changes, and what is left."""

import json
import re
from pathlib import Path
from typing import Any

from tweetbot_cluster.kubernetes.api_server import ApiServer
from tweetbot_faults.evidence import Change, Evidence, Manifest, Verb

OPERATOR = "tweetbot-operator"
_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PATHS = {"tweetbots": "/apis/tweetbot.dev/v1alpha1", "jobs": "/apis/batch/v1"}


def read_changes(audit_log: Path, namespace: str) -> list[Change]:
    """Return the committed changes of TweetBots and Jobs in a namespace, in the log's order."""
    mark = f'"{namespace}"'.encode()
    with audit_log.open("rb") as lines:
        found = [line for line in lines if mark in line and line.endswith(b"\n")]
    entries = [json.loads(_neutralize(line.decode(), namespace)) for line in found]
    return [change for entry in entries if (change := _read(entry))]


def _read(entry: dict[str, Any]) -> Change | None:
    about, shown = entry.get("objectRef") or {}, entry.get("responseObject") or {}
    wrote = entry["verb"] not in ("get", "list", "watch") and entry.get("responseStatus", {}).get("code", 500) < 300
    if not wrote or about.get("resource") not in _PATHS or "dryRun=" in entry["requestURI"]:
        return None
    item = _complete(shown, about)
    actor: Any = "operator" if entry["user"]["username"] == OPERATOR else "world"
    return Change(actor, _classify(entry["verb"], shown, item), about["resource"], item) if item else None


def _complete(shown: Manifest, about: dict[str, Any]) -> Manifest | None:
    """Return the object of an answer; a deletion at once is answered by a Status with its uid."""
    if shown.get("kind") == "Status":
        details = shown.get("details") or {}
        metadata = {"namespace": about.get("namespace", ""), "name": about.get("name", "")}
        return {"metadata": {**metadata, "uid": details.get("uid", "")}}
    return shown if "metadata" in shown and "uid" in shown["metadata"] else None


def _classify(verb: str, shown: Manifest, item: Manifest | None) -> Verb:
    metadata = (item or {}).get("metadata", {})
    ending = "deletionTimestamp" in metadata and not metadata.get("finalizers")
    if shown.get("kind") == "Status" or (ending and verb != "delete"):
        return "gone"
    names: dict[str, Verb] = {"create": "create", "delete": "delete"}
    return names.get(verb, "update")


def _neutralize(text: str, namespace: str) -> str:
    """Give every namespace the same name, a cleanup one without its TweetBot's uid, and Pods those of their Jobs."""
    text = re.sub(r"-[0-9a-z]{8}-cleanup", "-cleanup", text.replace(namespace, "team-a"))
    return re.sub(r"-(prepare|train|cleanup)-[0-9a-z]{5}\b", r"-\1", text)


def read_end(api: ApiServer, namespace: str) -> list[tuple[str, Manifest]]:
    """Return what is left there of TweetBots and Jobs."""
    left = []
    for kind, prefix in _PATHS.items():
        text = _neutralize(api.request("GET", f"{prefix}/namespaces/{namespace}/{kind}"), namespace)
        left += [(kind, item) for item in json.loads(_UID.sub("a-uid", text))["items"] or ()]
    return left


def read_evidence(audit_log: Path, api: ApiServer, namespace: str) -> Evidence:
    """Return all of it."""
    return Evidence(changes=read_changes(audit_log, namespace), end=read_end(api, namespace))
