"""How a server of the cluster is started."""

from tweetbot_cluster.servers import Server


def test_further_flags_come_last_and_so_they_count() -> None:
    server = Server("etcd", ("etcd", "--name=default"), lambda: True).with_flags({"name": "other"})
    assert server.command == ("etcd", "--name=default", "--name=other")
