"""Values of a tenant: a namespace that is set up for TweetBots."""

from typing import Any

from pydantic import Field

from tweetbot_contract.spec.parts import Part


class PullSecret(Part):
    """A Secret with a registry's login."""

    name: str = Field(min_length=1, description="Its name, in the tenant's namespace.")


class TenantAccount(Part):
    """The service account that trainers may run as, e.g. for workload identity."""

    name: str = Field("tweetbot-trainer", description="Its name, for spec.serviceAccountName; empty: none is made.")
    annotations: dict[str, str] = Field({}, description="Annotations, e.g. of the cloud's role.")
    image_pull_secrets: list[PullSecret] = Field(
        [], description="Secrets with the login for the trainer's image, as [{name: registry}]."
    )


class Egress(Part):
    """Where trainers may go. Kubernetes knows addresses and ports, no host names."""

    cidrs: list[str] = Field(min_length=1, description="Address ranges.")
    ports: list[int] = Field(min_length=1, description="TCP ports.")


class TenantNetwork(Part):
    """A NetworkPolicy for the trainers: nothing in; out to DNS, the progress endpoint, and what is declared."""

    enabled: bool = Field(True, description="Make it.")
    egress: list[Egress] = Field(
        [Egress(cidrs=["0.0.0.0/0", "::/0"], ports=[443])], description="S3, X, Bluesky, the model hub, W&B."
    )
    except_: list[str] = Field(
        ["169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128"],
        alias="except",
        description=(
            "Ranges cut out of 0.0.0.0/0 and ::/0: the cloud's metadata; add those of your Pods, Services and nodes."
        ),
    )


class LocalQueue(Part):
    """A LocalQueue of Kueue."""

    name: str = Field("tweetbots", description="Its name.")
    cluster_queue: str = Field("", description="The ClusterQueue behind it; empty: no LocalQueue is made.")


class Tenant(Part):
    """One namespace."""

    namespace: str = Field(min_length=1, max_length=63, description="The namespace; it must exist.")
    service_account: TenantAccount = Field(TenantAccount(), description="Whom trainers run as.")
    subjects: list[dict[str, Any]] = Field(
        [], description="Who may edit TweetBots there, as subjects of a RoleBinding; empty: no binding is made."
    )
    quota: dict[str, Any] = Field(
        {},
        description=(
            "`hard` of a ResourceQuota, e.g. {requests.nvidia.com/gpu: 2, count/tweetbots.tweetbot.dev: "
            "50}; empty: none is made."
        ),
    )
    network_policy: TenantNetwork = Field(TenantNetwork(), description="Where trainers may go.")
    local_queue: LocalQueue = Field(LocalQueue(), description="A LocalQueue of Kueue.")
