"""The manifests that serve a model say only what KServe and vLLM know."""

import json
import re
from copy import deepcopy
from typing import Any

import pytest

from harness.serving.upstream import GOLDEN, ROOT, SERVICE, find_faults, prune_schema, read_documents, read_options

PAGE = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
VLLM = ROOT / "integrations" / "vllm" / "deployment.yaml"
PINNED = json.loads((GOLDEN / "inference-service.json").read_text(encoding="utf-8"))
OPTIONS = (GOLDEN / "vllm-options.txt").read_text(encoding="utf-8").splitlines()
(INFERENCE_SERVICE,) = read_documents(SERVICE, "InferenceService")
(DEPLOYMENT,) = read_documents(VLLM, "Deployment")
POD = DEPLOYMENT["spec"]["template"]["spec"]
(SERVER,) = POD["containers"]
(FETCHER,) = POD["initContainers"]


def test_kserve_knows_every_field() -> None:
    assert list(find_faults(PINNED["schema"], INFERENCE_SERVICE)) == []


@pytest.mark.parametrize(
    ("place", "field", "value", "fault"),
    [
        (("predictor", "model"), "storageURI", "s3://b/m", ".spec.predictor.model.storageURI is unknown"),
        (("predictor", "model", "modelFormat"), "name", 1, ".spec.predictor.model.modelFormat.name: 1 is no string"),
        (("predictor", "model"), "modelFormat", {}, ".spec.predictor.model.modelFormat.name is missing"),
        (("predictor", "model", "resources", "limits"), "memory", "8 GB", "'8 GB' does not match"),
    ],
)
def test_what_kserve_does_not_know_is_found(place: tuple[str, ...], field: str, value: Any, fault: str) -> None:
    changed = deepcopy(INFERENCE_SERVICE)
    inner = changed["spec"]
    for name in place:
        inner = inner[name]
    inner[field] = value
    assert any(fault in found for found in find_faults(PINNED["schema"], changed))


def test_a_pruned_schema_keeps_the_names_that_a_manifest_does_not_use() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}, "b": {"type": "x"}}}
    pruned = prune_schema(schema, {"a": ["c"]})
    assert pruned["properties"] == {"a": {"type": "array", "items": {"type": "string"}}, "b": {}}
    assert list(find_faults(pruned, {"a": [1], "b": 2, "c": 3})) == [".a[0]: 1 is no string", ".c is unknown"]


def test_vllm_knows_every_option() -> None:
    given = [each.partition("=")[0] for each in SERVER["args"] if each.startswith("--")]
    assert set(given) <= set(OPTIONS)
    assert len(given) == len(set(given))


def test_options_are_read_off_calls_and_classes() -> None:
    calls, classes = (
        'p.add_argument("--model", "-m", **kw)',
        "class FrontendArgs:\n  chat_template: str\nclass B:\n  x: int",
    )
    assert read_options(f"{calls}\n{classes}") == {"--model", "--chat-template"}


def test_the_image_is_of_the_version_whose_options_are_known() -> None:
    version = re.search(r"vllm-([0-9.]+)-", OPTIONS[0])
    assert version
    assert SERVER["image"] == f"vllm/vllm-openai:v{version[1]}"
    assert f"vLLM {version[1].rpartition('.')[0]}'s parser" in PAGE
    assert f"KServe {PINNED['madeFrom']['module'].split('@v')[1].rpartition('.')[0]}'s CRD" in PAGE


def test_both_serve_the_same_version_with_the_same_secret() -> None:
    model = INFERENCE_SERVICE["spec"]["predictor"]["model"]
    env = {each["name"]: each["value"] for each in FETCHER["env"]}
    assert env["MODEL_URI"] == model["storageUri"]
    assert re.fullmatch("s3://.+/model", model["storageUri"])
    (account,) = read_documents(SERVICE, "ServiceAccount")
    assert account["metadata"]["name"] == INFERENCE_SERVICE["spec"]["predictor"]["serviceAccountName"]
    assert account["secrets"] == [FETCHER["envFrom"][0]["secretRef"]]


def test_what_is_fetched_is_what_is_loaded_and_the_service_finds_it() -> None:
    (service,) = read_documents(VLLM, "Service")
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert service["spec"]["ports"][0]["targetPort"] in {port["name"] for port in SERVER["ports"]}
    assert FETCHER["command"][-1] == SERVER["args"][0]
    mounts = [{each["mountPath"]: each["name"] for each in one["volumeMounts"]} for one in (FETCHER, SERVER)]
    assert mounts[0][SERVER["args"][0]] == mounts[1][SERVER["args"][0]]
    assert {name for each in mounts for name in each.values()} == {volume["name"] for volume in POD["volumes"]}
