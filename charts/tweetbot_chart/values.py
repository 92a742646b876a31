"""All values of the chart with their defaults. Free-form objects have the form that Kubernetes defines."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from tweetbot_chart.base import (
    Annotations,
    Digest,
    Labels,
    NameOrNone,
    Namespace,
    NamespaceOrNone,
    Object,
    Objects,
    Port,
    RegistryOrNone,
    Repository,
    ShortNameOrNone,
    Tag,
    ValueGroup,
    VariableName,
)
from tweetbot_chart.forms import (
    Affinity,
    Container,
    DnsConfig,
    HostAlias,
    Mount,
    Named,
    PullSecret,
    Resources,
    Toleration,
)
from tweetbot_chart.metrics_values import Metrics
from tweetbot_chart.policy_values import AdmissionPolicies
from tweetbot_chart.tenant_values import Tenant
from tweetbot_chart.workload_values import PodDisruptionBudget, PriorityClass, Probe, Service, Spread, Strategy

PREFIX = "TWEETBOT_"
#: For a `const` in the schema, helm's error reads "value must be '<const>'": so the advice is the const.
ANOTHER_NAME = f"another name: what begins with {PREFIX} is set under `settings`"


class Global(ValueGroup):
    """Values that a parent chart shares with all its subcharts."""

    model_config = ConfigDict(extra="allow")
    image_registry: RegistryOrNone = ""
    """Registry to prepend to both images, e.g. a mirror."""


def _reject_setting(name: str) -> str:
    if name.startswith(PREFIX):
        raise ValueError(ANOTHER_NAME)
    return name


class Variable(ValueGroup):
    """An environment variable of the operator's container, in Kubernetes' form."""

    name: Annotated[
        VariableName,
        AfterValidator(_reject_setting),
        Field(json_schema_extra={"allOf": [{"if": {"pattern": f"^{PREFIX}"}, "then": {"const": ANOTHER_NAME}}]}),
    ]
    """Name of the variable."""
    value: str | None = None
    """Value of the variable."""
    value_from: Object | None = None
    """Source of the variable's value, such as a Secret key."""


class Image(ValueGroup):
    """A container image."""

    repository: Repository = ""
    """Name of the image, with its registry if it needs one."""
    tag: Tag = ""
    """Tag of the image; empty: the chart's appVersion."""
    digest: Digest = ""
    """Digest of the image, sha256:…; it takes precedence over the tag. Pin it in production."""


class Crds(ValueGroup):
    """The CustomResourceDefinition."""

    enabled: bool = True
    """Install and upgrade the CustomResourceDefinition with the chart."""
    keep: bool = True
    """Keep the CustomResourceDefinition, and with it every TweetBot, when the chart is uninstalled."""
    annotations: Annotations = {}
    """Further annotations of the CustomResourceDefinition."""


class Watch(ValueGroup):
    """Which TweetBots this operator serves."""

    namespaces: Annotated[list[Namespace], Field(json_schema_extra={"uniqueItems": True})] = []
    """Namespaces to serve, by Roles in them and by nothing of the whole cluster but the resource definitions; empty:
    the whole cluster."""


class ServiceAccount(ValueGroup):
    """The operator's service account."""

    create: bool = True
    """Create the service account."""
    name: NameOrNone = ""
    """Name of the service account; empty: the release's name."""
    annotations: Annotations = {}
    """Annotations of the service account."""


class Rbac(ValueGroup):
    """Permissions of the operator and of people."""

    create: bool = True
    """Create the operator's roles and bindings."""
    aggregate: bool | None = None
    """Add TweetBots, but never their status, to the cluster's own view, edit and admin roles; unset: yes, unless
    `watch.namespaces` is set, where people get Roles in these namespaces."""


class NetworkPolicy(ValueGroup):
    """A NetworkPolicy for the operator's own Pods; `tenants` has the trainers'."""

    enabled: bool = False
    """Create the NetworkPolicy. Your network plugin must enforce it."""
    api_server_ports: list[Port] = Field([443, 6443], min_length=1)
    """Ports on which the operator may reach the API server."""
    metrics_from: Objects = []
    """Who may read health and metrics, in the form of `from` of a NetworkPolicy; empty: everybody."""
    extra_egress: Objects = []
    """Further egress rules."""


class HelmTest(ValueGroup):
    """`helm test` requests the operator's health and metrics through its Service."""

    enabled: bool = True
    """Create the Pod of `helm test`."""


class ArgoCd(ValueGroup):
    """Help for Argo CD, which does not know when a TweetBot is healthy."""

    notes: bool = False
    """Print the health check and the actions in the form that argocd-cm takes."""


class ChartValues(ValueGroup):
    """All values but the operator's settings."""

    enabled: bool | None = None
    """Only for the `condition` of a parent chart; has no effect in this one."""
    global_: Global = Field(Global(), alias="global")
    """Values that a parent chart shares with all its subcharts."""
    name_override: ShortNameOrNone = ""
    """Name of the chart in labels and names; empty: tweetbot-operator."""
    fullname_override: ShortNameOrNone = ""
    """Name of every object; empty: the release's name, followed by the chart's unless that is in it."""
    namespace_override: NamespaceOrNone = ""
    """Namespace of every object; empty: the release's namespace."""
    common_labels: Labels = {}
    """Labels of every object."""
    common_annotations: Annotations = {}
    """Annotations of every object."""
    crds: Crds = Crds()
    """The CustomResourceDefinition."""
    image: Image = Image(repository="tweetbot-operator")
    """Image of the operator."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When to pull the operator's image."""
    image_pull_secrets: list[PullSecret] = []
    """Secrets for pulling the operator's image."""
    trainer_image: Image = Image(repository="tweetbot-trainer")
    """Image of both stages. A run's id does not depend on it, so another image retrains nothing."""
    watch: Watch = Watch()
    """Which TweetBots this operator serves."""
    cluster_scoped_only: bool = False
    """Make no operator, but what a platform installs once so that admins of namespaces can install theirs with
    `watch.namespaces`: resource definitions, roles, and policies that bind every service account of the operator's
    name. It adds the operator's rights, and so the status of TweetBots, to the cluster's own admin role."""
    replicas: int = Field(2, ge=0)
    """Number of operator Pods. One is the leader; the others stand by with warm caches."""
    strategy: Strategy = Strategy()
    """How an upgrade replaces the operator's Pods."""
    deployment_labels: Labels = {}
    """Further labels of the Deployment."""
    deployment_annotations: Annotations = {}
    """Further annotations of the Deployment, e.g. for a tool that restarts Pods when a Secret changes."""
    pod_disruption_budget: PodDisruptionBudget = PodDisruptionBudget()
    """PodDisruptionBudget of the operator, when there is more than one replica."""
    spread: Spread = Spread()
    """How replicas are spread over the cluster."""
    affinity: Affinity = {}
    """Affinity of the operator's Pods."""
    node_selector: Labels = {}
    """Node labels that the operator's Pods require."""
    tolerations: list[Toleration] = []
    """Taints that the operator's Pods tolerate."""
    priority_class_name: NameOrNone = ""
    """PriorityClass of the operator's Pods."""
    priority_class: PriorityClass = PriorityClass()
    """PriorityClass to create for the operator."""
    resources: Resources = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}
    """Resources of the operator; docs/benchmarks.md says how many a large fleet needs."""
    pod_security_context: Object = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    """Security context of the operator's Pods; meets the restricted Pod Security Standard. It sets no uid, so that
    OpenShift can assign one."""
    security_context: Object = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    """Security context of the operator's container; meets the restricted Pod Security Standard."""
    dns_policy: Literal["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"] = "ClusterFirst"
    """How the operator's Pods resolve names; None: by dnsConfig alone."""
    dns_config: DnsConfig = {}
    """Name servers, search domains and options of the operator's Pods."""
    host_aliases: list[HostAlias] = []
    """Further lines of the Pods' /etc/hosts, as [{ip: 10.0.0.1, hostnames: [api.example.com]}]."""
    automount_service_account_token: bool = True
    """Mount the service account's token; false: you mount one yourself, at the usual place."""
    host_users: bool | None = None
    """false runs the operator in a user namespace of its own, where nodes support it; unset: the cluster's default."""
    pod_labels: Labels = {}
    """Further labels of the operator's Pods."""
    pod_annotations: Annotations = {}
    """Further annotations of the operator's Pods."""
    termination_grace_period_seconds: int = Field(30, ge=1)
    """Seconds that an operator Pod has on shutdown to finish running reconciles and release the Lease."""
    revision_history_limit: int = Field(3, ge=0)
    """Number of old ReplicaSets to keep for rollbacks."""
    liveness_probe: Probe = Probe(period_seconds=20)
    """Liveness probe on /healthz, which fails when the watches are dead."""
    readiness_probe: Probe = Probe(period_seconds=5)
    """Readiness probe on /readyz, which fails until the caches are filled."""
    extra_env: list[Variable] = []
    """Further environment variables of the operator. Those that begin with TWEETBOT_ belong under `settings`."""
    lifecycle: Object = {}
    """Lifecycle hooks of the operator's container; it needs none, as it hands its work over on SIGTERM."""
    init_containers: list[Container] = []
    """Containers that end before the operator starts."""
    extra_containers: list[Container] = []
    """Containers beside the operator, e.g. a proxy."""
    extra_volumes: list[Named] = []
    """Further volumes of the operator's Pods."""
    extra_volume_mounts: list[Mount] = []
    """Mounts of the further volumes."""
    service_account: ServiceAccount = ServiceAccount()
    """The operator's service account."""
    rbac: Rbac = Rbac()
    """Permissions of the operator and of people."""
    service: Service = Service()
    """Service in front of health and metrics."""
    metrics: Metrics = Metrics()
    """Metrics, alerts and dashboard."""
    network_policy: NetworkPolicy = NetworkPolicy()
    """NetworkPolicy of the operator's own Pods."""
    admission_policies: AdmissionPolicies = AdmissionPolicies()
    """What tenants may ask for, checked by the API server."""
    tenants: list[Tenant] = []
    """Namespaces to set up for TweetBots; the chart's README describes an entry."""
    argocd: ArgoCd = ArgoCd()
    """Help for Argo CD."""
    tests: HelmTest = HelmTest()
    """`helm test`."""
    extra_objects: list[Object | str] = []
    """Further objects, as maps or as text; both may contain templates."""
