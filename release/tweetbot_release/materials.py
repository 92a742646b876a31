"""Bills of materials in CycloneDX form: what an extra installs, and what an image holds."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tweetbot_release.images import ReleasedImage, read_newest
from tweetbot_release.source import ReleaseFailed, Source

_PYTHON, _DEBIAN = "app/sbom.cdx.json", "var/lib/dpkg/status"


def describe_extra(program: Path, source: Source, requirements: Path) -> None:
    """Write what a file of requirements installs beside it, by cyclonedx-py. Raises ReleaseFailed."""
    bill = requirements.with_name(f"{requirements.stem}.cdx.json")
    project = str(source.folder / "pyproject.toml")
    command = [str(program), "requirements", "--output-reproducible", "--pyproject", project,
               "--output-file", str(bill), str(requirements)]  # fmt: skip
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(source.epoch)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseFailed(f"cyclonedx-py: {done.stderr.strip()}")


def describe_image(image: ReleasedImage, source: Source) -> None:
    """Write what an image holds: the Python distributions that its build listed, and Debian's packages."""
    files = read_newest(image, (_PYTHON, _DEBIAN))
    bill = json.loads(files[_PYTHON])
    bill.setdefault("metadata", {})["component"] = _describe(image, source)
    bill["components"] = bill.get("components", []) + list_packages(files[_DEBIAN].decode())
    bill.pop("dependencies", None)  # they begin at the environment that the image has replaced
    target = image.archive.with_name(f"{image.name}-{source.version}.cdx.json")
    target.write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def list_packages(status: str) -> list[dict[str, Any]]:
    """Return dpkg's installed packages as components."""
    stanzas = [dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] != " ")
               for stanza in status.split("\n\n")]  # fmt: skip
    return [_describe_package(each) for each in stanzas if each.get("Status", "").endswith(" installed")]


def _describe_package(stanza: dict[str, str]) -> dict[str, Any]:
    name, version = stanza["Package"], stanza["Version"]
    purl = f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={stanza['Architecture']}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _describe(image: ReleasedImage, source: Source) -> dict[str, Any]:
    purl = f"pkg:oci/{image.name}@{quote(image.digest)}"
    return {"type": "container", "bom-ref": purl, "name": image.name, "version": source.version, "purl": purl}
