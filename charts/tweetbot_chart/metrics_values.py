"""Values of metrics, alerts and dashboard."""

from pydantic import Field

from tweetbot_chart.base import (
    Annotations,
    Duration,
    Labels,
    MatchersOrNone,
    NameOrNone,
    NamespaceOrNone,
    Object,
    Objects,
    UrlOrNone,
    ValueGroup,
)


class MetricsTls(ValueGroup):
    """HTTPS for health and metrics."""

    secret_name: NameOrNone = ""
    """Secret with `tls.crt` and `tls.key`, e.g. cert-manager's; empty: plain HTTP. A renewed one needs no restart."""
    client_certificate: bool = False
    """Give metrics only to clients with a certificate that `ca.crt` of the Secret has signed. Probes need none."""


class Monitor(ValueGroup):
    """A ServiceMonitor or a PodMonitor for the Prometheus Operator."""

    enabled: bool = False
    """Create it."""
    namespace: NamespaceOrNone = ""
    """Its namespace; empty: the operator's."""
    labels: Labels = {}
    """Labels by which your Prometheus selects it."""
    interval: Duration = "30s"
    """Time between two scrapes."""
    scrape_timeout: Duration = "10s"
    """Time that a scrape may take."""
    relabelings: Objects = []
    """Relabelings of the target, before the scrape."""
    metric_relabelings: Objects = []
    """Relabelings of the metrics, after the scrape."""
    tls_config: Object = {}
    """With metrics.tls: how Prometheus checks the certificate, and its own; empty: by `ca.crt` of the same Secret and
    by the Service's name."""


class PrometheusRule(ValueGroup):
    """A PrometheusRule with the alerts, each of which has a runbook."""

    enabled: bool = False
    """Create the PrometheusRule."""
    namespace: NamespaceOrNone = ""
    """Namespace of the PrometheusRule; empty: the operator's."""
    labels: Labels = {}
    """Labels by which your Prometheus selects the PrometheusRule."""
    selector: MatchersOrNone = ""
    """PromQL matchers of this installation's series, e.g. `cluster="west", job="tweetbot"`; empty: the namespace and
    the job that the chart's monitors give them."""
    runbook_base_url: UrlOrNone = Field("", alias="runbookBaseURL")
    """URL at which you publish docs/runbooks. Each alert then links to its page in the annotation `runbook_url`; empty:
    the site of the release, at the chart's `home`, and without that alerts only name the page."""


class Dashboard(ValueGroup):
    """The Grafana dashboard, as a ConfigMap."""

    enabled: bool = False
    """Create the dashboard's ConfigMap."""
    namespace: NamespaceOrNone = ""
    """Namespace of the dashboard's ConfigMap; empty: the operator's."""
    labels: Labels = {"grafana_dashboard": "1"}
    """Labels by which Grafana's sidecar finds the dashboard."""
    annotations: Annotations = {}
    """Annotations of the dashboard's ConfigMap, e.g. its folder in Grafana."""


class Metrics(ValueGroup):
    """Metrics for Prometheus; the health endpoints use the same port."""

    port: int = Field(8080, ge=1024, le=65535)
    """TCP port of the health and metrics endpoints."""
    tls: MetricsTls = MetricsTls()
    """HTTPS for health and metrics."""
    service_monitor: Monitor = Monitor()
    """ServiceMonitor for the Prometheus Operator, which scrapes the Pods behind the Service."""
    pod_monitor: Monitor = Monitor()
    """PodMonitor for the Prometheus Operator, instead of the ServiceMonitor."""
    prometheus_rule: PrometheusRule = PrometheusRule()
    """PrometheusRule with the alerts."""
    dashboard: Dashboard = Dashboard()
    """Grafana dashboard."""
