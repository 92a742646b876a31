"""Members' names as they are compared, whatever program and system packed them."""

import re
import unicodedata

_DRIVE = re.compile(r"[A-Za-z]:")
_SPARE = ("", ".", "..")
#: Folders and files that systems add by themselves. Those of macOS are named like the file that they belong to.
_SYSTEM = frozenset({"__macosx", ".ds_store", ".spotlight-v100", ".trashes", "thumbs.db", "desktop.ini"})
_FORK = "._"
#: Most names have nothing of this, and an export may have 200,000.
_ODD = re.compile(r"(?:^|/)(?:\.{0,2}(?:/|$)|\._|[a-z]:/|(?:__macosx|\.[dst]|thumbs|desktop))", re.IGNORECASE)
#: Characters of a name in a message.
SHOWN = 80


def normalize_name(name: str) -> str | None:
    """Return a member's path with `/` alone; None for folders and for what systems add by themselves.

    Steps upwards are left out, as unzip does: nothing is extracted, so they lead nowhere.
    """
    path = name.replace("\\", "/")
    if not path.isascii():
        path = unicodedata.normalize("NFC", path.encode("utf-8", "replace").decode())
    if not _ODD.search(path):
        return path
    steps = [step for step in path.split("/") if step not in _SPARE and not _DRIVE.fullmatch(step)]
    if not steps or path.endswith("/") or steps[-1].startswith(_FORK) or _SYSTEM & {step.lower() for step in steps}:
        return None
    return "/".join(steps)


def show_name(name: str) -> str:
    """Return a name for a message: its end, if it is long."""
    return name if len(name) <= SHOWN else f"…{name[-SHOWN:]}"
