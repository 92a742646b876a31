"""What a source says of its account, and which pictures pass."""

import json
import struct
import zlib
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from builders.stages import ENOUGH, a_context, a_local_run
from builders.trainer import many_posts, script, tweets_js, zipped
from tweetbot_trainer.data.dataset.profiles import (
    SIDE,
    BadPicture,
    build_accounts,
    load_accounts,
    make_square_png,
    store_accounts,
)
from tweetbot_trainer.data.sources.interface import Profile
from tweetbot_trainer.publishing.registry.run_record import read_record
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()


def a_picture(size: tuple[int, int] = (60, 60), form: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    file = BytesIO()
    Image.new(mode, size, "red" if mode != "P" else 1).save(file, form, **options)
    return file.getvalue()


def opened(png: bytes) -> Image.Image:
    image = Image.open(BytesIO(png), formats=("PNG",))
    image.load()
    return image


@pytest.mark.parametrize(
    ("picture", "side"),
    [
        (a_picture((60, 60)), 60),
        (a_picture((1500, 800)), SIDE),
        (a_picture((400, 3)), 3),
        (a_picture((500, 500), "JPEG"), SIDE),
        (a_picture((50, 50), "JPEG", mode="CMYK"), 50),
        (a_picture((50, 50), "PNG", mode="P"), 50),
        (a_picture((50, 50), "PNG", mode="I;16"), 50),
    ],
)
def test_a_picture_becomes_a_small_square(picture: bytes, side: int) -> None:
    assert opened(make_square_png(picture)).size == (side, side)


def test_nothing_beside_the_pixels_stays() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "where it was taken")
    given = a_picture(pnginfo=info, icc_profile=b"a profile of colours", dpi=(300, 300))
    png = make_square_png(given + b"and something behind the end")
    assert opened(png).info == {}
    assert b"taken" not in png
    assert b"behind" not in png


def a_bomb() -> bytes:
    """Return a PNG of a few kilobytes that unpacks to three gigabytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", 32_000, 32_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no readable PNG or JPEG"),
        (b"<svg onload=alert(1)>", "no readable PNG or JPEG"),
        (a_picture(form="GIF"), "no readable PNG or JPEG"),
        (a_picture((300, 300), "JPEG")[:400], "no readable PNG or JPEG"),
        (a_picture((2049, 2048)), "2049 by 2048 pixels"),
        (a_bomb(), "no readable PNG or JPEG|32000 by 32000 pixels"),
        (a_picture() + bytes(4 * 1024**2), "at most 4194304 are read"),
    ],
)
def test_what_is_no_picture_of_an_account_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(BadPicture, match=words):
        make_square_png(content)


def test_a_refused_picture_leaves_the_names_and_a_line_in_the_log() -> None:
    stream = StringIO()
    (account,) = build_accounts([None, Profile("1", "gull", "Harbour\n\x00Gull ", b"soup")], Log(stream))
    assert (account.source, account.handle, account.display_name, account.picture) == (1, "gull", "Harbour Gull", None)
    assert json.loads(stream.getvalue())["event"] == "prepare.no_picture"


def test_accounts_come_back_as_they_were_stored(tmp_path: Path) -> None:
    accounts = build_accounts(
        [Profile(None, "gull", "Harbour Gull", a_picture()), None, Profile(display_name="Heron")],
        Log(StringIO()),
    )
    store_accounts(STORE, f"file://{tmp_path}", accounts)
    assert load_accounts(STORE, f"file://{tmp_path}") == accounts
    assert sorted(path.name for path in tmp_path.iterdir()) == ["avatar-0.png", "profile.json"]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'[{"source": 0, "avatar": "../../other"}]', b'[{"source": "x"}]', b'[{"source": -1}]']
)
def test_a_damaged_list_of_accounts_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "profile.json").write_bytes(content)
    assert load_accounts(STORE, f"file://{tmp_path}") == ()


def test_a_picture_that_was_replaced_in_the_bucket_passes_the_same_door(tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_bytes(b'[{"source": 0, "handle": "gull", "avatar": "avatar-0.png"}]')
    (tmp_path / "avatar-0.png").write_bytes(a_picture((2049, 2048)))
    (account,) = load_accounts(STORE, f"file://{tmp_path}")
    assert (account.handle, account.picture) == ("gull", None)


def an_archive(folder: Path, handle: str = "harbour_gull") -> dict[str, Any]:
    """Write an export with names and a picture."""
    rows = ({"tweet": {"id_str": post.id, "full_text": post.text, "lang": "en"}} for post in many_posts(ENOUGH))
    user = {"accountId": "123", "userName": handle, "displayName": "Harbour Gull"}
    picture = {"description": {}, "avatarMediaUrl": "https://pbs.twimg.com/profile_images/1/face.png"}
    members = {
        "data/tweets.js": tweets_js(*rows),
        "data/manifest.js": script("__THAR_CONFIG", {"userInfo": user, "dataTypes": {}}),
        "data/profile.js": script("YTD.profile.part0", [{"profile": picture}]),
        "data/profile_media/123-face.png": a_picture(),
    }
    folder.mkdir(exist_ok=True)
    (folder / "gull.zip").write_bytes(zipped(members))
    return {"sources": [{"archive": {"uri": f"file://{folder}/gull.zip"}}]}


def test_a_runs_accounts_lie_beside_the_dataset_and_in_its_record(tmp_path: Path) -> None:
    run = a_local_run(tmp_path, spec=an_archive(tmp_path))
    result = prepare(a_context(tmp_path, run))
    (account,) = load_accounts(STORE, result.dataset.uri)
    assert (account.handle, account.display_name) == ("harbour_gull", "Harbour Gull")
    assert opened(account.picture or b"").size == (60, 60)
    record = read_record(STORE, run)
    assert record is not None
    (source,) = record.sources
    assert (source.kind, source.account_id, source.handle) == ("archive", "123", "harbour_gull")
    assert [(one.uri, len(one.sha256 or "")) for one in source.objects] == [(f"file://{tmp_path}/gull.zip", 64)]
    assert source.table == result.dataset.table


@pytest.mark.parametrize(
    ("relation", "handle", "output"),
    [("Self", "old_gull", True), ("Self", "Harbour_Gull", False), ("Consented", "old_gull", True)],
)
def test_an_owner_whose_export_names_another_account_is_reported(
    tmp_path: Path, relation: str, handle: str, output: bool
) -> None:
    spec = {**an_archive(tmp_path, handle), "subject": {"handle": "harbour_gull", "relation": relation}}
    context = a_context(tmp_path, a_local_run(tmp_path, spec=spec))
    stream = StringIO()
    prepare(replace(context, log=Log(stream)))
    assert ("StatementContradicted" in stream.getvalue()) == output
