"""The versions of a published site: a folder each, a list of them, and a first page that leads to the newest."""

import json
import shutil
from pathlib import Path

#: What docs of no release are built as.
UNRELEASED = "main"


def add_version(site: Path, version: str, built: Path, url: str) -> None:
    """Put a built version into the site, in place of an earlier build of it, and list all that are there."""
    shutil.rmtree(site / version, ignore_errors=True)
    shutil.copytree(built, site / version)
    versions = sort_versions({path.parent.name for path in site.glob("*/index.html")})
    listed = [{"version": each, "url": f"{url}/{each}/", "preferred": each == versions[0]} for each in versions]
    (site / "switcher.json").write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    (site / "index.html").write_text(_lead_to(versions[0]), encoding="utf-8")
    (site / ".nojekyll").touch()  # else the usual host leaves out folders whose names begin with _


def sort_versions(versions: set[str]) -> list[str]:
    """Return the versions, the newest release first; what is no release comes last."""
    releases = sorted(versions - {UNRELEASED}, key=lambda one: [int(part) for part in one.split(".")], reverse=True)
    return [*releases, *sorted(versions & {UNRELEASED})]


def _lead_to(version: str) -> str:
    return (
        f'<!doctype html>\n<meta charset="utf-8">\n<title>TweetBot operator</title>\n'
        f'<meta http-equiv="refresh" content="0; url={version}/index.html">\n'
        f'<a href="{version}/index.html">TweetBot operator {version}</a>\n'
    )
