"""A real node beside the control plane: containerd, DNS, kube-proxy and the kubelet, in namespaces made for them.

It is for root, in a network and a mount namespace of its own (tests/e2e/run.sh makes both): the programs write where
they do by default, and listen on an address that only this network namespace has.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tweetbot_cluster.binaries import NODE, find_or_build, to_stderr
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.kubernetes.certificates import Authority
from tweetbot_cluster.kubernetes.control_plane import KUBELET_CLIENT
from tweetbot_cluster.kubernetes.kubeconfig import write_kubeconfig
from tweetbot_cluster.real_node import files as files
from tweetbot_cluster.servers import Server, answers, stop

#: In the order in which one needs the other.
SERVERS = ("containerd", "coredns", "kube-proxy", "kubelet")
#: Who they are to the API server; its bootstrap roles know these names.
USERS = {
    "coredns": ("tweetbot-admin", ("system:masters",)),
    "kube-proxy": ("system:kube-proxy", ()),
    "kubelet": (f"system:node:{files.NAME}", ("system:nodes",)),
}
#: What Services need of the control plane beside what the embedded cluster has; that a Pod may be privileged is for
#: Pod Security to refuse, and not for the API server everywhere.
CONTROL_PLANE_FLAGS = {
    "kube-apiserver": {"endpoint-reconciler-type": "lease", "allow-privileged": "true"},
    "kube-controller-manager": {"controllers": "endpointslice-controller"},
}


class RealNode:
    """The node of a cluster that listens on `files.ADDRESS`; as a context manager it is Ready inside, gone after."""

    def __init__(self, cluster: EmbeddedCluster) -> None:
        self._state = cluster.state
        self._api = cluster.api
        self._kubectl = cluster.kubectl
        self._port = cluster.settings.apiserver_port
        self._folder = cluster.state.data / "real-node"
        self._programs = find_or_build(os.environ, to_stderr, NODE)

    def __enter__(self) -> Self:
        self._folder.mkdir(exist_ok=True)
        self._write_files()
        role = ("--clusterrole=system:kubelet-api-admin", f"--user={KUBELET_CLIENT}")
        self._kubectl("create", "clusterrolebinding", KUBELET_CLIENT, *role)
        with ExitStack() as stack:
            stack.callback(self._stop)
            self._start("containerd")
            self._forget_containers()
            for name in SERVERS:
                self._start(name)
            stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def ctr(self, *arguments: str) -> str:
        """Run containerd's own client on what the kubelet has there. Raises subprocess.CalledProcessError."""
        command = ("ctr", "--namespace", "k8s.io", *arguments)
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def _write_files(self) -> None:
        authority = Authority(self._state.certificates)
        authority.server(files.NAME, (files.ADDRESS,))
        for name, (user, groups) in USERS.items():
            write_kubeconfig(
                self._folder / f"{name}.kubeconfig",
                server=f"https://{files.ADDRESS}:{self._port}",
                authority=authority.certificate_file,
                client=authority.client(f"client-{name}", user, groups),
            )
        for name, text in files.configuration(self._folder, self._state.certificates).items():
            (self._folder / name).write_text(text)

    def _forget_containers(self) -> None:
        """Forget what a run before left on its node: a kubelet would look after it for minutes."""
        if left := self.ctr("containers", "list", "--quiet").split():
            self.ctr("containers", "delete", *left)
            stop(self._state, "containerd", grace=20)

    def _start(self, name: str) -> None:
        server = self._server(name)
        server.start(self._state, {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "HOME": str(self._folder)})
        server.wait(self._state)

    def _server(self, name: str) -> Server:
        ready: dict[str, Callable[[], bool]] = {
            "containerd": self._containerd_answers,
            "coredns": lambda: answers("http://127.0.0.1:8181/ready"),
            "kube-proxy": lambda: answers("http://127.0.0.1:10256/livez"),
            "kubelet": lambda: self._api.node_is_ready(files.NAME),
        }
        program = str(self._programs.get(name, name))
        return Server(name, (program, *files.arguments(name, self._folder)), ready[name], patience=180)

    def _containerd_answers(self) -> bool:
        return subprocess.run(("ctr", "version"), check=False, capture_output=True).returncode == 0

    def _stop(self) -> None:
        for name in reversed(SERVERS):
            stop(self._state, name, grace=20)
