"""What runs have used is kept in a few ConfigMaps, each of which is replaced only as it was read."""

import re
from pathlib import Path

import pytest

from tweetbot_fakes.kubernetes.config_maps import FakeConfigMaps
from tweetbot_operator.client.errors import AlreadyExists, Conflict
from tweetbot_operator.client.usage_ledger import SHARDS, UsageLedger, find_shard

ROLES = Path(__file__).parents[4] / "charts" / "tweetbot-operator" / "templates" / "rbac.yaml"


def a_ledger(api: FakeConfigMaps) -> UsageLedger:
    return UsageLedger(api, "tweetbot-system", "tweetbot-operator")


async def test_what_was_written_is_read_by_another_process() -> None:
    api = FakeConfigMaps()
    assert await a_ledger(api).read(3) == {}
    await a_ledger(api).write(3, {"team-a": {"gold": {"uid": ["gull", [[1, 2]]]}}})
    assert await a_ledger(api).read(3) == {"team-a": {"gold": {"uid": ["gull", [[1, 2]]]}}}
    assert list(api.kept) == ["tweetbot-operator-usage-3"]


async def test_a_version_that_was_not_read_is_not_replaced() -> None:
    api = FakeConfigMaps()
    one, other = a_ledger(api), a_ledger(api)
    await one.write(0, {})
    with pytest.raises(AlreadyExists):
        await other.write(0, {})
    await other.read(0)
    await one.write(0, {"team-a": {}})
    with pytest.raises(Conflict):
        await other.write(0, {})
    assert (one.knows(0), other.knows(0)) == (True, False)


async def test_what_is_not_ours_is_left_out() -> None:
    api = FakeConfigMaps()
    await a_ledger(api).write(0, {"team-a": {"gold": {}}})
    api.kept["tweetbot-operator-usage-0"]["data"]["note"] = "touched by hand"
    assert await a_ledger(api).read(0) == {"team-a": {"gold": {}}}


def test_every_namespace_has_its_place_among_those_that_the_role_names() -> None:
    named = re.search(r"range until (\d+)", ROLES.read_text(encoding="utf-8"))
    assert named is not None
    assert int(named[1]) == SHARDS
    assert {find_shard(f"team-{number}") for number in range(200)} == set(range(SHARDS))
