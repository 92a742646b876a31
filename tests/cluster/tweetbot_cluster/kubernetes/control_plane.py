"""The four servers that are Kubernetes: etcd, API server, controller manager and scheduler, on the loopback only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tweetbot_cluster.kubernetes import rights
from tweetbot_cluster.kubernetes.api_server import ApiServer, Document
from tweetbot_cluster.kubernetes.certificates import Authority, service_account_key
from tweetbot_cluster.kubernetes.kubeconfig import write_kubeconfig
from tweetbot_cluster.servers import Server, answers
from tweetbot_cluster.state import LOOPBACK, Settings, StateFolder

NODE_NAME = "process-node"
KUBELET_CLIENT = "kube-apiserver-kubelet-client"  # the name by which the API server asks the node for logs
# The ones that Jobs, Pods, Deployments, quotas, namespaces and their admins need: each one more makes the boot longer.
CONTROLLERS = (
    "job",
    "cronjob",
    "deployment",
    "replicaset",
    "garbage-collector",
    "pod-garbage-collector",
    "ttl-after-finished",
    "namespace",
    "serviceaccount",
    "root-ca-certificate-publisher",
    "resourcequota",
    "disruption",
    "node-lifecycle",
    "taint-eviction",
    "clusterrole-aggregation",
)
USERS = {
    "kubeconfig": ("tweetbot-admin", ("system:masters",)),
    # Its own name, so that the audit log tells its writes from a person's; the group that every service account is in.
    "operator.kubeconfig": (rights.OPERATOR, ("system:serviceaccounts",)),
    "certificates/controller-manager.kubeconfig": ("system:kube-controller-manager", ()),
    "certificates/scheduler.kubeconfig": ("system:kube-scheduler", ()),
    "certificates/node.kubeconfig": (f"system:node:{NODE_NAME}", ("system:nodes",)),
}


def write_credentials(state: StateFolder, settings: Settings) -> None:
    """Write the authority, the servers' certificates and every client's kubeconfig into the state folder."""
    authority = Authority(state.certificates)
    authority.server("apiserver", (settings.address, "10.0.0.1"))
    authority.server("kubelet", (LOOPBACK,))
    authority.client("kubelet-client", KUBELET_CLIENT, ("tweetbot:kubelet-clients",))
    service_account_key(state.certificates)
    for file, (user, groups) in USERS.items():
        client = authority.client(f"client-{Path(file).stem}" if "/" in file else f"user-{file}", user, groups)
        write_kubeconfig(
            state.root / file,
            server=f"https://{settings.address}:{settings.apiserver_port}",
            authority=authority.certificate_file,
            client=client,
        )
    (state.certificates / "audit-policy.json").write_text(json.dumps(audit_policy()))


def audit_policy() -> Document:
    """Log every write to TweetBots and Jobs with its body; what else the operator asks, and new Pods, by metadata."""
    writes = ["create", "update", "patch", "delete", "deletecollection"]
    watched = [
        {"group": "tweetbot.dev", "resources": ["tweetbots", "tweetbots/status"]},
        {"group": "batch", "resources": ["jobs", "jobs/status"]},
    ]
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [
            {"level": "RequestResponse", "verbs": writes, "resources": watched},
            {"level": "Metadata", "users": [rights.OPERATOR, rights.ACCOUNT]},
            {"level": "Metadata", "verbs": ["create"], "resources": [{"resources": ["pods"]}]},
            {"level": "None"},
        ],
    }


def etcd(state: StateFolder, settings: Settings, binaries: Mapping[str, Path]) -> Server:
    """Return etcd, without fsync: the data of a test cluster need not survive a power cut."""
    client, peer = (f"http://{LOOPBACK}:{port}" for port in (settings.etcd_port, settings.etcd_peer_port))
    flags = {
        "name": "default",
        "data-dir": str(state.data / "etcd"),
        "unsafe-no-fsync": "true",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "auto-compaction-retention": "1h",
    }
    return Server("etcd", _command(binaries["etcd"], flags), lambda: answers(client + "/health"))


def apiserver(state: StateFolder, settings: Settings, binaries: Mapping[str, Path]) -> Server:
    """Return the API server with RBAC, the node authorizer, token requests, an audit log and logs from the node."""
    folder = state.certificates
    flags = {
        "etcd-servers": f"http://{LOOPBACK}:{settings.etcd_port}",
        "bind-address": settings.address,
        "advertise-address": settings.address,
        "endpoint-reconciler-type": "none",  # the loopback is no valid endpoint address
        "secure-port": str(settings.apiserver_port),
        "service-cluster-ip-range": "10.0.0.0/24",
        "tls-cert-file": str(folder / "apiserver.crt"),
        "tls-private-key-file": str(folder / "apiserver.key"),
        "client-ca-file": str(folder / "ca.crt"),
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "feature-gates": "MutatingAdmissionPolicy=true",  # beta and off in Kubernetes 1.34 and 1.35
        "runtime-config": "admissionregistration.k8s.io/v1beta1=true",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": str(folder / "service-accounts.key"),
        "service-account-signing-key-file": str(folder / "service-accounts.key"),
        "kubelet-certificate-authority": str(folder / "ca.crt"),
        "kubelet-client-certificate": str(folder / "kubelet-client.crt"),
        "kubelet-client-key": str(folder / "kubelet-client.key"),
        "kubelet-preferred-address-types": "InternalIP",
        "audit-policy-file": str(folder / "audit-policy.json"),
        "audit-log-path": str(state.audit_log),
        "event-ttl": "24h",
    }
    api = ApiServer(state.kubeconfig)
    command = _command(binaries["kube-apiserver"], flags)
    return Server("kube-apiserver", command, lambda: api.answers("/readyz"), grace=20)


def controller_manager(state: StateFolder, binaries: Mapping[str, Path]) -> Server:
    """Return the controller manager; it is ready when it has given the default namespace its ServiceAccount."""
    folder = state.certificates
    flags = {
        "kubeconfig": str(folder / "controller-manager.kubeconfig"),
        "controllers": ",".join(f"{name}-controller" for name in CONTROLLERS),
        "leader-elect": "false",
        "secure-port": "0",
        "use-service-account-credentials": "true",  # the bootstrap roles give each controller its own rights
        "root-ca-file": str(folder / "ca.crt"),
        "service-account-private-key-file": str(folder / "service-accounts.key"),
    }
    api = ApiServer(state.kubeconfig)
    account = "/api/v1/namespaces/default/serviceaccounts/default"
    command = _command(binaries["kube-controller-manager"], flags)
    return Server("kube-controller-manager", command, lambda: api.answers(account))


def scheduler(state: StateFolder, binaries: Mapping[str, Path]) -> Server:
    """Return the scheduler; it serves nothing, so that it runs is all that can be asked."""
    flags = {
        "kubeconfig": str(state.certificates / "scheduler.kubeconfig"),
        "leader-elect": "false",
        "secure-port": "0",
    }
    return Server("kube-scheduler", _command(binaries["kube-scheduler"], flags), lambda: True)


def _command(program: Path, flags: Mapping[str, str]) -> tuple[str, ...]:
    return (str(program), *(f"--{name}={value}" for name, value in flags.items()))
