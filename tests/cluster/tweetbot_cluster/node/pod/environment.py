"""A container's environment, from literals, Secrets, ConfigMaps and the Pod's own fields."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from tweetbot_cluster.node.api import Objects, Refused
from tweetbot_cluster.node.pod.expansion import expand
from tweetbot_cluster.node.pod.fields import UnknownField, field_of

Document = dict[str, Any]
KINDS = {"secretRef": ("secrets", "Secret"), "secretKeyRef": ("secrets", "Secret"),
         "configMapRef": ("configmaps", "ConfigMap"), "configMapKeyRef": ("configmaps", "ConfigMap")}  # fmt: skip


class ConfigError(Exception):
    """The container cannot be set up until somebody changes something; worded as the kubelet words it."""


async def environment(api: Objects, pod: Document, container: Document, given: Mapping[str, str]) -> dict[str, str]:
    """Return the container's variables; `given` is what image and node add where the container says nothing.

    Raises ConfigError, Unreachable.
    """
    variables: dict[str, str] = {}
    for source in container.get("envFrom", []):
        variables |= await _all_of(api, pod, source)
    for entry in container.get("env", []):
        value = await _value(api, pod, entry, variables)
        if value is not None:
            variables[entry["name"]] = value
    return {**given, **variables}


async def _value(api: Objects, pod: Document, entry: Document, known: Mapping[str, str]) -> str | None:
    if "valueFrom" not in entry:
        return expand(entry.get("value", ""), known)
    kind, reference = next(iter(entry["valueFrom"].items()))
    if kind == "fieldRef":
        try:
            return field_of(pod, reference["fieldPath"])
        except UnknownField as error:
            raise ConfigError(str(error)) from None
    if kind not in KINDS:
        raise ConfigError(f"the process node does not know env from {kind}")
    data = await _data(api, pod, kind, reference)
    if reference["key"] in data:
        return data[reference["key"]]
    if reference.get("optional"):
        return None
    where = f"{KINDS[kind][1]} {pod['metadata']['namespace']}/{reference['name']}"
    raise ConfigError(f"couldn't find key {reference['key']} in {where}")


async def _all_of(api: Objects, pod: Document, source: Document) -> dict[str, str]:
    kind = next(key for key in source if key != "prefix")
    data = await _data(api, pod, kind, source[kind])
    return {source.get("prefix", "") + key: value for key, value in data.items()}


async def _data(api: Objects, pod: Document, kind: str, reference: Document) -> dict[str, str]:
    """Return the texts of a Secret or ConfigMap; nothing if it is missing and optional."""
    resource, _ = KINDS[kind]
    try:
        found = await api.get(f"/api/v1/namespaces/{pod['metadata']['namespace']}/{resource}/{reference['name']}")
    except Refused as error:
        if error.status == 404 and reference.get("optional"):
            return {}
        missing = f'{resource.removesuffix("s")} "{reference["name"]}" not found'
        raise ConfigError(missing if error.status == 404 else str(error)) from None
    data: dict[str, str] = found.get("data", {})
    if resource == "configmaps":
        return data
    return {key: base64.b64decode(value).decode() for key, value in data.items()}
