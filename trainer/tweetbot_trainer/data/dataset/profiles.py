"""Accounts' names and pictures: `profile.json` and `avatar-<source>.png` beside the dataset, for the card's header.

They are optional and no part of the dataset's digest: a new picture trains no model.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field, TypeAdapter, ValidationError

from tweetbot_contract.spec.parts import Part
from tweetbot_trainer.data.post_length import collapse_whitespace
from tweetbot_trainer.data.sources.interface import Profile
from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.store import ObjectStore, join

PROFILE_FILE = "profile.json"
#: Larger pictures are not decoded; networks keep far smaller ones (X: 400 by 400).
BYTES_LIMIT, PIXELS_LIMIT = 4 * 1024**2, 2048 * 2048
#: Pixels per side at most; the card shows less.
SIDE = 400
NAME_LIMIT = 100


class BadPicture(Exception):
    """Not a picture that we show; the message says why, as in "it has 5 bytes"."""


class AccountEntry(Part):
    """One account in profile.json; `avatar` names a file beside it."""

    source: int = Field(ge=0)
    handle: str | None = None
    display_name: str | None = None
    avatar: str | None = Field(default=None, pattern=r"^avatar-[0-9]{1,3}\.png$")


@dataclass(frozen=True, slots=True)
class CardAccount:
    """An account as the card shows it: names on one line each, a square PNG of at most SIDE pixels."""

    source: int
    handle: str | None = None
    display_name: str | None = None
    picture: bytes | None = None


_LIST = TypeAdapter(tuple[AccountEntry, ...])


def build_accounts(profiles: Sequence[Profile | None], log: Log) -> tuple[CardAccount, ...]:
    """Return what the card shows of the sources' profiles; unusable pictures are logged and left out."""
    return tuple(_build_account(index, profile, log) for index, profile in enumerate(profiles) if profile)


def store_accounts(store: ObjectStore, folder: str, accounts: Sequence[CardAccount]) -> None:
    """Write the accounts into a dataset's folder, over those of earlier runs."""
    if not accounts:
        return
    for account in accounts:
        if account.picture:
            store.put(join(folder, _get_avatar_name(account.source)), account.picture)
    shown = [_build_entry(account).to_dict() for account in accounts]
    store.put(join(folder, PROFILE_FILE), (json.dumps(shown, ensure_ascii=False) + "\n").encode())


def load_accounts(store: ObjectStore, folder: str) -> tuple[CardAccount, ...]:
    """Return the accounts in a dataset's folder, without what is missing or damaged."""
    try:
        found = store.find(join(folder, PROFILE_FILE))
        shown = _LIST.validate_json(found.body) if found else ()
        return tuple(_load_account(store, folder, one) for one in shown)
    except (ValidationError, StageError):
        return ()


def make_square_png(picture: bytes) -> bytes:
    """Decode the picture and encode it as a square PNG without metadata. Raises BadPicture."""
    if len(picture) > BYTES_LIMIT:
        raise BadPicture(f"it has {len(picture)} bytes; at most {BYTES_LIMIT} are read")
    from PIL import Image, ImageOps  # not for accounts without a picture

    faults = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(picture), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > PIXELS_LIMIT:
                raise BadPicture(f"it has {image.width} by {image.height} pixels; at most {PIXELS_LIMIT} are decoded")
            plain = image.convert("RGBA")
    except faults as error:
        raise BadPicture(f"it is no readable PNG or JPEG ({type(error).__name__})") from error
    side = min(SIDE, *plain.size)
    square = ImageOps.fit(plain, (side, side))
    square.info.clear()
    file = io.BytesIO()
    square.save(file, "PNG")
    return file.getvalue()


def _build_account(index: int, profile: Profile, log: Log | None = None) -> CardAccount:
    picture = None
    try:
        picture = make_square_png(profile.avatar) if profile.avatar is not None else None
    except BadPicture as bad:
        if log:
            log.warning("prepare.no_picture", source=index, message=f"sources[{index}] has a picture, but {bad}")
    return CardAccount(index, _clean_name(profile.handle), _clean_name(profile.display_name), picture)


def _build_entry(account: CardAccount) -> AccountEntry:
    avatar = _get_avatar_name(account.source) if account.picture else None
    return AccountEntry(source=account.source, handle=account.handle, display_name=account.display_name, avatar=avatar)


def _load_account(store: ObjectStore, folder: str, shown: AccountEntry) -> CardAccount:
    """Return the account; its picture is checked again, as others may write to the bucket."""
    found = store.find(join(folder, shown.avatar)) if shown.avatar else None
    profile = Profile(None, shown.handle, shown.display_name, found.body if found else None)
    return _build_account(shown.source, profile)


def _get_avatar_name(source: int) -> str:
    return f"avatar-{source}.png"


def _clean_name(text: str | None) -> str | None:
    return collapse_whitespace(text)[:NAME_LIMIT].strip() or None if text else None
