"""Values of a tenant: a namespace that is set up for TweetBots."""

from typing import Annotated, Any

from pydantic import Field

from tweetbot_contract.spec.parts import Part


class PullSecret(Part):
    """A Secret with a registry's login."""

    name: Annotated[str, Field(min_length=1, description="Its name, in the tenant's namespace.")]


class TenantAccount(Part):
    """The service account that trainers may run as, e.g. for workload identity."""

    name: Annotated[str, Field(description="Its name, for spec.serviceAccountName; empty: none is made.")] = (
        "tweetbot-trainer"
    )
    annotations: Annotated[dict[str, str], Field(description="Annotations, e.g. of the cloud's role.")] = {}
    image_pull_secrets: Annotated[
        list[PullSecret], Field(description="Secrets with the login for the trainer's image, as [{name: registry}].")
    ] = []


class Egress(Part):
    """Where trainers may go. Kubernetes knows addresses and ports, no host names."""

    cidrs: Annotated[list[str], Field(min_length=1, description="Address ranges.")]
    ports: Annotated[list[int], Field(min_length=1, description="TCP ports.")]


class TenantNetwork(Part):
    """A NetworkPolicy for the trainers: nothing in; out to DNS, the progress endpoint, and what is declared."""

    enabled: Annotated[bool, Field(description="Make it.")] = True
    egress: Annotated[list[Egress], Field(description="S3, X, Bluesky, the model hub, W&B.")] = [
        Egress(cidrs=["0.0.0.0/0", "::/0"], ports=[443])
    ]
    except_: Annotated[
        list[str],
        Field(
            alias="except",
            description="Ranges cut out of 0.0.0.0/0 and ::/0: the cloud's metadata; add those of your Pods, Services "
            "and nodes.",
        ),
    ] = ["169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128"]


class LocalQueue(Part):
    """A LocalQueue of Kueue."""

    name: Annotated[str, Field(description="Its name.")] = "tweetbots"
    cluster_queue: Annotated[str, Field(description="The ClusterQueue behind it; empty: no LocalQueue is made.")] = ""


class Tenant(Part):
    """One namespace."""

    namespace: Annotated[str, Field(min_length=1, max_length=63, description="The namespace; it must exist.")]
    service_account: Annotated[TenantAccount, Field(description="Whom trainers run as.")] = TenantAccount()
    subjects: Annotated[
        list[dict[str, Any]],
        Field(description="Who may edit TweetBots there, as subjects of a RoleBinding; empty: no binding is made."),
    ] = []
    quota: Annotated[
        dict[str, Any],
        Field(
            description="`hard` of a ResourceQuota, e.g. {requests.nvidia.com/gpu: 2, count/tweetbots.tweetbot.dev: "
            "50}; empty: none is made."
        ),
    ] = {}
    network_policy: Annotated[TenantNetwork, Field(description="Where trainers may go.")] = TenantNetwork()
    local_queue: Annotated[LocalQueue, Field(description="A LocalQueue of Kueue.")] = LocalQueue()
