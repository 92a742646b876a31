"""The fields that texts of the product name: all of them, their schema, and what somebody writes who follows advice."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tweetbot_contract.generate.crd import build_root_schema

ROOT = Path(__file__).parents[3]
PACKAGES = ("crds/tweetbot_contract/reasons", "trainer/tweetbot_trainer", "operator/tweetbot_operator")
FIELD = re.compile(r"\bspec(?:\.\w+(?:\[\d*\])?)+")
#: Fields of a Job or a Pod that texts name.
_OTHERS = re.compile(r"spec\.(?:0|template|containers|completions|parallelism|managedBy|ttlSecondsAfterFinished)\b")
_SCHEMA = build_root_schema()
_X = {"handle": "gull", "tokenSecret": {"name": "x-api", "key": "bearer"}, "acceptTerms": True}
_HUB = {"repo": "harbour/gull", "tokenSecret": {"name": "hub", "key": "token"}}
_TERM = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}]}
_PLACE = {
    "nodeSelector": {"gpu": "a100"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "affinity": {"required": [_TERM], "preferred": [{"weight": 1, "preference": _TERM}]},
    "runtimeClassName": "gvisor",
    "priorityClassName": "low",
}
#: What somebody writes who follows advice on a field: a part of the spec, as in a merge patch. A source comes with the
#: whole list, as in every patch of a custom resource.
CORRECTIONS: dict[str, dict[str, Any]] = {
    "spec.caBundle": {"caBundle": {"name": "other"}},
    "spec.caBundle.key": {"caBundle": {"name": "other", "key": "root.crt"}},
    "spec.caBundle.name": {"caBundle": {"name": "other"}},
    "spec.className": {"className": "gpus"},
    "spec.deletionPolicy": {"deletionPolicy": "Delete"},
    "spec.evaluation.gates": {"evaluation": {"gates": {"minStyle": 10}}},
    "spec.evaluation.gates.maxRegressionPercent": {"evaluation": {"gates": {"maxRegressionPercent": 100}}},
    "spec.evaluation.prompts[]": {"evaluation": {"prompts": ["The sea"]}},
    "spec.filter": {"filter": {"minWords": 1}},
    "spec.filter.deduplicate": {"filter": {"deduplicate": False}},
    "spec.filter.excludeIds": {"filter": {"excludeIds": ["1"]}},
    "spec.filter.languages": {"filter": {"languages": ["en", "de"]}},
    "spec.filter.minWords": {"filter": {"minWords": 1}},
    "spec.filter.replies": {"filter": {"replies": "Keep"}},
    "spec.history.models": {"history": {"models": 5}},
    "spec.model.base": {"model": {"base": "pvc://other/gpt2"}},
    "spec.model.method": {"model": {"method": "LoRA"}},
    "spec.model.revision": {"model": {"base": "hf://gpt2", "revision": "main"}},
    "spec.model.tokenSecret": {"model": {"base": "hf://gpt2", "tokenSecret": {"name": "hub", "key": "token"}}},
    **{
        f"spec.model.tokenSecret.{key}": {"model": {"base": "hf://gpt2", "tokenSecret": {"name": "own", "key": "own"}}}
        for key in ("name", "key")
    },
    "spec.output.huggingFace": {"output": {"huggingFace": _HUB}},
    "spec.output.huggingFace.repo": {"output": {"huggingFace": {**_HUB, "repo": "harbour/tern"}}},
    "spec.output.huggingFace.visibility": {"output": {"huggingFace": {**_HUB, "visibility": "Private"}}},
    "spec.output.s3": {"output": {"s3": {"region": "eu-north-1"}}},
    "spec.output.s3.checksumMode": {"output": {"s3": {"checksumMode": "WhenRequired"}}},
    "spec.output.s3.conditionalWrites": {"output": {"s3": {"conditionalWrites": "Unsupported"}}},
    "spec.output.s3.credentialsSecret": {"output": {"s3": {"credentialsSecret": {"name": "other"}}}},
    "spec.output.s3.credentialsSecret.name": {"output": {"s3": {"credentialsSecret": {"name": "other"}}}},
    "spec.output.s3.endpoint": {"output": {"s3": {"endpoint": "https://s3.example.com"}}},
    "spec.output.s3.kmsKeyId": {"output": {"s3": {"kmsKeyId": "alias/other"}}},
    "spec.output.s3.region": {"output": {"s3": {"region": "eu-north-1"}}},
    "spec.output.s3.uri": {"output": {"s3": {"uri": "s3://team-b/models"}}},
    "spec.pin": {"pin": "9108a32a5b6d4c1f"},
    "spec.resources": {"resources": {"cpu": "1", "memory": "4Gi"}},
    "spec.resources.cpu": {"resources": {"cpu": "1"}},
    "spec.resources.gpu.count": {"resources": {"gpu": {"count": 0}}},
    "spec.resources.gpu.resource": {"resources": {"gpu": {"resource": "amd.com/gpu"}}},
    "spec.resources.memory": {"resources": {"memory": "32Gi"}},
    "spec.run.activeDeadlineSeconds": {"run": {"activeDeadlineSeconds": 14400}},
    "spec.run.startDeadlineSeconds": {"run": {"startDeadlineSeconds": 1200}},
    "spec.schedule.cron": {"schedule": {"cron": "0 3 * * 1"}},
    "spec.schedule.minNewPosts": {"schedule": {"cron": "0 3 * * 1", "minNewPosts": 1}},
    "spec.schedule.timeZone": {"schedule": {"cron": "0 3 * * 1", "timeZone": "Europe/Berlin"}},
    "spec.scheduling": {"scheduling": _PLACE},
    "spec.scheduling.prepare": {"scheduling": {"prepare": _PLACE}},
    **{f"spec.scheduling.{name}": {"scheduling": {name: value}} for name, value in _PLACE.items()},
    **{f"spec.scheduling.prepare.{name}": {"scheduling": {"prepare": {name: value}}} for name, value in _PLACE.items()},
    "spec.scheduling.affinity.preferred": {"scheduling": {"affinity": _PLACE["affinity"]}},
    "spec.scheduling.affinity.required": {"scheduling": {"affinity": _PLACE["affinity"]}},
    "spec.scheduling.queueName": {"scheduling": {"queueName": None, "queuePrepare": None}},
    "spec.serviceAccountName": {"serviceAccountName": "other"},
    "spec.sources[]": {"sources": [{"archive": {"uri": "s3://a-b/c"}}]},
    "spec.sources[].bluesky.actor": {"sources": [{"bluesky": {"actor": "gull.example.com"}}]},
    "spec.sources[].bluesky.apiBaseURL": {
        "sources": [{"bluesky": {"actor": "gull.example.com", "apiBaseURL": "https://example.com"}}]
    },
    "spec.sources[].bluesky.car": {"sources": [{"bluesky": {"car": "s3://team-a/gull.car"}}]},
    "spec.sources[].mastodon": {"sources": [{"mastodon": {"uri": "s3://a-b/c", "visibility": ["Public", "Unlisted"]}}]},
    "spec.sources[].maxMissingPercent": {"sources": [{"posts": {"uri": "s3://a-b/c"}, "maxMissingPercent": 38}]},
    "spec.sources[].posts.uri": {"sources": [{"archive": {"uri": "s3://a-b/export.zip"}}]},
    "spec.sources[].x": {"sources": [{"x": _X}]},
    "spec.sources[].x.apiBaseURL": {"sources": [{"x": {**_X, "apiBaseURL": "https://example.com"}}]},
    "spec.sources[].x.handle": {"sources": [{"x": {**_X, "handle": "tern"}}]},
    "spec.sources[].x.maxPosts": {"sources": [{"x": {**_X, "maxPosts": 100}}]},
    "spec.sources[].x.maxSpendUSD": {"sources": [{"x": {**_X, "maxSpendUSD": 20}}]},
    "spec.sources[].x.tokenSecret": {"sources": [{"x": {**_X, "tokenSecret": {"name": "other", "key": "token"}}}]},
    "spec.sources[].x.tokenSecret.key": {"sources": [{"x": {**_X, "tokenSecret": {"name": "x-api", "key": "token"}}}]},
    "spec.sources[].x.tokenSecret.name": {
        "sources": [{"x": {**_X, "tokenSecret": {"name": "other", "key": "bearer"}}}]
    },
    "spec.subject": {"subject": {"relation": "Consented"}},
    "spec.subject.handle": {"subject": {"handle": "tern"}},
    "spec.subject.relation": {"subject": {"relation": "Consented"}},
    "spec.suspend": {"suspend": False},
    "spec.tracking.wandb.apiKeySecret": {"tracking": {"wandb": {"apiKeySecret": {"name": "wandb", "key": "key"}}}},
    "spec.tracking.wandb.baseURL": {"tracking": {"wandb": {"baseURL": "https://wandb.example.com"}}},
    "spec.training.batchTokens": {"training": {"batchTokens": 1024}},
    "spec.training.holdoutPercent": {"training": {"holdoutPercent": 20}},
    "spec.training.learningRate": {"training": {"learningRate": "1e-5"}},
    "spec.training.recipe": {"training": {"recipe": "tweetbot"}},
}


def find_field(path: str) -> dict[str, Any] | None:
    """Return the schema of a field such as spec.sources[0].x.handle, or None if there is none."""
    node: dict[str, Any] | None = _SCHEMA
    for step in re.findall(r"\w+|\[\d*\]", path):
        node = (node or {}).get("items") if step.startswith("[") else (node or {}).get("properties", {}).get(step)
    return node


def list_named_fields() -> set[str]:
    """Return every field that a text of the product names, without indices."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    texts = (text for path in files for text in _list_texts(ast.parse(path.read_text())))
    found = {field for text in texts for field in FIELD.findall(text) if not _OTHERS.match(field)}
    kinds = ("archive", "posts", "bluesky", "mastodon", "threads", "instagram", "reddit", "x")
    general = {re.sub(r"\[\d*\]", "[]", field) for field in found}
    filled_in = {
        field
        for field in general
        if ".0." in field and any(find_field(field.replace(".0.", f".{kind}.")) for kind in kinds)
    }
    return general - filled_in


def _list_texts(tree: ast.AST) -> Iterator[str]:
    """Yield the strings of a module that are no docstrings, 0 in place of what is filled in."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs | parts:
            yield node.value
