"""Writes X's exports: scripts that assign JSON, and zips with one fixed time so that the bytes never change."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tweetbot_demo.archive import ZIP_TIME

Members = dict[str, bytes]


def render_script(name: str, content: Any) -> bytes:
    """Render a script as exports since 2019 have it: spaces around colons, everything else as it is."""
    return f"window.{name} = {_dump_json(content, ascii_only=False)}".encode()


def render_grailbird_script(name: str, content: Any) -> bytes:
    """Render a script as Grailbird wrote it: ASCII only, slashes escaped, the array on its own line."""
    return f"{name} = \n {_dump_json(content, ascii_only=True)}".replace("/", r"\/").encode()


def make_zip(members: Members, *, folder: str = "") -> bytes:
    """Make a zip of these members, below `folder`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(folder + name, ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return file.getvalue()


def make_private_members(*kinds: str, folder: str = "data/") -> Members:
    """Return members that a reader must never open."""
    names = {kind: kind.replace("-", "_") for kind in kinds}
    secret = [{"secret": "nobody may read this"}]
    return {f"{folder}{kind}.js": render_script(f"YTD.{name}.part0", secret) for kind, name in names.items()}


def build_manifest(
    account: dict[str, str], members: Members, *, counts: Mapping[str, int] | None = None, partial: bool = False
) -> bytes:
    """Build manifest.js: the account, and all scripts with their numbers of records, private ones included.

    `counts` are the numbers of scripts that are not whole.
    """
    types: dict[str, Any] = {}
    for name, content in members.items():
        if name.endswith(".js") and content.startswith(b"window.YTD."):
            variable = content.split(b" ", 1)[0].decode().removeprefix("window.")
            count = (counts or {}).get(name) or len(json.loads(content.partition(b"=")[2]))
            file = {"fileName": name, "globalName": variable, "count": str(count)}
            types.setdefault(_to_camel_case(variable.split(".")[1]), {"files": []})["files"].append(file)
    info = {
        "sizeBytes": "1048576",
        "generationDate": "2026-11-01T00:00:00.000Z",
        "isPartialArchive": partial,
        "maxPartSizeBytes": "53687091200",
    }
    readme = {"fileName": "data/README.txt", "directory": "data/", "name": "README.txt"}
    return render_script(
        "__THAR_CONFIG", {"userInfo": account, "archiveInfo": info, "readmeInfo": readme, "dataTypes": types}
    )


def write_all(folder: Path, archives: dict[str, bytes]) -> None:
    """Write each zip under its name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in archives.items():
        (folder / f"{name}.zip").write_bytes(content)


def _dump_json(content: Any, *, ascii_only: bool) -> str:
    return json.dumps(content, ensure_ascii=ascii_only, indent=2, separators=(",", " : "))


def _to_camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)
