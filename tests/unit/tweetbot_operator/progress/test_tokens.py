"""A token is good for exactly one run, by the cluster's own keys or by the API server's word."""

import base64
import json
import time
from typing import Any

import pytest

from tweetbot_fakes.kubernetes.token_keys import FakeKeys, a_token
from tweetbot_operator.client.errors import ApiError, NotFound, Rejected, Unavailable
from tweetbot_operator.progress.authorize import Bearer
from tweetbot_operator.progress.errors import NotAuthenticated, NotNow
from tweetbot_operator.progress.tokens import Tokens

THIS_RUN, ANOTHER = "tweetbot.dev/this", "tweetbot.dev/another"
AUTHENTICATED = {
    "authenticated": True,
    "audiences": [THIS_RUN],
    "user": {
        "username": "system:serviceaccount:team-a:default",
        "extra": {"authentication.kubernetes.io/pod-uid": ["pod-1"]},
    },
}


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def refusal_of(keys: FakeKeys, token: str) -> str:
    with pytest.raises(NotAuthenticated) as refusal:
        await Tokens(keys, Time()).bearer(token, THIS_RUN)
    return str(refusal.value)


async def test_a_token_of_this_run_names_its_pod() -> None:
    keys = FakeKeys()
    assert await Tokens(keys, Time()).bearer(a_token(THIS_RUN, "pod-1"), THIS_RUN) == Bearer("team-a", "pod-1")
    assert keys.reviews == 0


@pytest.mark.parametrize(
    "token",
    [
        a_token(ANOTHER, "pod-1"),
        a_token(THIS_RUN, "pod-1", aud="https://kubernetes.default.svc"),
        a_token(THIS_RUN, "pod-1", aud=None),
        a_token(THIS_RUN, "pod-1", exp=int(time.time()) - 1),
        a_token(THIS_RUN, "pod-1", exp=None),
        a_token(THIS_RUN, "pod-1", nbf=int(time.time()) + 3600),
        a_token(THIS_RUN, "pod-1", iss="https://elsewhere"),
        a_token(THIS_RUN, "pod-1", key_id="strangers"),
        a_token(THIS_RUN, "pod-1")[:-8] + "AAAAAAAA",
        "no.token.atall",
        "",
    ],
    ids=[
        "another run",
        "the API server",
        "none",
        "expired",
        "endless",
        "early",
        "issuer",
        "key",
        "forged",
        "no",
        "empty",
    ],
)
async def test_every_other_token_is_refused(token: str) -> None:
    keys = FakeKeys()
    await refusal_of(keys, token)
    assert keys.reviews == 0


async def test_a_token_of_no_pod_is_refused() -> None:
    claims: dict[str, Any] = {"kubernetes.io": {"namespace": "team-a"}}
    bound_to_nothing = a_token(THIS_RUN, "", **claims)
    assert "bound to no Pod" in await refusal_of(FakeKeys(), bound_to_nothing)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_no_algorithm_without_a_private_key_is_taken(algorithm: str) -> None:
    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    _, claims, signature = a_token(THIS_RUN, "pod-1").split(".")
    await refusal_of(FakeKeys(), f"{part({'alg': algorithm, 'kid': 'first'})}.{claims}.{signature}")


async def test_a_rotated_key_is_found_without_a_restart() -> None:
    keys, clock = FakeKeys(), Time()
    tokens = Tokens(keys, clock)
    await tokens.bearer(a_token(THIS_RUN, "pod-1"), THIS_RUN)
    keys.shown.append("second")
    clock.now = 61
    assert await tokens.bearer(a_token(THIS_RUN, "pod-2", key_id="second"), THIS_RUN) == Bearer("team-a", "pod-2")


async def test_unknown_keys_make_no_storm_of_looks() -> None:
    keys, clock = FakeKeys(), Time()
    tokens = Tokens(keys, clock)
    for number in range(50):
        with pytest.raises(NotAuthenticated):
            await tokens.bearer(a_token(THIS_RUN, "pod-1", key_id=f"made-up-{number % 2}"), THIS_RUN)
    assert keys.looks == 1


@pytest.mark.parametrize("fault", [NotFound("404"), Rejected("403"), Unavailable("503")])
async def test_where_no_keys_are_shown_the_api_server_is_asked(fault: ApiError) -> None:
    keys = FakeKeys(fault=fault, verdict=AUTHENTICATED)
    tokens = Tokens(keys, Time())
    token = a_token(THIS_RUN, "pod-1")
    assert [await tokens.bearer(token, THIS_RUN) for _ in range(3)] == [Bearer("team-a", "pod-1")] * 3
    assert keys.reviews == 1


async def test_an_answer_of_the_api_server_holds_for_a_minute_and_for_one_audience() -> None:
    keys, clock = FakeKeys(fault=NotFound("404"), verdict=AUTHENTICATED), Time()
    tokens, token = Tokens(keys, clock), a_token(THIS_RUN, "pod-1")
    await tokens.bearer(token, THIS_RUN)
    with pytest.raises(NotAuthenticated):
        await tokens.bearer(token, ANOTHER)
    clock.now = 61
    keys.verdict = {"authenticated": False}
    with pytest.raises(NotAuthenticated):
        await tokens.bearer(token, THIS_RUN)


@pytest.mark.parametrize(
    "verdict",
    [
        {"authenticated": False},
        {**AUTHENTICATED, "audiences": [ANOTHER]},
        {**AUTHENTICATED, "user": {"username": "system:serviceaccount:team-a:default"}},
    ],
)
async def test_the_api_servers_no_is_a_no(verdict: dict[str, Any]) -> None:
    await refusal_of(FakeKeys(fault=NotFound("404"), verdict=verdict), a_token(THIS_RUN, "pod-1"))


@pytest.mark.parametrize("fault", [Unavailable("503"), Rejected("403: no right to create TokenReviews")])
async def test_where_nobody_can_judge_the_sender_may_come_back(fault: ApiError) -> None:
    keys = FakeKeys(fault=NotFound("404"), verdict=fault)
    with pytest.raises(NotNow):
        await Tokens(keys, Time()).bearer(a_token(THIS_RUN, "pod-1"), THIS_RUN)


async def test_keys_once_read_outlast_the_api_server() -> None:
    keys, clock = FakeKeys(), Time()
    tokens = Tokens(keys, clock)
    await tokens.bearer(a_token(THIS_RUN, "pod-1"), THIS_RUN)
    keys.fault, clock.now = Unavailable("away"), 3600
    assert await tokens.bearer(a_token(THIS_RUN, "pod-2"), THIS_RUN) == Bearer("team-a", "pod-2")
