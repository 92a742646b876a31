"""The uid by which trainers tell clusters apart: where it comes from, and what happens if it cannot be read."""

import asyncio
from collections.abc import Mapping

import pytest

from builders.operator import SETTINGS
from tweetbot_operator import manager
from tweetbot_operator.client.cluster import KubernetesCluster
from tweetbot_operator.client.errors import ApiError, NotFound, Rejected, Unavailable
from tweetbot_operator.client.requests import ApiRequests
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.objects import Manifest

SYSTEM, OWN = "/api/v1/namespaces/kube-system", "/api/v1/namespaces/tweetbot-system"
HERE: OperatorSettings = SETTINGS.model_copy(update={"lease_namespace": "tweetbot-system"})


class Namespaces(ApiRequests):
    """Answers by path: a uid or an error, the last answer again and again."""

    def __init__(self, **answers: list[str | ApiError]) -> None:
        self.answers = {f"/api/v1/namespaces/{name.replace('_', '-')}": given for name, given in answers.items()}
        self.asked: list[str] = []

    async def get(
        self, path: str, query: Mapping[str, str] | None = None, accept: str = "application/json"
    ) -> Manifest:
        self.asked.append(path)
        answers = self.answers[path]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, ApiError):
            raise answer
        return {"metadata": {"uid": answer}}


async def uid_in(api: Namespaces, settings: OperatorSettings = HERE) -> str:
    return await manager.get_cluster_uid(KubernetesCluster(api), settings, asyncio.Event())


async def test_it_is_that_of_kube_system() -> None:
    api = Namespaces(kube_system=["system-uid"])
    assert (await uid_in(api), api.asked) == ("system-uid", [SYSTEM])


@pytest.mark.parametrize("fault", [Rejected("forbidden"), NotFound("none")])
async def test_an_operator_of_some_namespaces_takes_its_own_namespaces_uid(fault: ApiError) -> None:
    api = Namespaces(kube_system=[fault], tweetbot_system=["own-uid"])
    assert (await uid_in(api), api.asked) == ("own-uid", [SYSTEM, OWN])


async def test_without_any_right_there_is_none_and_the_log_says_what_that_costs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    api = Namespaces(kube_system=[Rejected("forbidden")], tweetbot_system=[Rejected("forbidden")])
    assert await uid_in(api) == ""
    assert "must take over its own folder" in caplog.text


async def test_an_api_server_that_does_not_answer_is_asked_again_and_gives_no_other_uid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(manager, "_UID_PAUSE", 0)
    api = Namespaces(kube_system=[Unavailable("no answer"), Unavailable("no answer"), "system-uid"])
    assert (await uid_in(api), api.asked) == ("system-uid", [SYSTEM] * 3)


async def test_a_cluster_that_replaces_another_is_told_its_uid_and_asks_for_none() -> None:
    api = Namespaces()
    assert await uid_in(api, HERE.model_copy(update={"cluster_uid": "lost-uid"})) == "lost-uid"


async def test_an_operator_that_is_asked_to_stop_waits_no_longer() -> None:
    stop = asyncio.Event()
    stop.set()
    assert await manager.get_cluster_uid(KubernetesCluster(Namespaces()), HERE, stop) == ""
