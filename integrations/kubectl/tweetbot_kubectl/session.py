"""What a command line asks for → the session of its command."""

import argparse

from tweetbot_kubectl.cluster.cluster import Cluster
from tweetbot_kubectl.commands.command import Session
from tweetbot_kubectl.output.output import Output


def build_session(arguments: argparse.Namespace, output: Output) -> Session:
    """Return a session that opens the cluster once it is asked."""

    def open_cluster() -> tuple[Cluster, str]:
        from tweetbot_kubectl.cluster.connect import connect  # a third of a second, which --help need not wait for

        found = connect(arguments.kubeconfig, arguments.context, arguments.request_timeout)
        return Cluster(found.requests), found.namespace

    return Session(output, open_cluster, arguments.namespace)
