"""Render the CRD from the types. For developers only: it needs PyYAML.

pydantic's JSON schema is converted to the structural form that the API server requires: references are inlined,
optional fields are just not required, defaults of nested objects are written out, and titles dropped.
"""

import json
from typing import Any

from tweetbot_contract.handover import GROUP, KIND, NAME_LIMIT, PLURAL, VERSION
from tweetbot_contract.platform_class.resolve import ATOMIC, DEFAULTABLE
from tweetbot_contract.reasons import WAITING_FOR_OPERATOR
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_contract.status import TweetBotStatus

Schema = dict[str, Any]
_KEPT = (
    "type", "description", "enum", "format", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
    "maxProperties", "required", "x-kubernetes-validations", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
    "pattern", "exclusiveMinimum", "not", "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-map-type",
)  # fmt: skip
_COLUMN_KEYS = ("name", "type", "jsonPath", "priority", "description")
_PROGRESSING = '.status.conditions[?(@.type=="Progressing")]'
_COLUMNS = (
    ("Phase", "string", ".status.phase", 0, "Summary of the TweetBot's state."),
    ("Reason", "string", f"{_PROGRESSING}.reason", 0, "Why the TweetBot is in this phase, as one word."),
    ("Progress", "string", ".status.columns.progress", 0, "How much of the training is done."),
    ("ETA", "string", ".status.currentRun.progress.eta", 0, "Estimated time until the training ends."),
    ("Kept", "integer", ".status.data.kept", 0, "Number of posts in the dataset, after cleaning."),
    ("Eval-loss", "number", ".status.metrics.evalLoss", 0, "Loss on the newest posts, in nats per token."),
    ("Since", "date", ".status.columns.since", 0, "Time since the present phase and reason began."),
    ("Age", "date", ".metadata.creationTimestamp", 0, "Time since the TweetBot was created."),
    ("Model", "string", ".status.columns.model", 1, "Version of the model to serve."),
    ("Queue", "string", ".spec.scheduling.queueName", 1, "Kueue LocalQueue in which the training waits."),
    ("Message", "string", ".status.columns.message", 1, "What the TweetBot is doing or waiting for, in few words."),
)
_RULE_KEYS = ("fieldPath", "rule", "message")
_S3, _OLD_S3 = "self.spec.output.s3", "oldSelf.spec.output.s3"
#: Where a class says where the model goes, the operator keeps it there.
_MAY_MOVE = "!oldSelf.?status.?model.hasValue() || " + " || ".join(
    f"!has({owner}.spec.output{field})" for owner in ("self", "oldSelf") for field in ("", ".s3", ".s3.uri")
)
_CREATE_ANOTHER = "cannot change once a model is published, as it would no longer be found: create another TweetBot"
#: Rules over more than the spec. A tenant cannot drop the status to get round them: only its subresource changes it.
_ROOT_RULES = (
    (
        ".metadata.name",
        "!self.metadata.name.contains('.')",
        "write metadata.name without dots: the names of its Jobs are made from it",
    ),
    (
        ".spec.output.s3.uri",
        f"{_MAY_MOVE} || {_S3}.uri == {_OLD_S3}.uri",
        f"output.s3.uri {_CREATE_ANOTHER}",
    ),
    (
        ".spec.output.s3.endpoint",
        f"{_MAY_MOVE} || has({_S3}.endpoint) == has({_OLD_S3}.endpoint) && "
        f"(!has({_S3}.endpoint) || {_S3}.endpoint == {_OLD_S3}.endpoint)",
        f"output.s3.endpoint {_CREATE_ANOTHER}",
    ),
)

#: What a TweetBot says that no operator has seen. The first write of the operator replaces all of it.
_UNSEEN = {
    "status": "Unknown",
    "reason": WAITING_FOR_OPERATOR.name,
    "message": WAITING_FOR_OPERATOR.meaning,
    "lastTransitionTime": "1970-01-01T00:00:00Z",  # a schema knows no time
    "observedGeneration": 0,
}
_STATUS_DEFAULT = {
    "observedGeneration": -1,
    "phase": "Pending",
    "conditions": [{"type": "Progressing", **_UNSEEN}, {"type": "Ready", **_UNSEEN}],
    "columns": {"message": WAITING_FOR_OPERATOR.meaning},
}


def build_crd() -> Schema:
    """Return the CRD as a plain dict."""
    names = {"shortNames": ["tb"], "categories": ["ml"]}
    return build_definition(KIND, PLURAL, names, scope="Namespaced", version=_build_crd_version())


def build_definition(kind: str, plural: str, names: Schema, *, scope: str, version: Schema) -> Schema:
    """Return the CRD of a kind with its one version; `names` are short ones and categories."""
    own = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {"group": GROUP, "names": {**own, **names}, "scope": scope, "versions": [version]},
    }


def _build_crd_version() -> Schema:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "selectableFields": [{"jsonPath": ".spec.suspend"}, {"jsonPath": ".status.phase"}],
        "additionalPrinterColumns": [dict(zip(_COLUMN_KEYS, column, strict=True)) for column in _COLUMNS],
        "schema": {"openAPIV3Schema": build_root_schema()},
    }


def build_root_schema() -> Schema:
    """Return the structural schema of a TweetBot."""
    status = _drop_defaults(make_structural(TweetBotStatus.model_json_schema(by_alias=True)))
    return {
        "type": "object",
        "description": "A TweetBot turns one account's posts into a fine-tuned GPT-2 in your S3 bucket.",
        "required": ["spec"],
        "x-kubernetes-validations": [dict(zip(_RULE_KEYS, rule, strict=True)) for rule in _ROOT_RULES],
        "properties": {
            "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}"},
            "kind": {"type": "string", "description": KIND},
            "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": NAME_LIMIT}}},
            "spec": open_to_classes(make_structural(TweetBotSpec.model_json_schema(by_alias=True))),
            "status": {**status, "default": _STATUS_DEFAULT},
        },
    }


def open_to_classes(spec: Schema) -> Schema:
    """Drop the defaults of what a class may give, so that a stored TweetBot shows what its author left out.

    A part that is taken whole keeps the defaults inside it.
    """
    opened = {name: _open_field(name, field) for name, field in spec["properties"].items()}
    required = [name for name in spec["required"] if name not in DEFAULTABLE]
    return {**spec, "required": required, "properties": {**spec["properties"], **opened}}


def _open_field(path: str, field: Schema) -> Schema:
    if path.partition(".")[0] not in DEFAULTABLE:
        return field
    opened = {key: value for key, value in field.items() if key != "default"}
    default = field.get("default")
    if default is not None and not isinstance(default, dict | list):
        opened["description"] = f"{field['description']} Default, unless the class has another: {json.dumps(default)}."
    if path in ATOMIC or "properties" not in field:
        return opened
    opened.pop("required", None)
    inner = {name: _open_field(f"{path}.{name}", each) for name, each in field["properties"].items()}
    return {**opened, "properties": inner}


def make_structural(schema: Schema) -> Schema:
    """Convert pydantic's JSON schema of a type to the structural form."""
    return _convert_node(schema, schema.get("$defs", {}))


def _convert_node(schema: Schema, definitions: Schema) -> Schema:
    schema = _resolve(schema, definitions)
    node = {key: schema[key] for key in _KEPT if key in schema}
    if "const" in schema:
        node["enum"] = [schema["const"]]
    if "properties" in schema:
        node["properties"] = {key: _convert_node(value, definitions) for key, value in schema["properties"].items()}
    elif isinstance(schema.get("additionalProperties"), dict):
        node["additionalProperties"] = _convert_node(schema["additionalProperties"], definitions)
    if "items" in schema:
        node["items"] = _convert_node(schema["items"], definitions)
    if schema.get("default") is not None:
        node["default"] = _drop_nulls(schema["default"])
    return node


def _drop_nulls(value: Any) -> Any:
    """The API server validates an object's default before inner defaults apply, so it must be complete."""
    if isinstance(value, dict):
        return {key: _drop_nulls(inner) for key, inner in value.items() if inner is not None}
    return value


def _resolve(schema: Schema, definitions: Schema) -> Schema:
    """Inline a reference, and take T of `T | None`; keys beside them win."""
    outer = {key: value for key, value in schema.items() if key not in {"$ref", "anyOf", "allOf"}}
    if "$ref" in schema:
        inner = definitions[schema["$ref"].removeprefix("#/$defs/")]
    elif "anyOf" in schema:
        inner = next(choice for choice in schema["anyOf"] if choice.get("type") != "null")
    else:
        return outer
    return {**_resolve(inner, definitions), **outer}


def _drop_defaults(node: Schema) -> Schema:
    """Drop a status's defaults: the operator writes it whole, and a default would claim what nobody observed."""
    changed = {key: value for key, value in node.items() if key != "default"}
    if "properties" in changed:
        changed["properties"] = {key: _drop_defaults(value) for key, value in changed["properties"].items()}
    if "items" in changed:
        changed["items"] = _drop_defaults(changed["items"])
    return changed


def render(definition: Schema | None = None) -> str:
    """Return a CRD, that of TweetBots if none is given, as YAML text."""
    import yaml

    head = "# Generated from crds/tweetbot_contract by `make generate`: edit the types, not this file.\n"
    return head + yaml.safe_dump(definition or build_crd(), sort_keys=False, width=120, allow_unicode=True)
