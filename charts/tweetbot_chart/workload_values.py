"""Values of the operator's Deployment and Service: how many Pods run where, and how they are replaced and probed."""

from typing import Literal

from pydantic import Field

from tweetbot_chart.base import Annotations, CountOrShare, LabelKey, Labels, ValueGroup


class RollingUpdate(ValueGroup):
    """How Pods are replaced one by one."""

    max_surge: CountOrShare = 1
    """Pods that may run above `replicas` meanwhile."""
    max_unavailable: CountOrShare = 0
    """Pods that may be missing meanwhile."""


class Strategy(ValueGroup):
    """How an upgrade replaces the operator's Pods."""

    type: Literal["RollingUpdate", "Recreate"] = "RollingUpdate"
    """RollingUpdate or Recreate; without leader election (settings.leaseSeconds: 0) always Recreate."""
    rolling_update: RollingUpdate = RollingUpdate()
    """How Pods are replaced one by one."""


class Service(ValueGroup):
    """The Service in front of health and metrics."""

    labels: Labels = {}
    """Further labels of the Service."""
    annotations: Annotations = {}
    """Annotations of the Service, e.g. for a serving certificate on OpenShift."""


class PodDisruptionBudget(ValueGroup):
    """A PodDisruptionBudget, created when there is more than one replica."""

    enabled: bool = True
    """Create the PodDisruptionBudget."""
    min_available: CountOrShare = 1
    """Replicas that a node drain must leave running."""


class Spread(ValueGroup):
    """How replicas are spread over the cluster."""

    topology_keys: list[LabelKey] = ["kubernetes.io/hostname"]
    """Node labels to spread the replicas over; empty: do not spread them."""
    when_unsatisfiable: Literal["ScheduleAnyway", "DoNotSchedule"] = "ScheduleAnyway"
    """What to do with a replica that cannot be spread."""


class PriorityClass(ValueGroup):
    """A PriorityClass for the operator."""

    create: bool = False
    """Create a PriorityClass named as the release, unless priorityClassName is set."""
    value: int = Field(1_000_000, ge=-2_147_483_648, le=1_000_000_000)
    """Priority of the operator's Pods."""
    preemption_policy: Literal["PreemptLowerPriority", "Never"] = "PreemptLowerPriority"
    """Whether the operator's Pods may preempt others."""


class Probe(ValueGroup):
    """Timing of a probe."""

    period_seconds: int = Field(10, ge=1)
    """Seconds between two probes."""
    timeout_seconds: int = Field(5, ge=1)
    """Seconds that a probe may take."""
    failure_threshold: int = Field(3, ge=1)
    """Number of failures in a row after which the probe has failed."""
