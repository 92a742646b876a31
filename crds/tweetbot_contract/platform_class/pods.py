"""What a class adds to every Pod of its TweetBots."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.output import SecretRef
from tweetbot_contract.spec.parts import HTTP_URL, Part, Rule, build_pattern_rule
from tweetbot_contract.spec.scheduling import LabelKey, LabelValue, Toleration
from tweetbot_contract.spec.spec import ConfigMapKey

_VARIABLE = "^[A-Za-z_][A-Za-z0-9_]*$"
AnnotationValue = Annotated[str, Field(max_length=1024)]


class Variable(Part):
    """An environment variable of the trainer."""

    name: str = Field(min_length=1, max_length=128)
    """Name of the variable; those that the operator sets itself cannot be replaced."""
    value: str = Field("", max_length=1024)
    """Value of the variable."""
    rules: ClassVar[tuple[Rule, ...]] = (
        build_pattern_rule("name", _VARIABLE, "write letters, digits and underscores, no digit first"),
    )


class VariableSource(Part):
    """A ConfigMap or Secret in the TweetBot's namespace, each key of which becomes a variable."""

    config_map_name: str | None = Field(None, min_length=1, max_length=253)
    """Name of the ConfigMap."""
    secret_name: str | None = Field(None, min_length=1, max_length=253)
    """Name of the Secret."""
    optional: bool = False
    """true lets Pods start where it does not exist."""
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.configMapName) != has(self.secretName)",
            "give exactly one of configMapName and secretName",
            lambda part: (part.config_map_name is None) != (part.secret_name is None),
        ),
    )


class Proxy(Part):
    """The proxy through which trainers reach servers."""

    http: str | None = Field(None, max_length=512)
    """Proxy for http:// addresses."""
    https: str | None = Field(None, max_length=512)
    """Proxy for https:// addresses."""
    bypass: tuple[Annotated[str, Field(min_length=1, max_length=253)], ...] = Field((), max_length=50)
    """Hosts, domains (.example.com) and networks that are reached without the proxy."""
    rules: ClassVar[tuple[Rule, ...]] = tuple(
        build_pattern_rule(field, HTTP_URL, "write the proxy's address as http://host:port", optional=True)
        for field in ("http", "https")
    )


class PodSecurity(Part):
    """Users and groups of a Pod; nothing here weakens the Pod Security Standard "restricted"."""

    run_as_user: int | None = Field(None, ge=1)
    """User id of the trainer."""
    run_as_group: int | None = Field(None, ge=1)
    """Group id of the trainer."""
    fs_group: int | None = Field(None, ge=1)
    """Group of the Pod's volumes."""
    fs_group_change_policy: Literal["OnRootMismatch", "Always"] | None = None
    """When the group of a volume's files is changed."""
    supplemental_groups: tuple[Annotated[int, Field(ge=1)], ...] | None = Field(None, max_length=32)
    """Further groups of the trainer."""


class ClassPods(Part):
    """What every Pod of the class's TweetBots gets. Each Pod still meets the Pod Security Standard "restricted"."""

    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=20)
    """Further labels of Jobs and Pods, such as sidecar.istio.io/inject; the operator's own cannot be replaced."""
    annotations: dict[LabelKey, AnnotationValue] = Field(default_factory=dict, max_length=20)
    """Further annotations of Pods."""
    env: tuple[Variable, ...] = Field((), max_length=30)
    """Further variables of the trainer."""
    env_from: tuple[VariableSource, ...] = Field((), max_length=10)
    """ConfigMaps and Secrets whose keys become variables of the trainer."""
    proxy: Proxy | None = None
    """Proxy through which trainers reach servers."""
    hub_endpoint: str | None = Field(None, max_length=512)
    """URL of a mirror of the Hugging Face Hub, for hf:// bases."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When to pull the trainer's image."""
    image_pull_secrets: tuple[SecretRef, ...] = Field((), max_length=10)
    """Secrets with the registry's login, in the TweetBot's namespace."""
    tolerations: tuple[Toleration, ...] = Field((), max_length=10)
    """Taints that every Pod tolerates, beside those of spec.scheduling."""
    security_context: PodSecurity = PodSecurity()
    """Users and groups of the Pods."""
    ca_bundle: ConfigMapKey | None = None
    """CAs that every Pod trusts, beside the public ones and those of spec.caBundle, such as the proxy's."""
    rules: ClassVar[tuple[Rule, ...]] = (
        build_pattern_rule("hubEndpoint", HTTP_URL, "write the mirror's address as https://host", optional=True),
    )
