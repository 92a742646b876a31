"""Checks of the cluster: the resource definition, the operator, its Lease, and the caller's rights."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tweetbot_contract.handover import GROUP, PLURAL, VERSION
from tweetbot_kubectl.cluster.rights import name_grantor
from tweetbot_kubectl.decisions.checks.check import Check, Found, report_unreadable

Document = dict[str, Any]
#: A label of the operator's Deployment, as the chart sets it; its name may be another one.
OPERATOR_SELECTOR = "app.kubernetes.io/component=operator"
LEASE_NAME_ENV, _NAMESPACES_ENV = "TWEETBOT_LEASE_NAME", "TWEETBOT_NAMESPACES"
_PROGRAM = ["tweetbot-operator"]
_INSTALL = "Ask the platform team to install the chart tweetbot-operator."


@dataclass(frozen=True, slots=True)
class Right:
    """Something that a command of the plugin asks of the API server."""

    verb: str
    resource: str
    """Plural, with a subresource after a slash."""
    group: str
    used_by: str
    """The commands that need it."""

    @property
    def text(self) -> str:
        """The right as kubectl auth can-i takes it."""
        return f"{self.verb} {self.resource}{f'.{self.group}' if self.group else ''}"


RIGHTS = (
    Right("get", PLURAL, GROUP, "every command"),
    Right("list", PLURAL, GROUP, "list"),
    Right("watch", PLURAL, GROUP, "status --watch, retrain --wait"),
    Right("patch", PLURAL, GROUP, "retrain, suspend, resume, pin, unpin"),
    Right("list", "jobs", "batch", "status"),
    Right("list", "pods", "", "status, logs"),
    Right("get", "pods/log", "", "logs"),
    Right("list", "events", "", "status"),
    Right("get", "secrets", "", "open, versions, compare"),
    Right("create", "pods", "", "try, doctor --probe"),
    Right("delete", "pods", "", "try, doctor --probe"),
    Right("create", "pods/portforward", "", "try"),
)


def check_api(resources: Found) -> Check:
    """Judge the list of resources of our API version."""
    what, version = "resource definition", f"{GROUP}/{VERSION}"
    if resources.problem == "missing":
        return Check(what, "failed", f"The API server does not serve {version}.", _INSTALL)
    if resources.problem:
        return report_unreadable(what, resources, f"Whether the API server serves {version} is not known")
    names = {each["name"] for each in resources.document.get("resources") or ()}
    if PLURAL not in names:
        return Check(what, "failed", f"The API server serves {version} without {PLURAL}.", _INSTALL)
    status = "" if f"{PLURAL}/status" in names else ", but without status"
    return Check(what, "ok" if not status else "failed", f"The API server serves {PLURAL} of {version}{status}.")


def choose_operators(deployments: Found, namespace: str) -> Found:
    """Return those Deployments that are an operator which looks after a namespace."""
    if deployments.problem:
        return deployments
    return Found({"items": [each for each in deployments.items if _looks_after(each, namespace)]})


def _looks_after(deployment: Document, namespace: str) -> bool:
    containers = deployment["spec"]["template"]["spec"]["containers"]
    container = next((each for each in containers if each.get("command") == _PROGRAM), None)
    if container is None:
        return False
    watched = read_variable(container, _NAMESPACES_ENV)
    return not watched or namespace in watched.split(",")


def read_variable(container: Document, name: str) -> str:
    """Return the value of a container's variable, empty without one."""
    return next((str(each.get("value", "")) for each in container.get("env") or () if each["name"] == name), "")


def check_operator(deployments: Found, *, acting: bool) -> Check:
    """Judge the operators that look after a namespace; `acting` tells whether somebody acts on its TweetBots."""
    what = "operator"
    if deployments.problem:
        return report_unreadable(what, deployments, "Whether the operator runs is not known")
    if not deployments.items and acting:
        return Check(what, "warning", "There is no Deployment of the operator, but somebody acts on TweetBots here.")
    if not deployments.items:
        return Check(what, "failed", "There is no Deployment of the operator for this namespace.", _INSTALL)
    ready = [each for each in deployments.items if (each.get("status") or {}).get("readyReplicas")]
    named = _name(ready[0] if ready else deployments.items[0])
    if not ready:
        namespace, _, name = named.partition("/")
        advice = f"Look at kubectl -n {namespace} describe deployment {name}, and at its Pods' logs."
        return Check(what, "failed", f"The operator {named} has no ready Pod.", advice)
    count, image = ready[0]["status"]["readyReplicas"], _get_image(ready[0])
    return Check(what, "ok", f"{named} has {count} ready Pod{'s' if count > 1 else ''} of {image}.")


def _name(item: Document) -> str:
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"


def _get_image(deployment: Document) -> str:
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


def check_lease(lease: Found, now: datetime) -> Check:
    """Judge the Lease by which one replica acts."""
    what = "leader"
    if lease.problem == "missing":
        return Check(what, "warning", "There is no Lease: no replica was elected, or there is one without election.")
    if lease.problem:
        return report_unreadable(what, lease, "Which replica acts is not known")
    spec = lease.document.get("spec") or {}
    holder, renewed = spec.get("holderIdentity"), spec.get("renewTime")
    if not holder or not renewed:
        return Check(what, "warning", "No replica holds the Lease.", "Look again in half a minute, then at its log.")
    age = now - datetime.fromisoformat(renewed).astimezone(UTC)
    if age > timedelta(seconds=2 * (spec.get("leaseDurationSeconds") or 15)):
        message = f"{holder} has not renewed the Lease for {int(age.total_seconds())} s: nobody acts on TweetBots."
        return Check(what, "failed", message, "Look at the operator's log, and at the clocks of both machines.")
    return Check(what, "ok", f"{holder} holds the Lease, renewed {max(0, int(age.total_seconds()))} s ago.")


def check_right(right: Right, allowed: bool | None, namespace: str) -> Check:
    """Judge the answer of a SelfSubjectAccessReview; None if there was no answer."""
    what = f"right to {right.text}"
    if allowed is None:
        return Check(what, "unknown", "The API server does not say whether you have it.")
    if allowed:
        return Check(what, "ok", f"You have it in {namespace}.")
    message = f"You lack it in {namespace}, and {right.used_by} will be refused."
    needed = (right.verb, right.resource) == ("get", PLURAL)
    advice = f"It is granted by {name_grantor(right.verb, right.resource)}."
    return Check(what, "failed" if needed else "warning", message, advice)
