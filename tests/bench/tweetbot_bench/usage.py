"""What a server of the embedded cluster has used so far, read from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

from tweetbot_cluster.cluster import EmbeddedCluster


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds, user and system, and resident memory in MiB."""

    cpu: float
    rss_mib: float


def usage_of(cluster: EmbeddedCluster, server: str) -> Usage:
    """Read a running server's usage. Raises LookupError when it does not run."""
    pid = cluster.status()[server]
    if pid is None:
        raise LookupError(f"{server} does not run")
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    pages = int(fields[21])
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
