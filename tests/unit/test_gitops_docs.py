"""docs/gitops.md shows the shipped files."""

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml

from builders.manifests import a_manifest
from harness.kstatus import flux_health

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gitops.md").read_text(encoding="utf-8")
KUSTOMIZATION = yaml.safe_load((ROOT / "integrations" / "flux" / "kustomization.yaml").read_text())
(CHECK,) = KUSTOMIZATION["spec"]["healthCheckExprs"]


def condition(type_: str, status: str = "True", generation: int = 2) -> dict[str, Any]:
    return {"type": type_, "status": status, "observedGeneration": generation}


def flux(*conditions: dict[str, Any], observed: int = 2) -> str:
    """Return what Flux makes of a resource of generation 2 with these conditions."""
    manifest = a_manifest()
    manifest["metadata"]["generation"] = 2
    return flux_health(manifest | {"status": {"observedGeneration": observed, "conditions": list(conditions)}}, CHECK)


def test_the_expressions_in_the_docs_are_the_shipped_ones() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert yaml.safe_load(dedent(block))["healthCheckExprs"] == KUSTOMIZATION["spec"]["healthCheckExprs"]


def test_flux_waits_for_the_model_of_the_present_spec() -> None:
    assert flux(condition("ModelReady")) == "Current"
    assert flux(condition("ModelReady", generation=1)) == "InProgress"
    assert flux(condition("ModelReady", "False")) == "InProgress"
    assert flux(condition("ModelReady"), observed=1) == "InProgress"
    assert flux() == "InProgress"


def test_flux_fails_on_an_alarm_and_does_not_wait_for_a_suspended_bot() -> None:
    assert flux(condition("Stalled"), condition("ModelReady")) == "Failed"
    assert flux(condition("Suspended")) == "Current"


def test_a_resource_without_a_status_is_waited_for() -> None:
    assert flux_health(a_manifest(), CHECK) == "InProgress"
