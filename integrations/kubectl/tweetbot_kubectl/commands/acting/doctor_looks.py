"""What `doctor` asks the API server. A refusal is an answer: it says what remains unknown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tweetbot_contract.handover import BOT_LABEL, CLASS_PLURAL, GROUP, MANAGED_BY, MANAGED_BY_LABEL, VERSION
from tweetbot_kubectl.cluster.requests import Document, Requests
from tweetbot_kubectl.decisions.checks.check import Found
from tweetbot_kubectl.decisions.checks.platform import (
    LEASE_NAME_ENV,
    OPERATOR_SELECTOR,
    RIGHTS,
    Right,
    choose_operators,
    read_variable,
)
from tweetbot_kubectl.failures import CommandFailed, Forbidden, NotFound

_API = f"/apis/{GROUP}/{VERSION}"
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
#: API versions of Kueue's LocalQueue, the newest first.
_KUEUE = ("v1beta2", "v1beta1")
_DEFAULT_LEASE = "tweetbot-operator"


@dataclass(frozen=True, slots=True)
class Looks:
    """Reads objects of one namespace, and a few of the cluster's."""

    requests: Requests
    namespace: str

    def read(self, path: str, query: Mapping[str, str] | None = None) -> Found:
        """Read an object or a list."""
        try:
            return Found(self.requests.get(path, query))
        except NotFound as failure:
            return Found(problem="missing", message=str(failure))
        except Forbidden as failure:
            return Found(problem="forbidden", message=str(failure))
        except CommandFailed as failure:
            return Found(problem="unreachable", message=str(failure))

    def find(self, api: str, plural: str, name: str = "") -> Found:
        """Read an object of the namespace, or all of a kind."""
        return self.read(f"{api}/namespaces/{self.namespace}/{plural}{f'/{name}' if name else ''}")

    def find_api(self) -> Found:
        """Read which resources our API version has."""
        return self.read(_API)

    def find_operator(self) -> Found:
        """Read the Deployments of operators that look after this namespace: in all namespaces, else in this one."""
        query = {"labelSelector": OPERATOR_SELECTOR}
        found = self.read("/apis/apps/v1/deployments", query)
        here = self.read(f"/apis/apps/v1/namespaces/{self.namespace}/deployments", query) if found.problem else found
        return choose_operators(here if here.items else found, self.namespace)

    def find_lease(self, deployment: Document) -> Found:
        """Read the Lease of an operator's replicas."""
        containers = deployment["spec"]["template"]["spec"]["containers"]
        name = next(filter(None, (read_variable(each, LEASE_NAME_ENV) for each in containers)), _DEFAULT_LEASE)
        namespace = deployment["metadata"]["namespace"]
        return self.read(f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}")

    def find_class(self, name: str) -> Found:
        """Read a TweetBotClass."""
        return self.read(f"{_API}/{CLASS_PLURAL}/{name}")

    def find_queue(self, name: str) -> Found:
        """Read a LocalQueue of Kueue."""
        found = [self.find(f"/apis/kueue.x-k8s.io/{version}", "localqueues", name) for version in _KUEUE]
        return next((each for each in found if each.problem != "missing"), found[0])

    def find_nodes(self) -> Found:
        """Read the nodes."""
        return self.read("/api/v1/nodes")

    def find_pods(self, bot: str) -> Found:
        """Read the Pods of a TweetBot's runs."""
        query = {"labelSelector": f"{BOT_LABEL}={bot},{MANAGED_BY_LABEL}={MANAGED_BY}"}
        return self.read(f"/api/v1/namespaces/{self.namespace}/pods", query)

    def review_rights(self) -> Iterator[tuple[Right, bool | None]]:
        """Yield whether the caller has each right in this namespace; None where there is no answer."""
        for right in RIGHTS:
            yield right, self._review(right)

    def _review(self, right: Right) -> bool | None:
        resource, _, subresource = right.resource.partition("/")
        wanted = {
            "namespace": self.namespace,
            "verb": right.verb,
            "group": right.group,
            "resource": resource,
            "subresource": subresource,
        }
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": wanted},
        }
        try:
            return bool(self.requests.post(_REVIEWS, body)["status"].get("allowed"))
        except CommandFailed:
            return None
