"""Render the CRD of TweetBotClass from its types."""

from typing import Any

from tweetbot_contract.generate.crd import Schema, build_definition, build_root_schema, make_structural
from tweetbot_contract.handover import CLASS_KIND, CLASS_PLURAL, DEFAULT_CLASS_ANNOTATION, GROUP, VERSION
from tweetbot_contract.platform_class.class_spec import TweetBotClassSpec
from tweetbot_contract.platform_class.resolve import DEFAULTABLE

#: What a schema says only of a whole TweetBot: of a class's defaults, the operator tries the whole instead.
_ONLY_OF_WHOLES = ("default", "required", "x-kubernetes-validations")
_ESCAPED = DEFAULT_CLASS_ANNOTATION.replace(".", "\\.")  # a path's own dots
_DEFAULT = f".metadata.annotations['{_ESCAPED}']"
_COLUMNS = (
    ("Default", "string", _DEFAULT, "Whether TweetBots without className get this class."),
    ("Age", "date", ".metadata.creationTimestamp", "Time since the class was created."),
)


def build_class_crd() -> Schema:
    """Return the CRD as a plain dict."""
    names = {"shortNames": ["tbc"]}
    return build_definition(CLASS_KIND, CLASS_PLURAL, names, scope="Cluster", version=_build_version())


def _build_version() -> Schema:
    keys = ("name", "type", "jsonPath", "description")
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [dict(zip(keys, column, strict=True)) for column in _COLUMNS],
        "schema": {"openAPIV3Schema": build_class_schema()},
    }


def build_class_schema() -> Schema:
    """Return the structural schema of a TweetBotClass."""
    spec = make_structural(TweetBotClassSpec.model_json_schema(by_alias=True))
    given = {name: field for name, field in _get_spec_fields().items() if name in DEFAULTABLE}
    spec["properties"]["defaults"] |= {"properties": {name: _loosen(field) for name, field in given.items()}}
    return {
        "type": "object",
        "description": "A TweetBotClass says what a platform gives to TweetBots, allows them, and lets them spend.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}"},
            "kind": {"type": "string", "description": CLASS_KIND},
            "metadata": {"type": "object"},
            "spec": spec,
        },
    }


def _get_spec_fields() -> dict[str, Schema]:
    fields: dict[str, Schema] = build_root_schema()["properties"]["spec"]["properties"]
    return fields


def _loosen(node: Any) -> Any:
    loose = {key: value for key, value in node.items() if key not in _ONLY_OF_WHOLES}
    if "properties" in loose:
        loose["properties"] = {key: _loosen(value) for key, value in loose["properties"].items()}
    if "items" in loose:
        loose["items"] = _loosen(loose["items"])
    return loose
