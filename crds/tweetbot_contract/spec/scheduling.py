"""What a training Pod gets, and on which nodes it runs. Names and meanings are those of the Pod API."""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.parts import Part, Rule, make_matcher

QUANTITY = "^[0-9]+([.][0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$"
#: Kueue names queues and priorities in labels, so such a name is an object's and a label's value at once.
KUEUE_NAME = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"
#: Cores, or thousandths of one.
CPU = "^[0-9]+([.][0-9]+)?m?$"
_DOMAIN = "[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
_NAME = "[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
EXTENDED_RESOURCE = f"^{_DOMAIN}/{_NAME}$"
#: What looks like an extended resource and is Kubernetes' own.
NATIVE_RESOURCE = "^requests[.]|kubernetes[.]io/"
LABEL_KEY = f"^({_DOMAIN}/)?{_NAME}$"
LABEL_VALUE = f"^({_NAME})?$"
LabelKey = Annotated[str, Field(max_length=316)]
LabelValue = Annotated[str, Field(max_length=63)]


def _build_kueue_rule(field: str, attribute: str, example: str) -> Rule:
    return Rule(
        f"!has(self.{field}) || self.{field}.matches('{KUEUE_NAME}')",
        f"write {field} as the object is named, such as {example}: lower-case letters, digits, hyphens and dots",
        lambda part: make_matcher(KUEUE_NAME)(getattr(part, attribute)),
        field=field,
    )


class Gpu(Part):
    """Accelerators of one kind."""

    resource: str = Field(
        "nvidia.com/gpu",
        min_length=1,
        max_length=253,
        description="The extended resource to ask for: nvidia.com/gpu, a MIG profile, amd.com/gpu.",
    )
    count: int = Field(1, ge=0, le=1, description="1, or 0 to train on the CPU.")
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"self.resource.matches('{EXTENDED_RESOURCE}') && !self.resource.matches('{NATIVE_RESOURCE}')",
            "write the extended resource with its domain, such as nvidia.com/gpu or amd.com/gpu",
            lambda part: (
                make_matcher(EXTENDED_RESOURCE)(part.resource) and re.search(NATIVE_RESOURCE, part.resource) is None
            ),
            field="resource",
        ),
    )


class Resources(Part):
    """Requests and limits of the training container; the prepare stage needs little and has its own."""

    gpu: Gpu = Field(Gpu(), description="Accelerators.")
    cpu: str = Field("4", max_length=20, description="Processor cores.")
    memory: str = Field("16Gi", max_length=20, description="Memory; the Pod is killed above it.")
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"self.cpu.matches('{CPU}') && self.cpu.matches('[1-9]')",
            'write cpu as cores above 0, such as "4" or "500m"',
            lambda part: make_matcher(CPU)(part.cpu) and re.search("[1-9]", part.cpu) is not None,
            field="cpu",
        ),
        Rule(
            f"self.memory.matches('{QUANTITY}') && self.memory.matches('[1-9]')",
            'write memory as a Kubernetes quantity above 0, such as "16Gi"',
            lambda part: make_matcher(QUANTITY)(part.memory) and re.search("[1-9]", part.memory) is not None,
            field="memory",
        ),
    )


class Toleration(Part):
    """A taint that Pods put up with."""

    key: str | None = Field(None, max_length=316, description="The taint's key; every key when unset.")
    operator: Literal["Exists", "Equal"] = Field("Equal", description="How the value is compared.")
    value: str | None = Field(None, max_length=63, description="The taint's value.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        None, description="The taint's effect; every effect when unset."
    )
    toleration_seconds: int | None = Field(
        None, ge=0, le=604800, description="How long a NoExecute taint is put up with."
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.operator != 'Exists' || !has(self.value) || self.value == ''",
            "operator Exists takes no value: remove it, or write operator: Equal",
            lambda part: part.operator != "Exists" or not part.value,
            field="value",
        ),
    )


class Requirement(Part):
    """One demand on a node's label."""

    key: LabelKey = Field(min_length=1, description="The label's key.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] = Field(
        description="How the value is compared."
    )
    values: tuple[LabelValue, ...] = Field((), max_length=20, description="The values to compare with.")


class NodeTerm(Part):
    """Demands that a node meets together."""

    match_expressions: tuple[Requirement, ...] = Field(
        min_length=1, max_length=10, description="Demands on the node's labels."
    )


class PreferredNodeTerm(Part):
    """Demands that a node had better meet."""

    weight: int = Field(ge=1, le=100, description="How much meeting them counts.")
    preference: NodeTerm = Field(description="The demands.")


class Affinity(Part):
    """Which nodes are allowed and which are preferred."""

    required: tuple[NodeTerm, ...] = Field((), max_length=5, description="A node must meet one of these.")
    preferred: tuple[PreferredNodeTerm, ...] = Field((), max_length=5, description="Nodes that meet these come first.")


class Scheduling(Part):
    """When and on which nodes the Pods of a run go."""

    queue_name: str | None = Field(
        None,
        min_length=1,
        max_length=63,
        description=(
            "The Kueue LocalQueue, in this namespace, that the training waits in. The prepare stage needs "
            "no GPU and does not wait, unless queuePrepare is true."
        ),
    )
    queue_prepare: bool = Field(False, description="Whether the prepare stage waits in that queue, too.")
    workload_priority_class_name: str | None = Field(
        None,
        min_length=1,
        max_length=63,
        description=(
            "Kueue's WorkloadPriorityClass: who goes first in the queue and who gives way. It leaves the "
            "Pods' priority alone."
        ),
    )
    priority_class_name: str | None = Field(None, max_length=253, description="The Pods' priority class.")
    node_selector: dict[LabelKey, LabelValue] = Field(
        default_factory=dict, max_length=20, description="Labels that a node must have."
    )
    tolerations: tuple[Toleration, ...] = Field((), max_length=10, description="Taints that the Pods put up with.")
    affinity: Affinity | None = Field(None, description="Node affinity.")
    runtime_class_name: str | None = Field(None, max_length=253, description="The Pods' runtime class.")
    rules: ClassVar[tuple[Rule, ...]] = (
        _build_kueue_rule("queueName", "queue_name", "team-a"),
        _build_kueue_rule("workloadPriorityClassName", "workload_priority_class_name", "low"),
        Rule(
            "!self.queuePrepare || has(self.queueName)",
            "queuePrepare needs a queue: set queueName, or remove queuePrepare",
            lambda part: not part.queue_prepare or part.queue_name is not None,
            field="queuePrepare",
        ),
        Rule(
            f"!has(self.nodeSelector) || self.nodeSelector.all(key, key.matches('{LABEL_KEY}'))",
            "write each key of nodeSelector as a label's key, such as gpu or example.com/gpu",
            lambda part: all(make_matcher(LABEL_KEY)(key) for key in part.node_selector),
            field="nodeSelector",
        ),
        Rule(
            f"!has(self.nodeSelector) || self.nodeSelector.all(key, self.nodeSelector[key].matches('{LABEL_VALUE}'))",
            "write each value of nodeSelector as a label's value: letters and digits, between them also -, _ and .",
            lambda part: all(make_matcher(LABEL_VALUE)(value) for value in part.node_selector.values()),
            field="nodeSelector",
        ),
    )
