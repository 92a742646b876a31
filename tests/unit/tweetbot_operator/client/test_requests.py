"""Requests to a server that answers as the test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio.client import ApiClient, Configuration

from builders.operator import a_bot_in, a_job
from tweetbot_cluster.state import free_ports
from tweetbot_operator.client.cluster import KubernetesCluster
from tweetbot_operator.client.errors import (
    AlreadyExists,
    Conflict,
    InternalError,
    Invalid,
    NamespaceTerminating,
    NotFound,
    NotLeader,
    Rejected,
    Timeout,
    Unavailable,
    WebhookUnavailable,
)
from tweetbot_operator.client.requests import ApiRequests
from tweetbot_operator.types.objects import CachedTweetBot

Answer = Callable[[web.Request], Awaitable[web.Response]]
BOT = CachedTweetBot("team-a", "gull", "uid-gull", "7", b"{}")
#: What the API server holds of it by the next version.
A_LATER_BOT = {"metadata": {"namespace": "team-a", "name": "gull", "uid": "uid-gull", "resourceVersion": "8"}}
#: What makes a JSON patch one of that very form of it.
FENCE = [
    {"op": "test", "path": "/metadata/uid", "value": "uid-gull"},
    {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
]


class Server:
    """Answers every request by `answer`, and remembers the requests with their bodies."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.answers: list[tuple[int, Any]] = []
        self.before_answer: Callable[[], Awaitable[None]] | None = None
        self.date: str | None = None

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        self.requests.append((request.method, request.path_qs, dict(request.headers), body))
        if self.before_answer:
            await self.before_answer()
        status, document = self.answers.pop(0)
        if isinstance(document, str):
            return web.Response(status=status, text=document)
        return web.json_response(document, status=status, headers={} if self.date is None else {"Date": self.date})


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def api(server: Server) -> AsyncIterator[ApiRequests]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    client = ApiClient(Configuration(host=f"http://127.0.0.1:{port}"))
    yield ApiRequests(client, timeout_seconds=2)
    await client.close()
    await runner.cleanup()


@pytest.fixture
def cluster(api: ApiRequests) -> KubernetesCluster:
    return KubernetesCluster(api)


def fault(reason: str, message: str = "words") -> dict[str, str]:
    return {"kind": "Status", "reason": reason, "message": message}


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (404, "NotFound", NotFound),
        (409, "AlreadyExists", AlreadyExists),
        (409, "Conflict", Conflict),
        (403, "Forbidden", Rejected),
        (422, "Invalid", Invalid),
        (429, "TooManyRequests", Unavailable),
        (500, "InternalError", InternalError),
        (503, "ServiceUnavailable", Unavailable),
    ],
)
async def test_an_error_is_named_by_what_it_means(
    server: Server, api: ApiRequests, status: int, reason: str, expected: type[Exception]
) -> None:
    server.answers = [(status, fault(reason))]
    with pytest.raises(expected, match="words"):
        await api.post("/x", {"kind": "Job"})


async def test_a_terminating_namespace_is_distinguished_from_other_refusals(server: Server, api: ApiRequests) -> None:
    causes = [{"reason": "NamespaceTerminating", "message": "namespace team-a is being terminated"}]
    server.answers = [(403, {**fault("Forbidden"), "details": {"causes": causes}})]
    with pytest.raises(NamespaceTerminating):
        await api.post("/x", {"kind": "Job"})


async def test_finalizers_are_set_by_a_patch_that_tests_what_it_was_planned_from(
    server: Server, cluster: KubernetesCluster
) -> None:
    server.answers = [(422, fault("Invalid", "testing value /metadata/resourceVersion failed")), (200, A_LATER_BOT)]
    with pytest.raises(Conflict, match="testing value"):
        await cluster.set_finalizers(BOT, ("tweetbot.dev/erase",))
    assert server.requests[0][3][:2] == FENCE


async def test_a_policys_refusal_of_a_finalizer_is_no_conflict(server: Server, cluster: KubernetesCluster) -> None:
    unchanged = {"metadata": {**A_LATER_BOT["metadata"], "resourceVersion": "7"}}
    server.answers = [(422, fault("Invalid", "ValidatingAdmissionPolicy 'none' denied request")), (200, unchanged)]
    with pytest.raises(Rejected, match="denied request"):
        await cluster.set_finalizers(BOT, ("tweetbot.dev/erase",))


async def test_a_status_is_reset_by_a_patch_that_tests_what_it_was_planned_from(
    server: Server, cluster: KubernetesCluster
) -> None:
    server.answers = [(422, fault("Invalid", "testing value /metadata/uid failed")), (200, A_LATER_BOT)]
    with pytest.raises(Conflict, match="testing value"):
        await cluster.reset_status(BOT)
    _, path, _, operations = server.requests[0]
    assert path.endswith("/tweetbots/gull/status")
    assert operations[:2] == FENCE
    assert operations[2]["value"]["observedGeneration"] == -1


@pytest.mark.parametrize("page", ["<html>sign in</html>", '{"kind": "Jo', "[]"])
async def test_an_answer_that_is_not_json_is_a_fault_of_the_network(
    server: Server, api: ApiRequests, page: str
) -> None:
    server.answers = [(200, page)]
    with pytest.raises(Unavailable):
        await api.get("/x")


async def test_a_server_that_does_not_answer_is_unavailable() -> None:
    (port,) = free_ports(1)
    client = ApiClient(Configuration(host=f"http://127.0.0.1:{port}"))
    with pytest.raises(Unavailable, match="GET /x"):
        await ApiRequests(client, timeout_seconds=2).get("/x")
    await client.close()


async def test_a_status_is_applied_with_the_version_it_was_planned_from(
    server: Server, cluster: KubernetesCluster
) -> None:
    written = {"metadata": {"namespace": "team-a", "name": "gull", "uid": "uid-gull", "resourceVersion": "8"}}
    server.answers = [(200, written)]
    assert (await cluster.apply_status(BOT, {"phase": "Preparing"})).resource_version == "8"
    verb, path, headers, body = server.requests[0]
    assert (verb, path.split("?")[0]) == (
        "PATCH",
        "/apis/tweetbot.dev/v1alpha1/namespaces/team-a/tweetbots/gull/status",
    )
    assert "fieldManager=tweetbot-operator" in path
    assert "force=true" in path
    assert headers["Content-Type"] == "application/apply-patch+yaml"
    assert body["metadata"] == {"name": "gull", "namespace": "team-a", "resourceVersion": "7"}


async def test_exactly_this_job_is_deleted(server: Server, cluster: KubernetesCluster) -> None:
    server.answers = [(404, fault("NotFound"))]
    assert await cluster.delete_job(a_job(a_bot_in("Train"))) is None
    body = server.requests[0][3]
    assert body["propagationPolicy"] == "Foreground"
    assert body["preconditions"] == {"uid": "uid-train", "resourceVersion": "10"}


async def test_without_the_lease_only_reads_are_sent(server: Server, api: ApiRequests) -> None:
    held_back = ApiRequests(api._client, timeout_seconds=2, get_write_timeout=lambda: 0.0)
    for write in (held_back.post("/x", {}), held_back.apply("/x", {}, "me"), held_back.delete("/x", {})):
        with pytest.raises(NotLeader):
            await write
    server.answers = [(200, {})]
    assert await held_back.get("/x") == {}
    assert [verb for verb, *_ in server.requests] == ["GET"]


async def test_a_write_ends_when_the_lease_does(server: Server, api: ApiRequests) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    server.before_answer = hang
    with pytest.raises(Timeout):
        await ApiRequests(api._client, timeout_seconds=600, get_write_timeout=lambda: 0.02).post("/x", {})


async def test_a_token_goes_along_and_is_asked_for_each_time(server: Server, api: ApiRequests) -> None:
    configuration = api._client.configuration
    tokens = iter(("first", "second"))

    def renew(settings: Configuration) -> None:
        settings.api_key["authorization"] = f"Bearer {next(tokens)}"

    configuration.api_key["authorization"] = "Bearer old"
    configuration.refresh_api_key_hook = renew
    server.answers = [(200, {})] * 2
    await api.get("/x", {"labelSelector": "a=b,c"})
    await api.get("/x")
    assert [headers["Authorization"] for _, _, headers, _ in server.requests] == ["Bearer first", "Bearer second"]
    assert server.requests[0][1].startswith("/x?labelSelector=a%3Db")


async def test_the_date_of_each_answer_is_noted_even_of_a_refusal_but_not_of_a_slow_one(
    server: Server, api: ApiRequests, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[datetime] = []
    server.answers = [(200, {}), (409, {"message": "no"}), (200, {})]
    api._on_date = noted.append
    await api.get("/x")
    with pytest.raises(Conflict):
        await api.put("/x", {})
    assert [abs((date - datetime.now(UTC)).total_seconds()) < 60 for date in noted] == [True, True]
    monkeypatch.setattr("tweetbot_operator.client.requests._QUICK_SECONDS", 0.0)
    await api.get("/x")
    assert len(noted) == 2


@pytest.mark.parametrize("date", ["", "yesterday", "Wed, 99 Foo 2026 10:00:00 GMT"])
async def test_an_answer_without_a_date_is_an_answer(server: Server, api: ApiRequests, date: str) -> None:
    server.date, server.answers = date, [(200, {"kind": "X"})]
    noted: list[datetime] = []
    api._on_date = noted.append
    assert await api.get("/x") == {"kind": "X"}
    assert noted == []


async def test_lists_go_page_by_page_with_the_selector(server: Server, cluster: KubernetesCluster) -> None:
    def item(name: str) -> dict[str, Any]:
        return {"metadata": {"namespace": "team-a", "name": name, "uid": name, "resourceVersion": "1"}}

    server.answers = [
        (200, {"items": [item("a")], "metadata": {"continue": "more"}}),
        (200, {"items": [item("b")], "metadata": {}}),
    ]
    assert [trace.name async for trace in cluster.list_metadata("jobs")] == ["a", "b"]
    first, second = (path for _, path, _, _ in server.requests)
    assert "labelSelector=app.kubernetes.io" in first.replace("%2F", "/")
    assert "limit=200" in first
    assert "continue=more" in second
    assert "PartialObjectMetadataList" in server.requests[0][2]["Accept"]


async def test_an_empty_list_of_metadata_is_no_fault(server: Server, cluster: KubernetesCluster) -> None:
    server.answers = [(200, {"kind": "PartialObjectMetadataList", "metadata": {}, "items": None})]
    assert [trace async for trace in cluster.list_metadata("jobs")] == []


async def test_the_version_of_a_list_costs_one_object_whosever_it_is(
    server: Server, cluster: KubernetesCluster
) -> None:
    server.answers = [(200, {"items": [], "metadata": {"resourceVersion": "4711", "continue": "more"}})]
    assert await cluster.read_version("pods") == 4711
    ((_, path, _, _),) = server.requests
    assert path == "/api/v1/pods?limit=1"


async def test_bounded_to_namespaces_it_lists_nothing_else(server: Server, api: ApiRequests) -> None:
    server.answers = [(200, {"items": [], "metadata": {}})] * 2
    found = [item async for item in KubernetesCluster(api, ("team-a", "team-b")).list_all("pods")]
    assert found == []
    assert [path.split("?")[0] for _, path, _, _ in server.requests] == [
        "/api/v1/namespaces/team-a/pods",
        "/api/v1/namespaces/team-b/pods",
    ]


async def test_pods_of_another_controller_are_not_taken_for_the_jobs(
    server: Server, cluster: KubernetesCluster
) -> None:
    def pod(owner: str) -> dict[str, Any]:
        owners = [{"uid": owner, "controller": True}]
        metadata = {
            "namespace": "team-a",
            "name": owner,
            "uid": owner,
            "resourceVersion": "1",
            "ownerReferences": owners,
        }
        return {"metadata": {**metadata, "creationTimestamp": "2026-01-01T12:00:00Z"}}

    server.answers = [(200, {"items": [pod("uid-train"), pod("stranger")], "metadata": {}})]
    assert [found.name for found in await cluster.list_pods(a_job(a_bot_in("Train")))] == ["uid-train"]


async def test_start_failures_are_of_those_who_start_pods_the_newest_last(
    server: Server, cluster: KubernetesCluster
) -> None:
    from builders.operator import a_pod

    pod = a_pod(a_job(a_bot_in("Train")))
    about = {"regarding": {"uid": pod.uid}}
    kubelet, audit = {**about, "reportingController": "kubelet"}, {**about, "reportingController": "kyverno-scan"}
    old = {"note": "old", "deprecatedLastTimestamp": "2026-01-01T12:00:00Z", **about}
    old["deprecatedSource"] = {"component": "kubelet", "host": "node-1"}
    new = {"note": "new", "deprecatedLastTimestamp": "2026-01-01T12:05:00Z", **kubelet}
    rule = {"note": "tags are discouraged", "deprecatedLastTimestamp": "2026-01-01T12:06:00Z", **audit}
    server.answers = [(200, {"items": [new, rule, old], "metadata": {}})]
    assert await cluster.list_start_failures(pod) == ("old", "new")


async def test_a_webhook_that_does_not_answer_is_not_a_fault_of_the_server(server: Server, api: ApiRequests) -> None:
    words = 'Internal error occurred: failed calling webhook "mjob.kb.io": failed to call webhook: connection refused'
    server.answers = [(500, {"message": words}), (500, {"message": "Internal error occurred: etcd"})]
    with pytest.raises(WebhookUnavailable, match=r"mjob\.kb\.io"):
        await api.post("/x", {})
    with pytest.raises(InternalError):
        await api.post("/x", {})


def groups(*names: str) -> tuple[int, dict[str, Any]]:
    """Return the API server's answer to which API groups it has."""
    return 200, {"kind": "APIGroupList", "groups": [{"name": name} for name in names]}


KUEUE = groups("apps", "kueue.x-k8s.io")


@pytest.mark.parametrize(("code", "message"), [(404, "no such kind"), (403, "workloads is forbidden")])
async def test_workloads_that_cannot_be_read_are_told(
    server: Server, api: ApiRequests, code: int, message: str
) -> None:
    server.answers = [KUEUE, (code, {"message": message})]
    said = await KubernetesCluster(api, kueue_version="v1beta1").get_workload_message(a_job(a_bot_in("Train")))
    assert said == f"the operator cannot read why in Kueue's Workloads ({message})"


async def test_workloads_are_looked_up_by_the_job(server: Server, api: ApiRequests) -> None:
    server.answers = [KUEUE, (200, {"items": []})]
    await KubernetesCluster(api, kueue_version="v1beta2").get_workload_message(a_job(a_bot_in("Train")))
    assert server.requests[1][1] == (
        "/apis/kueue.x-k8s.io/v1beta2/namespaces/team-a/workloads?labelSelector=kueue.x-k8s.io/job-uid%3Duid-train"
    )


@pytest.mark.parametrize(("names", "said"), [(("apps", "kueue.x-k8s.io"), ""), (("apps",), None)])
async def test_whether_there_is_a_kueue_is_asked_once_for_many_jobs_and_without_a_version_nothing_else(
    server: Server, api: ApiRequests, names: tuple[str, ...], said: str | None
) -> None:
    server.answers = [groups(*names)]
    cluster = KubernetesCluster(api)
    answers = [await cluster.get_workload_message(a_job(a_bot_in("Train"))) for _ in range(3)]
    assert answers == [said] * 3
    assert [path for _, path, *_ in server.requests] == ["/apis"]
