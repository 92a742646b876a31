"""Objects in Kubernetes' own form, where a mistake in one is likely: none of their keys has a default."""

from typing import Annotated, Literal, Required

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from tweetbot_chart.base import (
    HostName,
    IpAddress,
    LabelKey,
    Labels,
    LabelValue,
    Name,
    Namespace,
    Object,
    Objects,
    Quantities,
)
from tweetbot_operator.settings import Form

_STRICT, _OPEN = ConfigDict(extra="forbid"), ConfigDict(extra="allow")


class PullSecret(TypedDict):
    """A Secret with a registry's login."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    name: Name


class Resources(TypedDict, total=False):
    """What a container requests, and what it may use."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    requests: Quantities
    limits: Quantities
    claims: Objects


class Toleration(TypedDict, total=False):
    """A taint that Pods tolerate."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    key: LabelKey
    operator: Literal["Exists", "Equal", "Lt", "Gt"]
    value: LabelValue
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
    tolerationSeconds: int


class Affinity(TypedDict, total=False):
    """Which nodes Pods want, and which other Pods there."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    nodeAffinity: Object
    podAffinity: Object
    podAntiAffinity: Object


class Requirement(TypedDict, total=False):
    """What a label must be."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    key: Required[LabelKey]
    operator: Required[Literal["In", "NotIn", "Exists", "DoesNotExist"]]
    values: list[LabelValue]


class Selector(TypedDict, total=False):
    """A label selector."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    matchLabels: Labels
    matchExpressions: list[Requirement]


class HostAlias(TypedDict):
    """A line of /etc/hosts."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    ip: IpAddress
    hostnames: Annotated[list[HostName], Field(min_length=1)]


class DnsConfig(TypedDict, total=False):
    """What is added to resolv.conf."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    nameservers: list[IpAddress]
    searches: list[HostName]
    options: Objects


class Subject(TypedDict, total=False):
    """Somebody to whom a role is bound."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    kind: Required[Literal["User", "Group", "ServiceAccount"]]
    name: Required[Annotated[str, Field(min_length=1)]]
    apiGroup: Literal["", "rbac.authorization.k8s.io"]
    namespace: Namespace


class Named(TypedDict):
    """A volume: its name, and whatever Kubernetes knows beside it."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    name: Name


class Mount(TypedDict):
    """A mount of a volume, and whatever Kubernetes knows beside its name and path."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    name: Name
    mountPath: Annotated[str, Form("^/[^:]*$", "a path such as /etc/extra")]


class Container(TypedDict):
    """A container, and whatever Kubernetes knows beside its name and image."""

    __pydantic_config__ = _OPEN  # type: ignore[misc]
    name: Name
    image: Annotated[str, Form("^[^ ]+$", "an image such as registry.example.com/name:1.0")]
