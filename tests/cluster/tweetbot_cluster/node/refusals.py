"""What a Pod may not ask of the process node: a Pod that would not mean the same here is failed loudly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Document = dict[str, Any]
Check = Callable[[Document], str | None]


def restarts(spec: Document) -> str | None:
    """Containers are run once."""
    policy = spec.get("restartPolicy", "Always")
    return None if policy == "Never" else f"restartPolicy is {policy}; the process node runs only Never"


def probes_and_hooks(spec: Document) -> str | None:
    """Probes and hooks change when a container counts as ready and how it ends."""
    unknown = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "volumeDevices")
    containers = (*spec.get("initContainers", []), *spec["containers"])
    found = [key for each in containers for key in unknown if each.get(key)]
    return f"the process node knows no {found[0]}" if found else None


def namespaces(spec: Document) -> str | None:
    """Processes of one Pod do not share a namespace of their own here."""
    return "the process node knows no shareProcessNamespace" if spec.get("shareProcessNamespace") else None


CHECKS: tuple[Check, ...] = (restarts, probes_and_hooks, namespaces)


def refusal(pod: Document) -> str | None:
    """Return why the Pod is refused, or None."""
    return next((why for check in CHECKS if (why := check(pod["spec"]))), None)
