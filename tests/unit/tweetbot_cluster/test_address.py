"""Every Pod has an address of its own on the loopback, the same wherever it is asked for."""

from ipaddress import ip_address, ip_network
from typing import Any
from uuid import uuid4

from tweetbot_cluster.node.pod.address import NODE_IP, get_pod_ip
from tweetbot_cluster.node.pod.fields import field_of
from tweetbot_cluster.node.pod.status import Waiting, pod_status


def a_pod(uid: str, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "trainer", "image": "x"}]
    return {"metadata": {"uid": uid, "name": "p", "namespace": "n"}, "spec": {"containers": containers, **spec}}


def test_pods_do_not_share_an_address_with_each_other_or_the_node() -> None:
    addresses = [get_pod_ip(a_pod(str(uuid4()))) for _ in range(110)]
    assert len(set(addresses)) >= 109  # of 16 million, so that even two alike are one chance in a thousand
    assert NODE_IP not in addresses
    assert all(ip_address(each) in ip_network("127.0.0.0/8") for each in addresses)


def test_the_status_says_what_the_downward_api_says() -> None:
    pod = a_pod("u")
    status = pod_status(pod, {"trainer": Waiting()}, started_at="", now="")
    assert status["podIP"] == field_of(pod, "status.podIP") == get_pod_ip(pod) != NODE_IP
    assert (status["hostIP"], status["podIPs"]) == (NODE_IP, [{"ip": get_pod_ip(pod)}])


def test_a_pod_on_the_hosts_network_has_the_nodes_address() -> None:
    assert get_pod_ip(a_pod("u", hostNetwork=True)) == NODE_IP
