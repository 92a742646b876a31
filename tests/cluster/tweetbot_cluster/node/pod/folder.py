"""Where one Pod lies on the host, and which of its paths are which of the host's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tweetbot_cluster.node.pod.containers import Container
from tweetbot_cluster.node.pod.paths import PathMap, clean

Document = dict[str, Any]


class PodFolder:
    """`volumes/<name>`, `containers/<name>` and `root` (home and working directory) below one folder."""

    def __init__(self, root: Path, logs: Path, pod: Document) -> None:
        self.root = root
        self._pod = pod
        metadata = pod["metadata"]
        self._logs = logs / f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}"

    def create(self) -> None:
        """Make the folders."""
        (self.root / "root").mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        for each in (*self._pod["spec"].get("initContainers", []), *self._pod["spec"]["containers"]):
            (self.root / "containers" / each["name"]).mkdir(parents=True, exist_ok=True)

    def volume(self, name: str) -> Path:
        """Return a volume's folder."""
        return self.root / "volumes" / name

    def container(self, container: Document) -> Container:
        """Return the container's process."""
        return Container(self.root / "containers" / container["name"])

    def log(self, container: Document) -> Path:
        """Return the file of the container's output."""
        return self._logs / f"{container['name']}.log"

    def termination_log(self, container: Document) -> Path:
        """Return the file that terminationMessagePath means."""
        name: str = container["name"]
        return self.root / "containers" / name / "termination-log"

    def paths(self, container: Document) -> PathMap:
        """Return the container's paths; a subPath of a volume is made here, as the kubelet does."""
        places = {
            clean(container.get("terminationMessagePath", "/dev/termination-log")): self.termination_log(container)
        }
        for mount in container.get("volumeMounts", []):
            place = self.volume(mount["name"]) / mount.get("subPath", "")
            if not place.exists():
                place.mkdir(parents=True)
            places[clean(mount["mountPath"])] = place
        return PathMap(places)

    def working_folder(self, container: Document) -> str:
        """Return the container's working directory; what is no mount lies below the Pod's `root`."""
        asked = clean(container.get("workingDir") or "/")
        mapped = self.paths(container).rewrite(asked)
        folder = Path(mapped) if mapped != asked else self.root / "root" / asked.lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)
