"""Values of a tenant: a namespace that is set up for TweetBots."""

from pydantic import Field

from tweetbot_chart.base import Annotations, Cidr, Name, NameOrNone, Namespace, Port, Quantities, ValueGroup
from tweetbot_chart.forms import PullSecret, Subject


class TenantAccount(ValueGroup):
    """The service account of the trainers, e.g. for workload identity."""

    name: NameOrNone = "tweetbot-trainer"
    """Name of the service account, for spec.serviceAccountName; empty: create none."""
    annotations: Annotations = {}
    """Annotations of the service account, e.g. the cloud role."""
    image_pull_secrets: list[PullSecret] = []
    """Secrets for pulling the trainer image, as [{name: registry}]."""


class Egress(ValueGroup):
    """Addresses that trainers may connect to; a NetworkPolicy knows no host names."""

    cidrs: list[Cidr] = Field(min_length=1)
    """Address ranges (CIDRs)."""
    ports: list[Port] = Field(min_length=1)
    """TCP ports."""


class TenantNetwork(ValueGroup):
    """A NetworkPolicy for the trainers: ingress from the operator; egress to DNS and what is listed here."""

    enabled: bool = True
    """Create the NetworkPolicy."""
    egress: list[Egress] = [Egress(cidrs=["0.0.0.0/0", "::/0"], ports=[443])]
    """Addresses and ports that trainers may connect to: S3, X, Bluesky, the model hub, W&B."""
    except_: list[Cidr] = Field(["169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128"], alias="except")
    """Ranges excluded from 0.0.0.0/0 and ::/0: the cloud's metadata service. Add those of your Pods, Services and
    nodes."""


class LocalQueue(ValueGroup):
    """A Kueue LocalQueue."""

    name: Name = "tweetbots"
    """Name of the LocalQueue, for spec.scheduling.queueName."""
    cluster_queue: NameOrNone = ""
    """ClusterQueue that the LocalQueue points to; empty: create no LocalQueue."""


class Tenant(ValueGroup):
    """One namespace."""

    namespace: Namespace
    """Namespace of the tenant; it must exist."""
    service_account: TenantAccount = TenantAccount()
    """Service account of the trainers."""
    subjects: list[Subject] = []
    """Who may edit TweetBots in the namespace and read classes, as subjects of role bindings; empty: create none."""
    logs: bool = True
    """Let them also read the namespace's Pods with their logs, its Jobs and its Events."""
    quota: Quantities = {}
    """`hard` of a ResourceQuota, e.g. {requests.nvidia.com/gpu: 2, count/tweetbots.tweetbot.dev: 50}; empty: create
    none."""
    network_policy: TenantNetwork = TenantNetwork()
    """NetworkPolicy of the trainers."""
    local_queue: LocalQueue = LocalQueue()
    """Kueue LocalQueue of the namespace."""
