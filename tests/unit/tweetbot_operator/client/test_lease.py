"""The Lease on the wire."""

import json
from collections.abc import Mapping
from typing import Any

from builders.operator import NOON
from tweetbot_operator.client.lease import Lease, LeaseClient, parse_lease
from tweetbot_operator.client.requests import ApiRequests

LEASES = "/apis/coordination.k8s.io/v1/namespaces/tweetbot/leases"


class Wire(ApiRequests):
    """Records requests and answers each with what was sent, as the API server's version 7."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Any]] = []

    async def _send(
        self,
        verb: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        self.sent.append((verb, path, json.loads(json.dumps(body))))
        return {**(body or {}), "metadata": {"resourceVersion": "7"}}


async def test_a_new_lease_is_created_and_an_old_one_replaced_as_it_was_read() -> None:
    wire = Wire()
    client = LeaseClient(wire, "tweetbot", "tweetbot-operator")
    stored = await client.write(Lease("one", 15, acquired="a", renewed="b"))
    assert stored == Lease("one", 15, acquired="a", renewed="b", resource_version="7")
    await client.write(stored)
    assert [(verb, path) for verb, path, _ in wire.sent] == [("POST", LEASES), ("PUT", f"{LEASES}/tweetbot-operator")]
    named = {"name": "tweetbot-operator", "namespace": "tweetbot"}
    assert [body["metadata"] for _, _, body in wire.sent] == [named, named | {"resourceVersion": "7"}]
    assert {(body["apiVersion"], body["kind"]) for _, _, body in wire.sent} == {("coordination.k8s.io/v1", "Lease")}
    assert wire.sent[1][2]["spec"] == {
        "holderIdentity": "one",
        "leaseDurationSeconds": 15,
        "leaseTransitions": 0,
        "acquireTime": "a",
        "renewTime": "b",
    }


async def test_the_lease_is_read_by_its_name_and_namespace() -> None:
    wire = Wire()
    assert (await LeaseClient(wire, "tweetbot", "tweetbot-operator").read()).resource_version == "7"
    assert [(verb, path) for verb, path, _ in wire.sent] == [("GET", f"{LEASES}/tweetbot-operator")]


async def test_an_event_is_about_the_lease() -> None:
    wire = Wire()
    await LeaseClient(wire, "tweetbot", "tweetbot-operator").post_event("LeaderElection", "one became leader", NOON)
    verb, path, event = wire.sent[0]
    assert (verb, path) == ("POST", "/api/v1/namespaces/tweetbot/events")
    assert event["involvedObject"] == {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "namespace": "tweetbot",
        "name": "tweetbot-operator",
    }
    assert event["metadata"] == {"generateName": "tweetbot-operator-", "namespace": "tweetbot"}
    assert (event["type"], event["action"], event["reason"]) == ("Normal", "Elect", "LeaderElection")
    assert event["eventTime"] == "2026-01-01T12:00:00.000000Z"


def test_a_lease_is_read_with_how_often_it_changed_hands() -> None:
    spec = {"holderIdentity": "one", "leaseDurationSeconds": 15, "leaseTransitions": 4}
    read = parse_lease({"metadata": {"resourceVersion": "3"}, "spec": spec})
    assert read == Lease("one", 15, transitions=4, resource_version="3")


def test_an_emptied_lease_has_no_holder() -> None:
    assert parse_lease({"metadata": {"resourceVersion": "3"}, "spec": {"holderIdentity": None}}) == Lease(
        "", 0, resource_version="3"
    )
