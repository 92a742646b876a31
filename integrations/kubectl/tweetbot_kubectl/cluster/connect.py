"""From a kubeconfig and a context to requests, as kubectl chooses both."""

from dataclasses import dataclass

from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import ConfigException
from yaml import YAMLError

from tweetbot_kubectl.cluster.requests import ApiRequests
from tweetbot_kubectl.failures import Unreachable, UsageError

#: What a kubeconfig that is missing, damaged or of another form leads to.
_FAULTS = (ConfigException, OSError, ValueError, TypeError, YAMLError)


@dataclass(frozen=True, slots=True)
class Connection:
    """Requests to a cluster, and the namespace that its context names."""

    requests: ApiRequests
    namespace: str


def connect(kubeconfig: str | None, context: str | None, timeout_seconds: float | None) -> Connection:
    """Open a cluster as the kubeconfig says; nothing is sent yet.

    Raises Unreachable without a kubeconfig, UsageError for a context that it does not have.
    """
    try:
        contexts, active = config.list_kube_config_contexts(kubeconfig)
    except _FAULTS as fault:
        raise Unreachable(f"No kubeconfig can be used: set KUBECONFIG or --kubeconfig ({fault})") from None
    names = [each["name"] for each in contexts]
    if context and context not in names:
        raise UsageError(f"The kubeconfig has no context {context}; it has {', '.join(names)}.")
    chosen = next(each for each in contexts if each["name"] == (context or active["name"]))
    return Connection(
        ApiRequests(_create_client(kubeconfig, chosen["name"]), timeout_seconds),
        chosen["context"].get("namespace") or "default",
    )


def _create_client(kubeconfig: str | None, context: str) -> ApiClient:
    settings = Configuration()
    settings.retries = False  # a person waits: say at once what is wrong
    try:
        return config.new_client_from_config(kubeconfig, context, client_configuration=settings)
    except _FAULTS as fault:
        raise Unreachable(f"The context {context} of the kubeconfig cannot be used: {fault}") from None
