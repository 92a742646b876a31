"""The resources of a training Pod and where it runs; names and meanings follow the Pod API."""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.parts import Part, Rule, build_pattern_rule, make_matcher
from tweetbot_contract.spec.quantities import CPU_ADVICE, MEMORY_ADVICE, MEMORY_CEL, Cpu, Memory, is_cpu, is_memory

#: Kueue puts the names of queues and priority classes into labels, so each is both an object name and a label value.
KUEUE_NAME = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"
_DOMAIN = "[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
_NAME = "[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
EXTENDED_RESOURCE = f"^{_DOMAIN}/{_NAME}$"
#: Kubernetes' own resources that look like extended ones.
NATIVE_RESOURCE = "^requests[.]|kubernetes[.]io/"
LABEL_KEY = f"^({_DOMAIN}/)?{_NAME}$"
LABEL_VALUE = f"^({_NAME})?$"
LabelKey = Annotated[str, Field(max_length=316)]
LabelValue = Annotated[str, Field(max_length=63)]


def _build_kueue_rule(field: str, example: str) -> Rule:
    return build_pattern_rule(
        field,
        KUEUE_NAME,
        f"write {field} as the object is named, such as {example}: lower-case letters, digits, hyphens and dots",
        optional=True,
    )


class Gpu(Part):
    """Accelerators of one kind."""

    resource: str = Field("nvidia.com/gpu", min_length=1, max_length=253)
    """Extended resource to request, such as nvidia.com/gpu, amd.com/gpu or a MIG profile."""
    count: int = Field(1, ge=0, le=8)
    """Number of accelerators: 0 to train on the CPU; above 1 for bases of more than a billion weights only."""
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"!has(self.resource) || self.resource.matches('{EXTENDED_RESOURCE}') && "
            f"!self.resource.matches('{NATIVE_RESOURCE}')",
            "write the extended resource with its domain, such as nvidia.com/gpu or amd.com/gpu",
            lambda part: (
                make_matcher(EXTENDED_RESOURCE)(part.resource) and re.search(NATIVE_RESOURCE, part.resource) is None
            ),
            field="resource",
        ),
    )


class Resources(Part):
    """Requests and limits of the training container; the prepare stage needs little and has its own."""

    gpu: Gpu = Gpu()
    """The accelerator of the training Pod."""
    cpu: Cpu = "4"
    """CPU of the training Pod, in cores: a number such as 4 or 0.5, or thousandths such as 500m."""
    memory: Memory = "16Gi"
    """Memory of the training Pod, which is killed when it uses more: a quantity such as 16Gi, or bytes as a number. Of
    16Gi, the default, a base that is known to need more takes what it needs (docs/models.md)."""
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(None, CPU_ADVICE, lambda part: is_cpu(part.cpu), field="cpu"),
        Rule(MEMORY_CEL, MEMORY_ADVICE, lambda part: is_memory(part.memory), field="memory"),
    )


class Toleration(Part):
    """A taint that Pods tolerate."""

    key: str | None = Field(None, max_length=316)
    """Key of the taint; unset matches every key."""
    operator: Literal["Exists", "Equal"] = "Equal"
    """Equal compares the taint's value; Exists tolerates any value."""
    value: str | None = Field(None, max_length=63)
    """Value of the taint, for operator Equal."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint; unset matches every effect."""
    toleration_seconds: int | None = Field(None, ge=0, le=604800)
    """How many seconds a Pod stays on its node once a NoExecute taint is added; unset: without limit."""
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.operator != 'Exists' || !has(self.value) || self.value == ''",
            "operator Exists takes no value: remove it, or write operator: Equal",
            lambda part: part.operator != "Exists" or not part.value,
            field="value",
        ),
    )


class Requirement(Part):
    """A requirement on one node label."""

    key: LabelKey = Field(min_length=1)
    """Key of the node label."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    """How the node label is compared with values. Exists and DoesNotExist take none, Gt and Lt one."""
    values: tuple[LabelValue, ...] = Field((), max_length=20)
    """Values to compare the node label with."""


class NodeTerm(Part):
    """Requirements that a node must meet together."""

    match_expressions: tuple[Requirement, ...] = Field(min_length=1, max_length=10)
    """Requirements on node labels, all of which must be met."""


class PreferredNodeTerm(Part):
    """Requirements that a node should meet."""

    weight: int = Field(ge=1, le=100)
    """Weight of this preference; a node scores the sum of those that it meets."""
    preference: NodeTerm
    """Requirements that a preferred node meets."""


class Affinity(Part):
    """Which nodes are allowed, and which are preferred."""

    required: tuple[NodeTerm, ...] = Field((), max_length=5)
    """Terms of which a node must meet at least one."""
    preferred: tuple[PreferredNodeTerm, ...] = Field((), max_length=5)
    """Terms that a node should meet; the scheduler prefers those that do."""


class Placement(Part):
    """On which nodes Pods run, and with which priority and runtime."""

    priority_class_name: str | None = Field(None, max_length=253)
    """PriorityClass of the Pods."""
    node_selector: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=20)
    """Labels that a node must have."""
    tolerations: tuple[Toleration, ...] = Field((), max_length=10)
    """Taints that the Pods tolerate."""
    affinity: Affinity | None = None
    """Which nodes the Pods require or prefer."""
    runtime_class_name: str | None = Field(None, max_length=253)
    """RuntimeClass of the Pods."""
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"!has(self.nodeSelector) || self.nodeSelector.all(key, key.matches('{LABEL_KEY}'))",
            "write each key of nodeSelector as a label key, such as gpu or example.com/gpu",
            lambda part: all(make_matcher(LABEL_KEY)(key) for key in part.node_selector),
            field="nodeSelector",
        ),
        Rule(
            f"!has(self.nodeSelector) || self.nodeSelector.all(key, self.nodeSelector[key].matches('{LABEL_VALUE}'))",
            "write each value of nodeSelector as a label value: letters and digits, with -, _ and . between them",
            lambda part: all(make_matcher(LABEL_VALUE)(value) for value in part.node_selector.values()),
            field="nodeSelector",
        ),
    )


class Scheduling(Placement):
    """When and on which nodes the Pods are scheduled: the training's by these fields, the others' by `prepare`."""

    priority_class_name: str | None = Field(None, max_length=253)
    """PriorityClass of the training Pod, and of the others where prepare names none."""
    queue_name: str | None = Field(None, min_length=1, max_length=63)
    """Kueue LocalQueue in which the training waits; the prepare stage waits only if queuePrepare is true."""
    queue_prepare: bool = False
    """true makes the prepare stage, too, wait in the queue that queueName names."""
    workload_priority_class_name: str | None = Field(None, min_length=1, max_length=63)
    """Kueue WorkloadPriorityClass: who is admitted first and who is preempted. Pod priority stays the same."""
    prepare: Placement | None = None
    """Where Pods without a GPU run: the prepare stage's, and those that act on pin and deletionPolicy."""
    rules: ClassVar[tuple[Rule, ...]] = (
        *Placement.rules,
        _build_kueue_rule("queueName", "team-a"),
        _build_kueue_rule("workloadPriorityClassName", "low"),
        Rule(
            None,  # a class may name the queue
            "queuePrepare needs a queue: set queueName, or remove queuePrepare",
            lambda part: not part.queue_prepare or part.queue_name is not None,
            field="queuePrepare",
        ),
    )
