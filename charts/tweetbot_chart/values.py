"""Every value of the chart with its default. Free-form objects are the ones that Kubernetes itself defines."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from tweetbot_chart.policy_values import AdmissionPolicies
from tweetbot_chart.progress_values import Progress
from tweetbot_chart.tenant_values import Tenant
from tweetbot_contract.spec.parts import Part

Text = dict[str, str]
Object = dict[str, Any]
Objects = list[Object]


PREFIX = "TWEETBOT_"
#: Where a schema names a value, helm says that it must be that one: so the advice stands as the value.
ANOTHER_NAME = f"another name: what begins with {PREFIX} is set under `settings`"


class Global(Part):
    """What a parent chart shares with all its parts."""

    model_config = ConfigDict(extra="allow")
    image_registry: str = Field("", description="Registry put before both images, e.g. a mirror's.")


def _reject_setting(name: str) -> str:
    if name.startswith(PREFIX):
        raise ValueError(ANOTHER_NAME)
    return name


class Variable(Part):
    """A variable of the operator's container, as Kubernetes defines it."""

    name: Annotated[
        str,
        AfterValidator(_reject_setting),
        Field(
            description="Its name.",
            json_schema_extra={"if": {"pattern": f"^{PREFIX}"}, "then": {"const": ANOTHER_NAME}},
        ),
    ]
    value: str | None = Field(None, description="Its value.")
    value_from: Object | None = Field(None, description="Where its value comes from.")


class Image(Part):
    """One image."""

    repository: str = Field("", description="Name, with its registry if it needs one.")
    tag: str = Field("", description="Tag; empty: the chart's appVersion.")
    digest: str = Field(
        "", pattern="^(sha256:[0-9a-f]{64})?$", description="sha256:…; wins over the tag. Pin it in production."
    )


class Crds(Part):
    """The custom resource definition."""

    enabled: bool = Field(True, description="Install and upgrade it with the chart.")
    keep: bool = Field(True, description="Leave it, and with it every TweetBot, when the chart goes.")
    annotations: Text = Field({}, description="Further annotations.")


class Watch(Part):
    """Which TweetBots this operator serves."""

    namespaces: list[str] = Field(
        [], description="Only those here, with Roles there instead of a ClusterRole; empty: the whole cluster."
    )


class ServiceAccount(Part):
    """The operator's service account."""

    create: bool = Field(True, description="Make it.")
    name: str = Field("", description="Its name; empty: the release's.")
    annotations: Text = Field({}, description="Annotations.")


class Rbac(Part):
    """What the operator may do, and what people may."""

    create: bool = Field(True, description="Make the operator's roles and bindings.")
    aggregate: bool = Field(
        True, description="Let the cluster's own view, edit and admin roles know TweetBots (never their status)."
    )
    token_reviews: bool = Field(
        False, description="Let it ask the API server about trainers' tokens, where its keys cannot be read."
    )


class PodDisruptionBudget(Part):
    """Made where there is more than one replica."""

    enabled: bool = Field(True, description="Make it.")
    min_available: int | str = Field(1, description="Replicas that a drain must leave.")


class Spread(Part):
    """How replicas are kept apart."""

    topology_keys: list[str] = Field(
        ["kubernetes.io/hostname"], description="Labels of nodes over whose values replicas are spread; empty: none."
    )
    when_unsatisfiable: Literal["ScheduleAnyway", "DoNotSchedule"] = Field(
        "ScheduleAnyway", description="What happens where they cannot be."
    )


class PriorityClass(Part):
    """A PriorityClass for the operator."""

    create: bool = Field(False, description="Make one, named as the release, unless priorityClassName is set.")
    value: int = Field(1_000_000, le=1_000_000_000, description="Its value.")
    preemption_policy: Literal["PreemptLowerPriority", "Never"] = Field(
        "PreemptLowerPriority", description="Whether it may evict others to get a place."
    )


class Probe(Part):
    """Times of a probe, in seconds."""

    period_seconds: int = Field(10, ge=1, description="Between two.")
    timeout_seconds: int = Field(5, ge=1, description="For one.")
    failure_threshold: int = Field(3, ge=1, description="Failures in a row that count.")


class ServiceMonitor(Part):
    """For the Prometheus operator."""

    enabled: bool = Field(False, description="Make it.")
    namespace: str = Field("", description="Where; empty: with the operator.")
    labels: Text = Field({}, description="Labels by which your Prometheus finds it.")
    interval: str = Field("30s", description="Between two scrapes.")
    scrape_timeout: str = Field("10s", description="For one scrape.")
    relabelings: Objects = Field([], description="Before the scrape.")
    metric_relabelings: Objects = Field([], description="After it.")


class PrometheusRule(Part):
    """The alerts, each with a runbook."""

    enabled: bool = Field(False, description="Make it.")
    namespace: str = Field("", description="Where; empty: with the operator.")
    labels: Text = Field({}, description="Labels by which your Prometheus finds it.")
    runbook_base_url: str = Field(
        "",
        alias="runbookBaseURL",
        description=(
            "Where you show docs/runbooks: alerts then link their page there, in the annotation "
            "`runbook_url`; empty: they only name it."
        ),
    )


class Dashboard(Part):
    """The Grafana dashboard as a ConfigMap."""

    enabled: bool = Field(False, description="Make it.")
    namespace: str = Field("", description="Where; empty: with the operator.")
    labels: Text = Field({"grafana_dashboard": "1"}, description="Labels by which Grafana's sidecar finds it.")
    annotations: Text = Field({}, description="Annotations, e.g. the folder.")


class Metrics(Part):
    """Figures for Prometheus; health is on the same port."""

    port: int = Field(8080, ge=1024, le=65535, description="TCP port of health and metrics.")
    service_monitor: ServiceMonitor = Field(ServiceMonitor(), description="For the Prometheus operator.")
    prometheus_rule: PrometheusRule = Field(PrometheusRule(), description="The alerts.")
    dashboard: Dashboard = Field(Dashboard(), description="The Grafana dashboard.")


class NetworkPolicy(Part):
    """For the operator's own Pods; the trainers' are under `tenants`."""

    enabled: bool = Field(False, description="Make it. Your network plug-in must enforce policies.")
    api_server_ports: list[int] = Field(
        [443, 6443], min_length=1, description="Ports of the API server that may be reached."
    )
    metrics_from: Objects = Field(
        [], description="Who may read health and metrics, as `from` of a NetworkPolicy; empty: everybody."
    )
    extra_egress: Objects = Field([], description="Further egress rules.")


class HelmTest(Part):
    """`helm test`: asks the operator's health and metrics through its Service."""

    enabled: bool = Field(True, description="Make the test's Pod.")


class ArgoCd(Part):
    """For Argo CD, which has to be told what a healthy TweetBot is."""

    notes: bool = Field(False, description="Print the health check and the actions, ready for argocd-cm.")


class ChartValues(Part):
    """What may be set, beside the operator's settings."""

    enabled: bool | None = Field(
        None, description="Read by the `condition` of a parent chart alone; it does nothing here."
    )
    global_: Global = Field(Global(), alias="global", description="Shared by all parts of a parent chart.")
    name_override: str = Field("", description="Name of the chart in labels.")
    fullname_override: str = Field("", max_length=46, description="Name of every object.")
    namespace_override: str = Field("", description="Namespace; empty: the release's.")
    common_labels: Text = Field({}, description="Labels of every object.")
    common_annotations: Text = Field({}, description="Annotations of every object.")
    crds: Crds = Field(Crds(), description="The custom resource definition.")
    image: Image = Field(Image(repository="tweetbot-operator"), description="The operator's image.")
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(
        "IfNotPresent", description="When the operator's image is pulled."
    )
    image_pull_secrets: Objects = Field([], description="Secrets for the operator's image.")
    trainer_image: Image = Field(
        Image(repository="tweetbot-trainer"),
        description="The image of both stages. It is not in a run's id, so another one retrains nothing.",
    )
    watch: Watch = Field(Watch(), description="Which TweetBots this operator serves.")
    replicas: int = Field(2, ge=0, description="One acts, the others stand by with warm caches.")
    pod_disruption_budget: PodDisruptionBudget = Field(PodDisruptionBudget(), description="With more than one replica.")
    spread: Spread = Field(Spread(), description="How replicas are kept apart.")
    affinity: Object = Field({}, description="Affinity of the operator's Pods.")
    node_selector: Text = Field({}, description="Labels of nodes for the operator's Pods.")
    tolerations: Objects = Field([], description="Taints that the operator's Pods put up with.")
    priority_class_name: str = Field("", description="Priority class of the operator's Pods.")
    priority_class: PriorityClass = Field(PriorityClass(), description="A PriorityClass for the operator.")
    resources: Object = Field(
        {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        description="The operator's resources; docs/benchmarks.md says what a fleet takes.",
    )
    pod_security_context: Object = Field(
        {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        description="Restricted to the letter; without a uid, so that OpenShift gives one.",
    )
    security_context: Object = Field(
        {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        description="Restricted to the letter.",
    )
    host_users: bool | None = Field(
        None, description="false: a user namespace of its own, where nodes can; unset: the cluster's way."
    )
    pod_labels: Text = Field({}, description="Further labels of the operator's Pods.")
    pod_annotations: Text = Field({}, description="Further annotations of the operator's Pods.")
    termination_grace_period_seconds: int = Field(
        30, ge=1, description="Seconds to end passes in flight and give the Lease back."
    )
    revision_history_limit: int = Field(3, ge=0, description="Old ReplicaSets kept for a rollback.")
    liveness_probe: Probe = Field(Probe(period_seconds=20), description="/healthz: fails when the watches are dead.")
    readiness_probe: Probe = Field(Probe(period_seconds=5), description="/readyz: fails until the caches are filled.")
    extra_env: list[Variable] = Field([], description="Further variables; none of TWEETBOT_*, those are `settings`.")
    extra_volumes: Objects = Field([], description="Further volumes.")
    extra_volume_mounts: Objects = Field([], description="Where they go.")
    service_account: ServiceAccount = Field(ServiceAccount(), description="The operator's account.")
    rbac: Rbac = Field(Rbac(), description="What the operator may do, and what people may.")
    metrics: Metrics = Field(Metrics(), description="Figures for Prometheus, alerts, dashboard.")
    progress: Progress = Field(Progress(), description="Live progress of trainings; off without a certificate.")
    network_policy: NetworkPolicy = Field(NetworkPolicy(), description="For the operator's own Pods.")
    admission_policies: AdmissionPolicies = Field(
        AdmissionPolicies(), description="What tenants may ask for, checked by the API server."
    )
    tenants: list[Tenant] = Field(
        [], description="Namespaces that are set up for TweetBots; what is in one, see below."
    )
    argocd: ArgoCd = Field(ArgoCd(), description="For Argo CD.")
    tests: HelmTest = Field(HelmTest(), description="`helm test`.")
    extra_objects: list[Object | str] = Field(
        [], description="Further objects, as maps or as text; both may hold templates."
    )
