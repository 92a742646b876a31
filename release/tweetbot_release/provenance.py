"""A statement of how the files were made, in the form of in-toto and SLSA 1.0, and the sums that are signed."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tweetbot_release.images import ReleasedImage
from tweetbot_release.source import Source, hash_file

SUMS = "SHA256SUMS"
_BUILD_TYPE = "tag:tweetbot.dev,2026:make-release/v1"
_BY_HAND = "tag:tweetbot.dev,2026:by-hand"


def build_statement(source: Source, sums: Mapping[str, str], images: Sequence[ReleasedImage], builder: str) -> Any:
    """Return the statement. It names no time, so the same commit, images and builder give the same statement."""
    subjects = [{"name": name, "digest": {"sha256": digest}} for name, digest in sums.items()]
    subjects += [{"name": image.name, "digest": {"sha256": image.digest.removeprefix("sha256:")}} for image in images]
    pins = sorted((source.folder / "requirements").glob("*.txt"))
    materials = [{"uri": f"requirements/{pin.name}", "digest": {"sha256": hash_file(pin)}} for pin in pins]
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": _BUILD_TYPE,
                "externalParameters": {"command": f"make release VERSION={source.version}", "commit": source.commit},
                "resolvedDependencies": [{"uri": "git", "digest": {"gitCommit": source.commit}}, *materials],
            },
            "runDetails": {"builder": {"id": builder}},
        },
    }


def choose_builder(env: Mapping[str, str]) -> str:
    """Return who builds: the host's workflow, by its own words, or a person."""
    server, workflow = env.get("GITHUB_SERVER_URL"), env.get("GITHUB_WORKFLOW_REF")
    return f"{server}/{workflow}" if server and workflow else _BY_HAND


def hash_files(dist: Path) -> dict[str, str]:
    """Return the sha256 of each file by its name."""
    return {path.name: hash_file(path) for path in sorted(dist.iterdir())}


def write_provenance(source: Source, dist: Path, images: Sequence[ReleasedImage], env: Mapping[str, str]) -> Path:
    """Write the statement about all files, then the sums of them and of it; return the sums' file."""
    statement = build_statement(source, hash_files(dist), images, choose_builder(env))
    text = json.dumps(statement, indent=1) + "\n"
    (dist / f"provenance-{source.version}.json").write_text(text, encoding="utf-8")
    sums = dist / SUMS
    lines = [f"{digest}  {name}\n" for name, digest in hash_files(dist).items()]
    sums.write_text("".join(lines), encoding="utf-8")
    return sums
