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
    image_registry: Annotated[str, Field(description="Registry put before both images, e.g. a mirror's.")] = ""


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
    value: Annotated[str | None, Field(description="Its value.")] = None
    value_from: Annotated[Object | None, Field(description="Where its value comes from.")] = None


class Image(Part):
    """One image."""

    repository: Annotated[str, Field(description="Name, with its registry if it needs one.")] = ""
    tag: Annotated[str, Field(description="Tag; empty: the chart's appVersion.")] = ""
    digest: Annotated[
        str, Field(pattern="^(sha256:[0-9a-f]{64})?$", description="sha256:…; wins over the tag. Pin it in production.")
    ] = ""


class Crds(Part):
    """The custom resource definition."""

    enabled: Annotated[bool, Field(description="Install and upgrade it with the chart.")] = True
    keep: Annotated[bool, Field(description="Leave it, and with it every TweetBot, when the chart goes.")] = True
    annotations: Annotated[Text, Field(description="Further annotations.")] = {}


class Watch(Part):
    """Which TweetBots this operator serves."""

    namespaces: Annotated[
        list[str],
        Field(description="Only those here, with Roles there instead of a ClusterRole; empty: the whole cluster."),
    ] = []


class ServiceAccount(Part):
    """The operator's service account."""

    create: Annotated[bool, Field(description="Make it.")] = True
    name: Annotated[str, Field(description="Its name; empty: the release's.")] = ""
    annotations: Annotated[Text, Field(description="Annotations.")] = {}


class Rbac(Part):
    """What the operator may do, and what people may."""

    create: Annotated[bool, Field(description="Make the operator's roles and bindings.")] = True
    aggregate: Annotated[
        bool, Field(description="Let the cluster's own view, edit and admin roles know TweetBots (never their status).")
    ] = True
    token_reviews: Annotated[
        bool, Field(description="Let it ask the API server about trainers' tokens, where its keys cannot be read.")
    ] = False


class PodDisruptionBudget(Part):
    """Made where there is more than one replica."""

    enabled: Annotated[bool, Field(description="Make it.")] = True
    min_available: Annotated[int | str, Field(description="Replicas that a drain must leave.")] = 1


class Spread(Part):
    """How replicas are kept apart."""

    topology_keys: Annotated[
        list[str], Field(description="Labels of nodes over whose values replicas are spread; empty: none.")
    ] = ["kubernetes.io/hostname"]
    when_unsatisfiable: Annotated[
        Literal["ScheduleAnyway", "DoNotSchedule"], Field(description="What happens where they cannot be.")
    ] = "ScheduleAnyway"


class PriorityClass(Part):
    """A PriorityClass for the operator."""

    create: Annotated[bool, Field(description="Make one, named as the release, unless priorityClassName is set.")] = (
        False
    )
    value: Annotated[int, Field(le=1_000_000_000, description="Its value.")] = 1_000_000
    preemption_policy: Annotated[
        Literal["PreemptLowerPriority", "Never"], Field(description="Whether it may evict others to get a place.")
    ] = "PreemptLowerPriority"


class Probe(Part):
    """Times of a probe, in seconds."""

    period_seconds: Annotated[int, Field(ge=1, description="Between two.")] = 10
    timeout_seconds: Annotated[int, Field(ge=1, description="For one.")] = 5
    failure_threshold: Annotated[int, Field(ge=1, description="Failures in a row that count.")] = 3


class ServiceMonitor(Part):
    """For the Prometheus operator."""

    enabled: Annotated[bool, Field(description="Make it.")] = False
    namespace: Annotated[str, Field(description="Where; empty: with the operator.")] = ""
    labels: Annotated[Text, Field(description="Labels by which your Prometheus finds it.")] = {}
    interval: Annotated[str, Field(description="Between two scrapes.")] = "30s"
    scrape_timeout: Annotated[str, Field(description="For one scrape.")] = "10s"
    relabelings: Annotated[Objects, Field(description="Before the scrape.")] = []
    metric_relabelings: Annotated[Objects, Field(description="After it.")] = []


class PrometheusRule(Part):
    """The alerts, each with a runbook."""

    enabled: Annotated[bool, Field(description="Make it.")] = False
    namespace: Annotated[str, Field(description="Where; empty: with the operator.")] = ""
    labels: Annotated[Text, Field(description="Labels by which your Prometheus finds it.")] = {}
    runbook_base_url: Annotated[
        str,
        Field(
            alias="runbookBaseURL",
            description="Where you show docs/runbooks: alerts then link their page there, in the annotation "
            "`runbook_url`; empty: they only name it.",
        ),
    ] = ""


class Dashboard(Part):
    """The Grafana dashboard as a ConfigMap."""

    enabled: Annotated[bool, Field(description="Make it.")] = False
    namespace: Annotated[str, Field(description="Where; empty: with the operator.")] = ""
    labels: Annotated[Text, Field(description="Labels by which Grafana's sidecar finds it.")] = {
        "grafana_dashboard": "1"
    }
    annotations: Annotated[Text, Field(description="Annotations, e.g. the folder.")] = {}


class Metrics(Part):
    """Figures for Prometheus; health is on the same port."""

    port: Annotated[int, Field(ge=1024, le=65535, description="TCP port of health and metrics.")] = 8080
    service_monitor: Annotated[ServiceMonitor, Field(description="For the Prometheus operator.")] = ServiceMonitor()
    prometheus_rule: Annotated[PrometheusRule, Field(description="The alerts.")] = PrometheusRule()
    dashboard: Annotated[Dashboard, Field(description="The Grafana dashboard.")] = Dashboard()


class NetworkPolicy(Part):
    """For the operator's own Pods; the trainers' are under `tenants`."""

    enabled: Annotated[bool, Field(description="Make it. Your network plug-in must enforce policies.")] = False
    api_server_ports: Annotated[
        list[int], Field(min_length=1, description="Ports of the API server that may be reached.")
    ] = [443, 6443]
    metrics_from: Annotated[
        Objects, Field(description="Who may read health and metrics, as `from` of a NetworkPolicy; empty: everybody.")
    ] = []
    extra_egress: Annotated[Objects, Field(description="Further egress rules.")] = []


class HelmTest(Part):
    """`helm test`: asks the operator's health and metrics through its Service."""

    enabled: Annotated[bool, Field(description="Make the test's Pod.")] = True


class ArgoCd(Part):
    """For Argo CD, which has to be told what a healthy TweetBot is."""

    notes: Annotated[bool, Field(description="Print the health check and the actions, ready for argocd-cm.")] = False


class ChartValues(Part):
    """What may be set, beside the operator's settings."""

    enabled: Annotated[
        bool | None,
        Field(description="Read by the `condition` of a parent chart alone; it does nothing here."),
    ] = None
    global_: Annotated[Global, Field(alias="global", description="Shared by all parts of a parent chart.")] = Global()
    name_override: Annotated[str, Field(description="Name of the chart in labels.")] = ""
    fullname_override: Annotated[str, Field(max_length=46, description="Name of every object.")] = ""
    namespace_override: Annotated[str, Field(description="Namespace; empty: the release's.")] = ""
    common_labels: Annotated[Text, Field(description="Labels of every object.")] = {}
    common_annotations: Annotated[Text, Field(description="Annotations of every object.")] = {}
    crds: Annotated[Crds, Field(description="The custom resource definition.")] = Crds()
    image: Annotated[Image, Field(description="The operator's image.")] = Image(repository="tweetbot-operator")
    image_pull_policy: Annotated[
        Literal["Always", "IfNotPresent", "Never"], Field(description="When the operator's image is pulled.")
    ] = "IfNotPresent"
    image_pull_secrets: Annotated[Objects, Field(description="Secrets for the operator's image.")] = []
    trainer_image: Annotated[
        Image,
        Field(description="The image of both stages. It is not in a run's id, so another one retrains nothing."),
    ] = Image(repository="tweetbot-trainer")
    watch: Annotated[Watch, Field(description="Which TweetBots this operator serves.")] = Watch()
    replicas: Annotated[int, Field(ge=0, description="One acts, the others stand by with warm caches.")] = 2
    pod_disruption_budget: Annotated[PodDisruptionBudget, Field(description="With more than one replica.")] = (
        PodDisruptionBudget()
    )
    spread: Annotated[Spread, Field(description="How replicas are kept apart.")] = Spread()
    affinity: Annotated[Object, Field(description="Affinity of the operator's Pods.")] = {}
    node_selector: Annotated[Text, Field(description="Labels of nodes for the operator's Pods.")] = {}
    tolerations: Annotated[Objects, Field(description="Taints that the operator's Pods put up with.")] = []
    priority_class_name: Annotated[str, Field(description="Priority class of the operator's Pods.")] = ""
    priority_class: Annotated[PriorityClass, Field(description="A PriorityClass for the operator.")] = PriorityClass()
    resources: Annotated[
        Object, Field(description="The operator's resources; docs/benchmarks.md says what a fleet takes.")
    ] = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}
    pod_security_context: Annotated[
        Object, Field(description="Restricted to the letter; without a uid, so that OpenShift gives one.")
    ] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    security_context: Annotated[Object, Field(description="Restricted to the letter.")] = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    host_users: Annotated[
        bool | None, Field(description="false: a user namespace of its own, where nodes can; unset: the cluster's way.")
    ] = None
    pod_labels: Annotated[Text, Field(description="Further labels of the operator's Pods.")] = {}
    pod_annotations: Annotated[Text, Field(description="Further annotations of the operator's Pods.")] = {}
    termination_grace_period_seconds: Annotated[
        int, Field(ge=1, description="Seconds to end passes in flight and give the Lease back.")
    ] = 30
    revision_history_limit: Annotated[int, Field(ge=0, description="Old ReplicaSets kept for a rollback.")] = 3
    liveness_probe: Annotated[Probe, Field(description="/healthz: fails when the watches are dead.")] = Probe(
        period_seconds=20
    )
    readiness_probe: Annotated[Probe, Field(description="/readyz: fails until the caches are filled.")] = Probe(
        period_seconds=5
    )
    extra_env: Annotated[
        list[Variable], Field(description="Further variables; none of TWEETBOT_*, those are `settings`.")
    ] = []
    extra_volumes: Annotated[Objects, Field(description="Further volumes.")] = []
    extra_volume_mounts: Annotated[Objects, Field(description="Where they go.")] = []
    service_account: Annotated[ServiceAccount, Field(description="The operator's account.")] = ServiceAccount()
    rbac: Annotated[Rbac, Field(description="What the operator may do, and what people may.")] = Rbac()
    metrics: Annotated[Metrics, Field(description="Figures for Prometheus, alerts, dashboard.")] = Metrics()
    progress: Annotated[Progress, Field(description="Live progress of trainings; off without a certificate.")] = (
        Progress()
    )
    network_policy: Annotated[NetworkPolicy, Field(description="For the operator's own Pods.")] = NetworkPolicy()
    admission_policies: Annotated[
        AdmissionPolicies, Field(description="What tenants may ask for, checked by the API server.")
    ] = AdmissionPolicies()
    tenants: Annotated[
        list[Tenant], Field(description="Namespaces that are set up for TweetBots; what is in one, see below.")
    ] = []
    argocd: Annotated[ArgoCd, Field(description="For Argo CD.")] = ArgoCd()
    tests: Annotated[HelmTest, Field(description="`helm test`.")] = HelmTest()
    extra_objects: Annotated[
        list[Object | str], Field(description="Further objects, as maps or as text; both may hold templates.")
    ] = []
