"""The operator's settings as values: one a field of OperatorSettings, so that none is forgotten."""

import ast
import inspect
from dataclasses import fields
from typing import Any

from pydantic import Field, create_model
from pydantic.alias_generators import to_camel

from tweetbot_contract.spec.parts import Part
from tweetbot_operator.settings import OperatorSettings

#: Settings that follow from another value, or from where the operator runs: setting → what sets it.
ELSEWHERE = {
    "trainer_image": "trainerImage",
    "namespaces": "watch.namespaces",
    "http_port": "metrics.port",
    "lease_namespace": "the release's namespace",
    "lease_name": "the release's name",
    "progress_url": "progress",
    "progress_port": "progress.port",
    "progress_certificate": "progress",
    "progress_key": "progress",
    "progress_ca": "progress.caKey",
    "progress_address": "the Pod's address",
}


def read_field_docstrings(cls: type) -> dict[str, str]:
    """Return what a class says under each of its fields; Python itself does not keep it."""
    (definition,) = ast.parse(inspect.getsource(cls)).body
    found: dict[str, str] = {}
    name = ""
    for node in definition.body if isinstance(definition, ast.ClassDef) else ():
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
        elif name and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found[name] = str(node.value.value)
            name = ""
    return found


def build_settings_type() -> type[Part]:
    """Return the type of the value `settings`."""
    says = read_field_docstrings(OperatorSettings)
    entries: dict[str, Any] = {
        field.name: (field.type, Field(default=field.default, ge=0, description=says[field.name]))
        if field.type in (int, float)
        else (field.type, Field(default=field.default, description=says[field.name]))
        for field in fields(OperatorSettings)
        if field.name not in ELSEWHERE
    }
    return create_model("Settings", __base__=Part, **entries)


def get_variable_name(value: str) -> str:
    """Return the environment variable that a value of `settings` becomes."""
    names = {to_camel(field.name): field.name for field in fields(OperatorSettings)}
    return f"TWEETBOT_{names[value].upper()}"
