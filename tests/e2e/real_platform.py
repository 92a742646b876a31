"""What the tests on a real node share: the cluster, the node, the shell of its administrator, and the audit log."""

import json
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.terminal import ROOT, Terminal
from tweetbot_cluster.binaries import cache_root
from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.real_node.node import RealNode

#: What is left of a run: logs of all servers and Pods, and the transcript.
LEFT = ROOT / "build" / "e2e"
NAMESPACE = "tweetbot-system"
#: Of the chart and of the images that `make images` built.
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


@dataclass(frozen=True)
class Platform:
    """A cluster with a real node, and the shell of its administrator."""

    cluster: EmbeddedCluster
    node: RealNode
    type: Terminal

    def package(self, version: str) -> Path:
        """Package the chart under a version; answers the file."""
        self.type(f"helm package charts/tweetbot-operator --version {version} --destination build/e2e")
        return (LEFT / f"tweetbot-operator-{version}.tgz").relative_to(ROOT)

    def audited(self, **wanted: str) -> Iterator[dict[str, Any]]:
        """Yield the audit log's entries on a resource (and what else is asked of `objectRef`), in their order."""
        for line in self.cluster.audit_log.read_text(encoding="utf-8").splitlines():
            entry: dict[str, Any] = json.loads(line)
            if wanted.items() <= entry.get("objectRef", {}).items():
                yield entry


def import_images(node: RealNode) -> None:
    """Unpack what run.sh exported, and remember it: the node keeps its images from one run to the next."""
    home = cache_root(os.environ) / "real-node"
    for archive in sorted((home / "images").glob("*.tar")):
        node.ctr("images", "import", str(archive))
        archive.with_suffix(".id").rename(home / "imported" / archive.stem)
        archive.unlink()
