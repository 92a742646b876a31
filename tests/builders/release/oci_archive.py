"""Image archives of a few bytes, in the OCI layout that buildah writes."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

#: What the build of each image leaves in it, shortened.
BILL = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "library", "name": "pydantic"}]}
STATUS = "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9+deb12u10\nArchitecture: amd64\n"
LAYERS = ({"./var/lib/dpkg/status": STATUS}, {"app/sbom.cdx.json": json.dumps(BILL), "app/bin/tweetbot": "#!"})


def write_archive(
    archive: Path, version: str, revision: str, layers: Sequence[Mapping[str, str]] = LAYERS
) -> dict[str, bytes]:
    """Write an archive with these labels and layers; return its blobs by digest, that of the manifest last."""
    blobs: dict[str, bytes] = {}
    labels = {"org.opencontainers.image.version": version, "org.opencontainers.image.revision": revision}
    packed = [_add(blobs, gzip.compress(_pack(layer), mtime=0)) for layer in layers]
    config = _add(blobs, json.dumps({"config": {"Labels": labels}, "name": archive.name}).encode())
    manifest = _add(blobs, json.dumps({"config": config, "layers": packed}).encode())
    files = {"blobs/" + digest.replace(":", "/"): content for digest, content in blobs.items()}
    archive.write_bytes(_pack({**files, "index.json": json.dumps({"manifests": [manifest]})}))
    return blobs


def _add(blobs: dict[str, bytes], content: bytes) -> dict[str, Any]:
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    blobs[digest] = content
    return {"digest": digest, "size": len(content)}


def _pack(files: Mapping[str, str | bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, given in files.items():
            content = given.encode() if isinstance(given, str) else given
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()
