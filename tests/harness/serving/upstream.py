"""What KServe and vLLM accept, made once from what their projects release, so that the manifests are checked offline.

KServe's CRD, from its Go module, is pruned to what a manifest uses: all names of the fields beside it stay, so a field
that does not exist is found. vLLM's options are read off the source of its wheel, which needs a GPU's libraries to run.

    python -m harness.serving.upstream <folder of the module kserve> <folder with the wheel of vllm, unpacked>
"""

import ast
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]
ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden" / "serving"
SERVICE = ROOT / "integrations" / "kserve" / "inference-service.yaml"
CRD = Path("config/crd/full/serving.kserve.io_inferenceservices.yaml")
OPTION_SOURCES = ("vllm/engine/arg_utils.py", "vllm/entrypoints/common/cli_args.py")
_KINDS: dict[str, type] = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}
_KEPT = ("type", "enum", "pattern", "required", "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields")


def read_documents(path: Path, kind: str) -> list[dict[str, Any]]:
    """Return the objects of a kind in a file."""
    return [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each["kind"] == kind]


def prune_schema(schema: Schema, value: Any) -> Schema:
    """Return what a schema says of this value, without descriptions; of fields that it lacks only the names stay."""
    kept = {key: schema[key] for key in _KEPT if key in schema}
    if isinstance(value, dict) and "properties" in schema:
        fields = schema["properties"].items()
        kept["properties"] = {name: prune_schema(sub, value[name]) if name in value else {} for name, sub in fields}
    elif isinstance(value, dict) and isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = prune_schema(schema["additionalProperties"], "")
    elif isinstance(value, list):
        whole = (
            value[0]
            if not value or not isinstance(value[0], dict)
            else {k: v for each in value for k, v in each.items()}
        )
        kept["items"] = prune_schema(schema["items"], whole)
    return kept


def find_faults(schema: Schema, value: Any, path: str = "") -> Iterator[str]:
    """Yield what in a value its schema does not allow, each with its path."""
    expected = _KINDS.get(schema.get("type", ""), object)
    if not isinstance(value, expected):
        yield f"{path}: {value!r} is no {schema['type']}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is not one of {schema['enum']}"
    elif "pattern" in schema and not re.search(schema["pattern"], str(value)):
        yield f"{path}: {value!r} does not match {schema['pattern']}"
    elif isinstance(value, dict):
        yield from _find_faults_of_fields(schema, value, path)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from find_faults(schema.get("items", {}), each, f"{path}[{index}]")


def _find_faults_of_fields(schema: Schema, value: dict[str, Any], path: str) -> Iterator[str]:
    yield from (f"{path}.{name} is missing" for name in schema.get("required", ()) if name not in value)
    for name, sub in value.items():
        known = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
        if known is None and "properties" in schema:
            yield f"{path}.{name} is unknown"
        yield from find_faults(known or {}, sub, f"{path}.{name}")


def read_options(source: str) -> set[str]:
    """Return the options that a module of vLLM adds to its parser: by name, or as fields of a class of arguments."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
            found |= {each.value for each in node.args if isinstance(each, ast.Constant)}
        if isinstance(node, ast.ClassDef) and node.name.endswith("FrontendArgs"):
            fields = [each.target for each in node.body if isinstance(each, ast.AnnAssign)]
            found |= {f"--{each.id.replace('_', '-')}" for each in fields if isinstance(each, ast.Name)}
    return {str(each) for each in found if str(each).startswith("--")}


def main(kserve: Path, vllm: Path) -> None:
    """Write both files, with the versions and the hashes of what they were made from."""
    crd = (kserve / CRD).read_bytes()
    (version,) = [each for each in yaml.safe_load(crd)["spec"]["versions"] if each["name"] == "v1beta1"]
    (service,) = read_documents(SERVICE, "InferenceService")
    made_from = {"module": kserve.name, "file": str(CRD), "sha256": hashlib.sha256(crd).hexdigest()}
    schema = prune_schema(version["schema"]["openAPIV3Schema"], service)
    text = json.dumps({"madeFrom": made_from, "schema": schema}, indent=1) + "\n"
    (GOLDEN / "inference-service.json").write_text(text, encoding="utf-8")
    sources = {name: (vllm / name).read_text(encoding="utf-8") for name in OPTION_SOURCES}
    (wheel,) = vllm.glob("vllm-*.whl")
    lines = [
        f"# {wheel.name}",
        *(f"# {name} {hashlib.sha256(text.encode()).hexdigest()}" for name, text in sources.items()),
    ]
    options = sorted(set().union(*(read_options(text) for text in sources.values())))
    (GOLDEN / "vllm-options.txt").write_text("\n".join([*lines, *options]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
