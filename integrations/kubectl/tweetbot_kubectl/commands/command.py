"""What a command is, and what it is given to work with."""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol

from tweetbot_kubectl.cluster.cluster import Cluster
from tweetbot_kubectl.output.output import Output


class OpenCluster(Protocol):
    """Opens the cluster; also returns the namespace that its context names."""

    def __call__(self) -> tuple[Cluster, str]:
        """Raises CommandFailed."""


#: What people type.
PROGRAM = "kubectl tweetbot"


@dataclass
class Session:
    """What every command works with. The cluster is opened when it is first asked."""

    output: Output
    open_cluster: OpenCluster
    chosen_namespace: str | None = None
    """The namespace of the command line."""
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    sleep: Callable[[float], None] = field(default=time.sleep)

    @cached_property
    def _opened(self) -> tuple[Cluster, str]:
        return self.open_cluster()

    @property
    def cluster(self) -> Cluster:
        """The caller's cluster."""
        return self._opened[0]

    @property
    def namespace(self) -> str:
        """The namespace of the command line, otherwise that of the context."""
        return self.chosen_namespace or self._opened[1]


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, its help, its own arguments, and what it does. `run` returns the exit code."""

    name: str
    summary: str
    run: Callable[[argparse.Namespace, Session], int]
    add_arguments: Callable[[argparse.ArgumentParser], None] = lambda parser: None
    details: str = ""


def add_name(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names a TweetBot; completion knows it by its destination."""
    parser.add_argument("name", metavar="NAME", help="name of the TweetBot")
