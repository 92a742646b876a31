"""The one folder that a cluster lives in: pids, logs, data, certificates, kubeconfig, ports and keys."""

from __future__ import annotations

import fcntl
import json
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

LOOPBACK = "127.0.0.1"
_LOWEST_PORT = 10_000
#: First and last of the ports that Linux gives to outgoing connections.
_LENT_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
#: One socket for each port that this process has chosen: the kernel is what tells other processes.
_held: list[socket.socket] = []


@dataclass(frozen=True, slots=True)
class Settings:
    """What is chosen once for a state folder: the address that Pods reach, free ports, and the object store's keys."""

    address: str
    etcd_port: int
    etcd_peer_port: int
    apiserver_port: int
    kubelet_port: int
    s3_port: int
    operator_port: int
    s3_access_key: str
    s3_secret_key: str

    @property
    def ports(self) -> tuple[int, ...]:
        """All ports, in the order of the fields."""
        return tuple(value for value in asdict(self).values() if isinstance(value, int))


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Where each thing of a cluster lies below one folder."""

    root: Path

    @property
    def pids(self) -> Path:
        """One record per server."""
        return self.root / "pids"

    @property
    def logs(self) -> Path:
        """One file per server, and `pods/` for the containers."""
        return self.root / "logs"

    @property
    def data(self) -> Path:
        """What etcd, the object store and the node keep."""
        return self.root / "data"

    @property
    def certificates(self) -> Path:
        """The authority's, servers' and clients' keys."""
        return self.root / "certificates"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.root / "kubeconfig"

    @property
    def pods(self) -> Path:
        """One folder per Pod that the process node runs."""
        return self.data / "node" / "pods"

    @property
    def pod_logs(self) -> Path:
        """One folder `<namespace>_<pod>_<uid>` per Pod, as the kubelet names them."""
        return self.logs / "pods"

    @property
    def audit_log(self) -> Path:
        """One JSON audit Event per line, for writes to tweetbots and jobs."""
        return self.logs / "audit.jsonl"

    def create(self) -> None:
        """Make the folders, for the owner's eyes only: they hold keys."""
        for folder in (self.root, self.pids, self.logs, self.data, self.certificates, self.pods, self.pod_logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep a second caller out until the first is done."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def settings(self, *, keep_ports: bool, address: str = LOOPBACK) -> Settings:
        """Return the folder's settings; without `keep_ports`, ports that somebody else took meanwhile are replaced."""
        former = self.read_settings()
        if former and (keep_ports or all(_is_free(port) for port in former.ports)):
            return former
        settings = _choose(former, address)
        file = self.root / "settings.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(settings), indent=2))
        return settings

    def read_settings(self) -> Settings | None:
        """Return what was chosen before, or None for a new folder and for one of another version."""
        file = self.root / "settings.json"
        found = json.loads(file.read_text()) if file.exists() else {}
        return Settings(**found) if found.keys() == {field.name for field in fields(Settings)} else None


def default_state(env: Mapping[str, str]) -> Path:
    """Return TWEETBOT_CLUSTER_STATE, or a folder below the user's state home (XDG base directories)."""
    if chosen := env.get("TWEETBOT_CLUSTER_STATE"):
        return Path(chosen).absolute()
    home = Path(env.get("HOME", "~")).expanduser()
    return Path(env.get("XDG_STATE_HOME") or home / ".local" / "state") / "tweetbot" / "cluster"


def _choose(former: Settings | None, address: str) -> Settings:
    etcd, etcd_peer, apiserver, kubelet, s3, operator = free_ports(6)
    return Settings(
        address=address,
        etcd_port=etcd,
        etcd_peer_port=etcd_peer,
        apiserver_port=apiserver,
        kubelet_port=kubelet,
        s3_port=s3,
        operator_port=operator,
        s3_access_key=former.s3_access_key if former else "AK" + secrets.token_hex(9).upper(),
        s3_secret_key=former.s3_secret_key if former else secrets.token_urlsafe(30),
    )


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback that nobody has, and keep them from others for as long as this process lives.

    They lie below those that the kernel lends to connections: one of these would soon be taken, by any of them, before
    its server gets to it. Chance decides, and not that of a test's seed, so that processes side by side differ.
    """
    found: list[int] = []
    while len(found) < count:
        port = _LOWEST_PORT + secrets.randbelow(_lowest_lent() - _LOWEST_PORT)
        if _hold(port):
            found.append(port)
    return found


def _hold(port: int) -> bool:
    """Bind the port unless anybody has; a server, which asks to share the address, may still bind it and listen.

    Without this two clusters that start at once now and then choose the same port before either's server has it.
    """
    held = socket.socket()
    try:
        held.bind((LOOPBACK, port))
    except OSError:
        held.close()
        return False
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _held.append(held)
    return True


def _lowest_lent() -> int:
    """Return the lowest port that the kernel gives to a connection."""
    try:
        return int(_LENT_PORTS.read_text(encoding="ascii").split()[0])
    except OSError:
        return 32768  # what Linux has unless told otherwise


def _is_free(port: int) -> bool:
    try:
        with socket.create_server((LOOPBACK, port)):
            return True
    except OSError:
        return False
