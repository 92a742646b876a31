"""Both images as OCI archives: written by buildah, or built before; read for their digests and bills of materials."""

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tweetbot_release.source import ReleaseFailed, Source

NAMES = ("tweetbot-operator", "tweetbot-trainer")
_LABEL = "org.opencontainers.image."


@dataclass(frozen=True, slots=True)
class ReleasedImage:
    """One image: its name, its archive, and the sha256:… of its manifest and of its configuration."""

    name: str
    archive: Path
    digest: str
    config_digest: str


def collect_images(source: Source, images: str, dist: Path) -> list[ReleasedImage]:
    """Return the images to release.

    `none` gives none, `build` builds what buildah does not have of this commit; else it is a folder with archives.
    Raises ReleaseFailed if an image is missing or of another version or commit.
    """
    if images == "none":
        return []
    archives = {name: dist / f"{name}-{source.version}.oci.tar" for name in NAMES}
    for name, archive in archives.items():
        if images == "build":
            _export(name, source, archive)
        else:
            _take(Path(images) / archive.name, archive)
    return [check_image(read_image(name, archive), source) for name, archive in archives.items()]


def read_image(name: str, archive: Path) -> ReleasedImage:
    """Read an archive's digests."""
    with tarfile.open(archive) as outer:
        (entry,) = _read_json(outer, "index.json")["manifests"]
        manifest = _read_json(outer, _find_blob(entry["digest"]))
    return ReleasedImage(name, archive, entry["digest"], manifest["config"]["digest"])


def check_image(image: ReleasedImage, source: Source) -> ReleasedImage:
    """Return the image if its labels name this version and commit; else raise ReleaseFailed."""
    with tarfile.open(image.archive) as outer:
        labels = _read_json(outer, _find_blob(image.config_digest))["config"].get("Labels", {})
    found = {name: labels.get(_LABEL + name, "none") for name in ("version", "revision")}
    wanted = {"version": source.version, "revision": source.commit}
    if found != wanted:
        raise ReleaseFailed(f"{image.archive.name} is labelled {found}, and the release is {wanted}")
    return image


def read_newest(image: ReleasedImage, paths: Iterable[str]) -> dict[str, bytes]:
    """Return files of an image by their paths, each from the last layer that has it. Raises ReleaseFailed."""
    missing, found = set(paths), dict[str, bytes]()
    with tarfile.open(image.archive) as outer:
        manifest = _read_json(outer, _find_blob(image.digest))
        for layer in reversed(manifest["layers"]):
            if missing:
                hits = _search_layer(_open(outer, _find_blob(layer["digest"])), missing)
                found |= hits
                missing -= set(hits)
    if missing:
        raise ReleaseFailed(f"{image.archive.name} has no {', '.join(sorted(missing))}")
    return found


def _search_layer(blob: IO[bytes], paths: set[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=blob, mode="r|*") as layer:
        for member in layer:
            path = member.name.removeprefix("./")
            if path in paths and (content := layer.extractfile(member)):
                found[path] = content.read()
            if len(found) == len(paths):
                break
    return found


def _export(name: str, source: Source, archive: Path) -> None:
    reference = f"localhost/{name}:{source.version}"
    if _read_revision(reference) != source.commit:
        half = name.removeprefix("tweetbot-")
        built = {**os.environ, "BUILDER": "buildah", "REVISION": source.commit}
        subprocess.run(["bash", "images/build.sh", half], cwd=source.folder, env=built, check=True)
    tagged = f"oci-archive:{archive}:{name}:{source.version}"
    subprocess.run(["buildah", "push", "--quiet", "--format", "oci", reference, tagged], check=True)


def _read_revision(reference: str) -> str:
    form = '{{index .OCIv1.Config.Labels "org.opencontainers.image.revision"}}'
    command = ["buildah", "inspect", "--type", "image", "--format", form, reference]
    if not shutil.which("buildah"):
        return "none"
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _take(given: Path, archive: Path) -> None:
    if not given.is_file():
        raise ReleaseFailed(f"there is no {given}")
    shutil.copyfile(given, archive)


def _find_blob(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def _open(outer: tarfile.TarFile, path: str) -> IO[bytes]:
    content = outer.extractfile(path)
    if content is None:
        raise ReleaseFailed(f"an image's archive has {path}, but not as a file")
    return content


def _read_json(outer: tarfile.TarFile, path: str) -> Any:
    return json.load(_open(outer, path))
