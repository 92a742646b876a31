"""What the programs of a real node are told: command lines and files. Where they keep things is theirs by default."""

from __future__ import annotations

import json
from pathlib import Path

from tweetbot_cluster.kubernetes.kubeconfig import CONTEXT

NAME = "real-node"
#: Public, so that trainers may go there unasked, and nobody's: any network may route it to itself (AS112, RFC 7535).
ADDRESS = "192.31.196.1"
PAUSE = "docker.io/library/tweetbot-pause:1"
_PODS = "10.85.0.0/16"
_PLUGINS = "/usr/lib/cni"  # where Debian's containernetworking-plugins puts them


def arguments(name: str, folder: Path) -> tuple[str, ...]:
    """Return a program's command line; its files lie in the folder."""
    kubeconfig = f"--kubeconfig={folder / name}.kubeconfig"
    return {
        "containerd": ("--config", str(folder / "containerd.toml")),
        "coredns": ("-conf", str(folder / "Corefile")),
        "kube-proxy": (
            kubeconfig,
            f"--hostname-override={NAME}",
            f"--cluster-cidr={_PODS}",
            "--proxy-mode=iptables",
            # The kernel's limits on connections belong to the machine.
            "--conntrack-max-per-core=0",
            "--conntrack-tcp-timeout-established=0",
            "--conntrack-tcp-timeout-close-wait=0",
        ),
        "kubelet": (
            kubeconfig,
            f"--hostname-override={NAME}",
            f"--node-ip={ADDRESS}",
            f"--config={folder / 'kubelet.json'}",
        ),
    }[name]


def configuration(folder: Path, certificates: Path) -> dict[str, str]:
    """Return every file's text by its name in the folder."""
    return {
        "containerd.toml": _containerd(folder),
        "10-pods.conflist": json.dumps(_network()),
        "Corefile": _names(folder),
        "kubelet.json": json.dumps(_kubelet(certificates)),
    }


def _containerd(folder: Path) -> str:
    """Return containerd's file. A machine that is itself a guest may not lower a process's oom_score_adj."""
    return f"""\
version = 2
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{_PLUGINS}"
conf_dir = "{folder}"
"""


def _network() -> dict[str, object]:
    """Return the Pods' network: each a cable of its own to the node, so that all traffic passes kube-proxy's rules."""
    addresses = {
        "type": "host-local",
        "dataDir": "/run/cni",
        "ranges": [[{"subnet": _PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "ptp", "ipam": addresses}]}


def _names(folder: Path) -> str:
    return f"""\
. {{
    bind {ADDRESS}
    errors
    ready 127.0.0.1:8181
    kubernetes cluster.local {{
        kubeconfig {folder / "coredns.kubeconfig"} {CONTEXT}
    }}
}}
"""


def _kubelet(certificates: Path) -> dict[str, object]:
    """Return the kubelet's file: Debian 12 and older machines may have cgroups of version 1; nothing is thrown out."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(certificates / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(certificates / f"{NAME}.crt"),
        "tlsPrivateKeyFile": str(certificates / f"{NAME}.key"),
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "clusterDNS": [ADDRESS],
        "clusterDomain": "cluster.local",
        "evictionHard": {"memory.available": "100Mi"},
        "imageGCHighThresholdPercent": 100,
        "syncFrequency": "10s",
        "podPidsLimit": 1024,
    }
