"""How an export's account shows itself, and how little that may go wrong."""

import io
import struct
import tracemalloc
import zipfile
from typing import Any, BinaryIO

import pytest

from builders.trainer import ObjectsInMemory, script, zipped
from tweetbot_contract import reasons
from tweetbot_demo.archive import draw_avatar
from tweetbot_trainer.data.sources.interface import Profile
from tweetbot_trainer.data.sources.x_archive.profile import AVATAR_LIMIT
from tweetbot_trainer.data.sources.x_archive.source import XArchiveSource
from tweetbot_trainer.runtime.errors import StageError, StageStopped, TemporaryError

PNG = draw_avatar()
PROFILE = script(
    "YTD.profile.part0", [{"profile": {"avatarMediaUrl": "https://pbs.twimg.com/profile_images/1/Gull.png"}}]
)


def account_js(**account: Any) -> bytes:
    return script("YTD.account.part0", [{"account": {"email": "gull@harbour.example", "phoneNumber": "5"} | account}])


def manifest_js(**account: Any) -> bytes:
    return script("__THAR_CONFIG", {"userInfo": account, "dataTypes": {}})


def profile_in(members: dict[str, bytes]) -> Profile | None:
    return XArchiveSource("export", 0, ObjectsInMemory(export=zipped(members))).read_profile()


def avatar_in(members: dict[str, bytes]) -> bytes | None:
    profile = profile_in({"data/profile.js": PROFILE, "data/account.js": account_js(username="gull")} | members)
    assert profile is not None
    return profile.avatar


def test_the_manifest_tells_before_the_account() -> None:
    members = {
        "data/manifest.js": manifest_js(accountId="7", userName="gull", displayName="Gull"),
        "data/account.js": account_js(accountId="8", username="crab", accountDisplayName="Crab"),
    }
    assert profile_in(members) == Profile("7", "gull", "Gull")


@pytest.mark.parametrize("manifest", [manifest_js(), b"window.__THAR_CONFIG = {", script("__THAR_CONFIG", [5])])
def test_the_account_tells_where_the_manifest_does_not(manifest: bytes) -> None:
    account = account_js(accountId="8", username="crab", accountDisplayName=" The\nCrab ")
    assert profile_in({"data/manifest.js": manifest, "data/account.js": account}) == Profile("8", "crab", "The Crab")


@pytest.mark.parametrize(
    "account",
    [
        {"accountId": "gull@harbour.example", "username": "gull@harbour.example"},
        {"accountId": 8, "username": ["crab"], "accountDisplayName": {"a": 1}},
        {"accountId": "8" * 30, "username": "a_name_that_is_too_long", "accountDisplayName": "  "},
    ],
)
def test_what_is_no_id_no_handle_and_no_name_is_left_out(account: dict[str, Any]) -> None:
    assert profile_in({"data/account.js": account_js(**account)}) is None


def test_a_display_name_may_hold_anything_and_not_too_much_of_it() -> None:
    content = 'window.x = [{"account": {"accountDisplayName": "\\ud800' + "🐦" * 500 + '"}}]'
    profile = profile_in({"data/account.js": content.encode()})
    assert profile is not None
    assert profile.display_name == "\ufffd" + "🐦" * 99


@pytest.mark.parametrize("content", [PNG, b"\xff\xd8\xff\xe0 jpeg"])
def test_the_avatar_is_the_picture_that_the_profile_names(content: bytes) -> None:
    members = {"data/profile_media/7-Gull.png": content, "data/profile_media/7-Banner.png": b"\xff\xd8\xff other"}
    assert avatar_in(members) == content


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"data/profile_media/7-Other.png": PNG},
        {"data/profile_media/7-Gull.png": b"GIF89a"},
        {"data/profile_media/7-Gull.png": PNG + b"x" * AVATAR_LIMIT},
        {"data/profile_media/7-Gull.png": PNG, "data/profile_media/8-Gull.png": PNG},
        {"data/profile_media/sub/7-Gull.png": PNG},
        {"data/profile_media/7-Gull.png": PNG, "data/profile.js": b"damaged"},
        {"data/profile_media/7-Gull.png": PNG, "data/profile.js": script("x", [{"profile": {"avatarMediaUrl": ""}}])},
    ],
)
def test_what_is_not_that_picture_is_no_avatar(members: dict[str, bytes]) -> None:
    assert avatar_in(members) is None


def test_a_picture_that_claims_to_be_small_takes_no_more_memory_than_it_claims() -> None:
    content = bytearray(
        zipped({"data/profile.js": PROFILE, "data/profile_media/7-Gull.png": PNG + bytes(64 * 1024**2)})
    )
    at = content.rindex(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", len(PNG))
    tracemalloc.start()
    try:
        assert XArchiveSource("export", 0, ObjectsInMemory(export=bytes(content))).read_profile() is None
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024**2
    finally:
        tracemalloc.stop()


def test_a_picture_packed_by_another_method_is_not_read() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("data/profile.js", PROFILE)
        archive.writestr("data/profile_media/7-Gull.png", PNG)
    assert XArchiveSource("export", 0, ObjectsInMemory(export=file.getvalue())).read_profile() is None


class Failing:
    """A store that cannot be read."""

    def __init__(self, failure: StageError) -> None:
        self.failure = failure

    def open_seekable(self, uri: str) -> BinaryIO:
        raise self.failure


def test_a_store_that_is_away_shows_no_profile_and_ends_no_run() -> None:
    assert (
        XArchiveSource("export", 0, Failing(TemporaryError(reasons.STORAGE_UNAVAILABLE, "away"))).read_profile() is None
    )


def test_being_asked_to_stop_is_heard() -> None:
    with pytest.raises(StageStopped):
        XArchiveSource("export", 0, Failing(StageStopped(reasons.STOPPED, "asked to end"))).read_profile()
