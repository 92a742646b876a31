"""The embedded cluster: starts its servers in order, finds what runs already, ends exactly what it started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from types import TracebackType
from typing import Any, Self

from tweetbot_cluster import object_store, seed
from tweetbot_cluster.binaries import Report, find_or_build, to_stderr
from tweetbot_cluster.guardian import NAME as GUARDIAN
from tweetbot_cluster.guardian import start_guardian
from tweetbot_cluster.kubernetes import control_plane
from tweetbot_cluster.kubernetes.api_server import ApiServer
from tweetbot_cluster.node_server import NodePods, end_pods, node_server, remove
from tweetbot_cluster.operator_server import PROGRAM, operator_server
from tweetbot_cluster.processes import reap
from tweetbot_cluster.servers import Server, running, stop
from tweetbot_cluster.state import LOOPBACK, Settings, StateFolder

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
EVERYTHING = (*CONTROL_PLANE, "versitygw", "node")
OPERATOR = "operator"
#: Seconds after which a kubectl hangs: twice the longest `--timeout` that a test gives it.
_PATIENCE = 1200
#: Programs in Go collect garbage a fourth as often: an eighth of what servers and kubectl compute. There is no
#: GOMEMLIMIT, as a server that comes near it does little but collect garbage.
SELDOM_COLLECTED = {"GOGC": "400"}


class KubectlFailed(Exception):
    """kubectl ended with an error; the message has its words."""


class EmbeddedCluster:
    """A cluster in a state folder; as a context manager it is up inside and gone after,
    also when the program that holds it is killed.

    `parts` says which servers `up` starts; `start`, `stop` and `kill` work on one of them by name. `images` adds to
    the process node's command table: pattern of an image name -> folder put first on PATH. `operator_env` is
    the environment of the operator, which is `operator_program`; `flags` are further command-line flags by server. A
    test may change both between two starts. `server_env` is added to the environment of all servers. API server and
    object store listen on `address`, which must be an address of this network namespace.
    """

    def __init__(
        self,
        state: Path,
        *,
        parts: Sequence[str] = EVERYTHING,
        images: Mapping[str, Path] | None = None,
        operator_env: Mapping[str, str] | None = None,
        operator_program: Sequence[str] = PROGRAM,
        flags: Mapping[str, Mapping[str, str]] | None = None,
        server_env: Mapping[str, str] = SELDOM_COLLECTED,
        address: str = LOOPBACK,
        report: Report = to_stderr,
    ) -> None:
        self.state = StateFolder(state.absolute())
        self.parts = tuple(parts)
        self.logs = self.state.logs
        self.audit_log = self.state.audit_log
        self.kubeconfig = self.state.kubeconfig
        self.operator_kubeconfig = self.state.root / "operator.kubeconfig"
        self.bucket = seed.BUCKET
        self.node = NodePods(self.state)
        self.operator_env = dict(operator_env or {})
        self._operator_program = operator_program
        self.flags = {name: dict(chosen) for name, chosen in (flags or {}).items()}
        self._server_env = server_env
        self._address = address
        self._images = images or {}
        self._report = report
        self._binaries: dict[str, Path] = {}

    def __enter__(self) -> Self:
        self.state.create()
        start_guardian(self.state)
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.down()

    def up(self) -> list[str]:
        """Start what does not run yet and wait until it is ready; answers the names of what was started.

        Raises BuildFailed or StartFailed.
        """
        self._binary("kubectl")
        with self.state.lock():
            self.state.create()
            anything = any(running(self.state, name) for name in (*EVERYTHING, OPERATOR))
            settings = self.state.settings(keep_ports=anything, address=self._address)
            control_plane.write_credentials(self.state, settings)
            (self.state.root / "images.json").write_text(json.dumps({k: str(v) for k, v in self._images.items()}))
            return self._start_all()

    def _binary(self, name: str) -> Path:
        self._binaries = self._binaries or find_or_build(os.environ, self._report)
        return self._binaries[name]

    def _start_all(self) -> list[str]:
        """Start the API server first, as all others wait for it, then the rest at once."""
        first: list[str] = [name for name in ("etcd", "kube-apiserver") if name in self.parts]
        rest = [name for name in self.parts if name not in first]
        started: list[str] = [name for name in first if self._start_and_wait(name)]
        servers = {name: self.server(name) for name in rest}
        started += [name for name in rest if servers[name].start(self.state, self._environment())]
        for name in rest:
            servers[name].wait(self.state)
        return started

    def _start_and_wait(self, name: str) -> bool:
        server = self.server(name)
        started = server.start(self.state, self._environment())
        server.wait(self.state)
        return started

    def start(self, name: str) -> None:
        """Start one server, `operator` for one, and wait until it is ready; nothing happens if it runs."""
        with self.state.lock():
            self._start_and_wait(name)

    def stop(self, name: str) -> None:
        """End one server in good order (SIGTERM, and SIGKILL only if that is ignored)."""
        stop(self.state, name, grace=20)

    def kill(self, name: str) -> None:
        """End one server by SIGKILL, as a crash would."""
        if record := running(self.state, name):
            record.signal_group(signal.SIGKILL)
            record.wait(10)
            reap(record.pid)
        stop(self.state, name, grace=0)

    def seed(self) -> None:
        """Put in what the examples need: CRD, the operator's rights, a bucket with the demo's archive, its Secret."""
        with self.state.lock():
            seed.install_custom_resource(self.kubectl, self.api)
            seed.grant_rights(self.kubectl)
            if "versitygw" in self.parts:
                seed.fill_bucket(self.s3())
                self.put_secret("default")

    def put_secret(self, namespace: str) -> None:
        """Put the Secret `s3` with the object store's key into a namespace."""
        seed.put_secret(self.api, self.settings, namespace)

    def kill_pods(self, prefix: str, namespace: str = "default") -> int:
        """Send SIGKILL to the processes of every Pod whose name begins so; answers how many ran."""
        return self.node.kill(prefix, namespace)

    def forget_objects(self) -> None:
        """Empty the API server, as if the cluster were rebuilt around the same bucket; what ran runs again."""
        operator = bool(self.status()[OPERATOR])
        self.down()
        remove(self.state.data / "etcd")
        remove(self.state.data / "node")
        self.up()
        self.seed()
        if operator:
            self.start(OPERATOR)

    def kubectl(
        self,
        *arguments: str,
        input: str | None = None,
        check: bool = True,
    ) -> CompletedProcess[str]:
        """Run kubectl as this cluster's administrator. With `check`, raises KubectlFailed with its words.

        Raises TimeoutExpired with its arguments where it never ends: `kubectl delete` waits without a limit.
        """
        command, env = self._kubectl_command(arguments)
        done = subprocess.run(
            command, env=env, input=input, capture_output=True, text=True, check=False, timeout=_PATIENCE
        )
        if check and done.returncode:
            raise KubectlFailed(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done

    def follow(self, *arguments: str) -> Generator[str, None, None]:
        """Run a kubectl that goes on printing, and yield its lines; it ends when the caller has enough."""
        command, env = self._kubectl_command(arguments)
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield from process.stdout or ()
            finally:
                process.terminate()

    def _kubectl_command(self, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        own = {"KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": str(self.state.data / "kubectl")}
        return [str(self._binary("kubectl")), *arguments], {**self._environment(), **own}

    def server(self, name: str) -> Server:
        """Return how the server of this name is started."""
        self._binary(name="kubectl")
        state, settings = self.state, self.settings
        makers: dict[str, Callable[[], Server]] = {
            "etcd": lambda: control_plane.etcd(state, settings, self._binaries),
            "kube-apiserver": lambda: control_plane.apiserver(state, settings, self._binaries),
            "kube-controller-manager": lambda: control_plane.controller_manager(state, self._binaries),
            "kube-scheduler": lambda: control_plane.scheduler(state, self._binaries),
            "versitygw": lambda: object_store.object_store(state, settings, self._binaries),
            "node": lambda: node_server(state),
            OPERATOR: lambda: operator_server(state, settings, self.operator_env, self._operator_program),
        }
        return makers[name]().with_flags(self.flags.get(name, {}))

    def down(self, *, delete: bool = False) -> list[str]:
        """End every server and every Pod's process; `delete` also removes the folder. Answers what was ended."""
        if not self.state.root.exists():
            return []
        guardian = running(self.state, GUARDIAN)
        if guardian and guardian.pid != os.getpid():
            stop(self.state, GUARDIAN, grace=5)
        with self.state.lock():
            ended = [name for name in (OPERATOR, "node") if stop(self.state, name, grace=20)]
            ended += end_pods(self.state)
            ended += [name for name in reversed((*CONTROL_PLANE, "versitygw")) if stop(self.state, name, grace=20)]
        if delete:
            remove(self.state.root)
        return ended

    def status(self) -> dict[str, int | None]:
        """Return the pid of each server, or None where it does not run."""
        names = (*EVERYTHING, OPERATOR)
        return {name: record.pid if (record := running(self.state, name)) else None for name in names}

    @property
    def settings(self) -> Settings:
        """Ports and keys. Raises LookupError before the first `up`."""
        settings = self.state.read_settings()
        if settings is None:
            raise LookupError(f"no cluster was ever started in {self.state.root}")
        return settings

    @property
    def api(self) -> ApiServer:
        """A blocking client with the administrator's rights."""
        return ApiServer(self.kubeconfig)

    @property
    def s3_endpoint(self) -> str:
        """URL of the object store."""
        return object_store.endpoint(self.settings)

    @property
    def s3_access_key(self) -> str:
        """Access key of the object store's root user."""
        return self.settings.s3_access_key

    @property
    def s3_secret_key(self) -> str:
        """Secret key of the object store's root user."""
        return self.settings.s3_secret_key

    def s3(self) -> Any:
        """A boto3 client of the object store."""
        return object_store.client(self.settings)

    def _environment(self) -> dict[str, str]:
        """Return what servers see of our environment: no proxies, and nothing that changes what a server does."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {**kept, **self._server_env, "TWEETBOT_CLUSTER_OWNER": str(self.state.root)}
