"""Volumes as folders on the host, worded in failure as the kubelet words it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tweetbot_cluster.node.api import Objects, Refused
from tweetbot_cluster.node.pod.fields import UnknownField, field_of

Document = dict[str, Any]
Files = dict[str, tuple[bytes, int | None]]
"""Relative path -> (content, mode or None for the volume's default)."""


class MountFailed(Exception):
    """A volume cannot be set up yet; the message is a FailedMount Event's."""


async def set_up_volume(api: Objects, pod: Document, volume: Document, folder: Path) -> None:
    """Fill the folder of one volume. Raises MountFailed, Unreachable."""
    kind = next((key for key in volume if key != "name"), "emptyDir")
    source = volume.get(kind) or {}
    try:
        if kind == "emptyDir":
            files: Files = {}
        elif kind == "projected":
            files = await _projected(api, pod, source)
        else:
            files = await _files(api, pod, kind, source)
    except (LookupError, UnknownField) as error:
        raise MountFailed(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error.args[0]}') from None
    _write(folder, files, source.get("defaultMode"))


async def _projected(api: Objects, pod: Document, source: Document) -> Files:
    files: Files = {}
    for part in source.get("sources", []):
        kind = next(iter(part))
        files |= await _files(api, pod, kind, part[kind])
    return files


async def _files(api: Objects, pod: Document, kind: str, source: Document) -> Files:
    """Return the files of one source. Raises LookupError with the kubelet's words when something is missing."""
    if kind == "secret":
        name = source.get("secretName") or source["name"]  # a volume says secretName, a projection says name
        data = await _data(api, pod, "secret", name, optional=source.get("optional", False))
        return _chosen(data, source, "references non-existent secret key: {}")
    if kind == "configMap":
        data = await _data(api, pod, "configmap", source["name"], optional=source.get("optional", False))
        return _chosen(data, source, "configmap references non-existent config key: {}")
    if kind == "downwardAPI":
        return {item["path"]: (_field(pod, item).encode(), item.get("mode")) for item in source.get("items", [])}
    if kind == "serviceAccountToken":
        return {source["path"]: (await _token(api, pod, source), None)}
    raise LookupError(f"the process node knows no volume of kind {kind}")


def _field(pod: Document, item: Document) -> str:
    if "fieldRef" not in item:
        raise LookupError("the process node knows no resourceFieldRef")
    return field_of(pod, item["fieldRef"]["fieldPath"])


async def _data(api: Objects, pod: Document, kind: str, name: str, *, optional: bool) -> dict[str, bytes]:
    try:
        found = await api.get(f"/api/v1/namespaces/{pod['metadata']['namespace']}/{kind}s/{name}")
    except Refused as error:
        if error.status == 404 and optional:
            return {}
        raise LookupError(f'{kind} "{name}" not found' if error.status == 404 else str(error)) from None
    encoded = {**found.get("binaryData", {}), **(found.get("data", {}) if kind == "secret" else {})}
    plain = found.get("data", {}) if kind == "configmap" else {}
    decoded = {key: base64.b64decode(value) for key, value in encoded.items()}
    return decoded | {key: value.encode() for key, value in plain.items()}


def _chosen(data: Mapping[str, bytes], source: Document, complaint: str) -> Files:
    """Return all keys as files, or those that `items` names."""
    if not source.get("items"):
        return {key: (value, None) for key, value in data.items()}
    files: Files = {}
    for item in source["items"]:
        if item["key"] in data:
            files[item["path"]] = (data[item["key"]], item.get("mode"))
        elif not source.get("optional"):
            raise LookupError(complaint.format(item["key"]))
    return files


async def _token(api: Objects, pod: Document, source: Document) -> bytes:
    metadata, account = pod["metadata"], pod["spec"].get("serviceAccountName", "default")
    path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
    bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
    spec: Document = {"expirationSeconds": source.get("expirationSeconds", 3600), "boundObjectRef": bound}
    if source.get("audience"):
        spec["audiences"] = [source["audience"]]
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    try:
        answer = await api.create(path, request)
    except Refused as error:
        raise LookupError(f"failed to fetch token: {error}") from None
    return str(answer["status"]["token"]).encode()


def _write(folder: Path, files: Files, default_mode: int | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (content, mode) in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_bytes(content)
        file.chmod(mode or default_mode or 0o644)
