"""What cli-utils' kstatus, and Flux with it, compute of a resource: their rules, in their order.

sigs.k8s.io/cli-utils pkg/kstatus/status/{generic,core,status}.go; github.com/fluxcd/pkg runtime/cel.
"""

from collections.abc import Mapping
from typing import Any, Literal

from cel_expr_python import cel

Status = Literal["Terminating", "InProgress", "Failed", "Current"]
Resource = Mapping[str, Any]


def kstatus(resource: Resource) -> Status:
    """Return the status that `flux`, `helm --wait` and `kubectl`'s friends act upon."""
    metadata, status = resource["metadata"], resource.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    if _behind(resource):
        return "InProgress"
    for condition in status.get("conditions", ()):  # in the order that they are listed in
        if (condition["type"], condition["status"]) == ("Reconciling", "True"):
            return "InProgress"
        if (condition["type"], condition["status"]) == ("Stalled", "True"):
            return "Failed"
    ready = next((each["status"] for each in status.get("conditions", ()) if each["type"] == "Ready"), "True")
    return "Current" if ready == "True" else "InProgress"


def flux_health(resource: Resource, expressions: Mapping[str, str]) -> Status:
    """Return the status by `healthCheckExprs`: generation, then inProgress, failed, current, and else InProgress."""
    if _behind(resource):
        return "InProgress"
    verdicts: tuple[tuple[str, Status], ...] = (
        ("inProgress", "InProgress"),
        ("failed", "Failed"),
        ("current", "Current"),
    )
    for name, verdict in verdicts:
        if name in expressions and _holds(expressions[name], resource):
            return verdict
    return "InProgress"


def _behind(resource: Resource) -> bool:
    observed = (resource.get("status") or {}).get("observedGeneration")
    return observed is not None and observed != resource["metadata"].get("generation")


def _holds(expression: str, resource: Resource) -> bool:
    environment = cel.NewEnv(variables={name: cel.Type.DYN for name in ("metadata", "spec", "status")})
    data = {name: resource.get(name, {}) for name in ("metadata", "spec", "status")}
    result = environment.compile(expression).eval(data=data)
    return bool(result.value())
