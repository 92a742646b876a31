"""The chart as released: its version, and both images by digest, so that a tag that moves changes nothing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from tweetbot_chart.generate import CHART, PLAIN
from tweetbot_chart.plain import FILE, render_manifests
from tweetbot_release.archives import pack, read_files
from tweetbot_release.images import ReleasedImage
from tweetbot_release.source import ReleaseFailed, Source

#: The chart's value for each image.
_VALUES = {"tweetbot-operator": "image", "tweetbot-trainer": "trainerImage"}


@dataclass(frozen=True, slots=True)
class Places:
    """Where a release will be found: the images' registry with its path, and the site; empty while unknown."""

    registry: str = ""
    site: str = ""


def choose_places(env: Mapping[str, str]) -> Places:
    """Return REGISTRY and SITE_URL; where they are unset, those of the repository on its usual host."""
    owner, _, name = env.get("GITHUB_REPOSITORY", "").lower().partition("/")
    usual = Places(f"ghcr.io/{owner}/{name}", f"https://{owner}.github.io/{name}") if name else Places()
    return Places(env.get("REGISTRY") or usual.registry, env.get("SITE_URL") or usual.site)


def stamp_chart(source: Source, images: Sequence[ReleasedImage], places: Places) -> None:
    """Write version, digests and places into the exported chart."""
    chart, values = source.folder / CHART / "Chart.yaml", source.folder / CHART / "values.yaml"
    values.write_text(stamp_values(values.read_text(encoding="utf-8"), images, places.registry), encoding="utf-8")
    chart.write_text(
        stamp_metadata(chart.read_text(encoding="utf-8"), source.version, images, places), encoding="utf-8"
    )


def stamp_values(text: str, images: Sequence[ReleasedImage], registry: str) -> str:
    """Return values.yaml with the registry and the images' digests as defaults."""
    if registry:
        text = _replace(r"^  imageRegistry: ''$", f"  imageRegistry: {registry}", text)
    for image in images:
        text = _replace(rf"(^{_VALUES[image.name]}:\n(?:  .*\n)*?  digest: )''$", rf"\g<1>{image.digest}", text)
    return text


def stamp_metadata(text: str, version: str, images: Sequence[ReleasedImage], places: Places) -> str:
    """Return Chart.yaml with the version, the site, and the images as they are pulled."""
    text = _replace(r"^version: .*$", f"version: {version}", text)
    text = _replace(
        r"^appVersion: .*$", f"appVersion: {version}" + (f"\nhome: {places.site}" if places.site else ""), text
    )
    prefix = f"{places.registry}/" if places.registry else ""
    for image in images:
        text = _replace(
            rf"^(      image: ){image.name}:.*$", rf"\g<1>{prefix}{image.name}:{version}@{image.digest}", text
        )
    return text


def pack_chart(source: Source, dist: Path) -> Path:
    """Pack the stamped chart as helm does, Chart.yaml first, without what .helmignore names."""
    folder = source.folder / CHART
    patterns = (folder / ".helmignore").read_text(encoding="utf-8").split()
    files = {name: content for name, content in read_files(folder).items() if not _is_ignored(name, patterns)}
    first = {"Chart.yaml": files.pop("Chart.yaml")}
    archive = dist / f"{folder.name}-{source.version}.tgz"
    pack({f"{folder.name}/{name}": content for name, content in {**first, **files}.items()}, archive, source.epoch)
    return archive


def render_plain(source: Source, helm: Path, dist: Path) -> None:
    """Render the stamped chart for use without Helm: for kustomize, as one file for kubectl, and the CRDs alone."""
    (source.folder / FILE).write_text(render_manifests(helm, source.folder / CHART), encoding="utf-8")
    files, version = read_files(source.folder / PLAIN), source.version
    definitions = [content for name, content in files.items() if name.endswith("tweetbot.dev.yaml")]
    install = [files["namespace.yaml"], *definitions, files["operator.yaml"]]
    pack({f"kustomize-{version}/{name}": content for name, content in files.items()},
         dist / f"kustomize-{version}.tgz", source.epoch)  # fmt: skip
    (dist / f"crds-{version}.yaml").write_bytes(b"---\n".join(definitions))
    (dist / f"install-{version}.yaml").write_bytes(b"---\n".join(install))


def _is_ignored(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(part, pattern.rstrip("/")) for part in Path(name).parts for pattern in patterns)


def _replace(pattern: str, replacement: str, text: str) -> str:
    changed, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
    if count != 1:
        raise ReleaseFailed(f"the chart has {count} lines of the form {pattern}, not one")
    return changed
