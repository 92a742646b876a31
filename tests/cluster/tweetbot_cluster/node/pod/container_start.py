"""From a container's manifest to the launch of its process."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tweetbot_cluster.node.api import Objects
from tweetbot_cluster.node.images import search_path
from tweetbot_cluster.node.pod.environment import ConfigError, environment
from tweetbot_cluster.node.pod.expansion import expand
from tweetbot_cluster.node.pod.folder import PodFolder
from tweetbot_cluster.node.pod.supervisor import Launch

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the node gives to every container: variables, and additions to the image table."""

    variables: Mapping[str, str]
    images: Mapping[str, Path]


def threads_of(container: Document) -> dict[str, str]:
    """Return what tells numeric libraries about the container's CPU limit, as no cgroup is here to enforce it."""
    limit = str(container.get("resources", {}).get("limits", {}).get("cpu", ""))
    if not limit:
        return {}
    cores = float(limit.removesuffix("m")) / (1000 if limit.endswith("m") else 1)
    return {"OMP_NUM_THREADS": str(max(1, math.ceil(cores)))}


async def launch_of(
    api: Objects, pod: Document, container: Document, folder: PodFolder, surroundings: Surroundings
) -> Launch:
    """Return what to run. Raises ConfigError, ImageMissing, Unreachable."""
    given = {
        "PATH": search_path(container["image"], surroundings.images),
        "HOME": str(folder.root / "root"),
        "HOSTNAME": pod["spec"].get("hostname") or pod["metadata"]["name"],
        "LANG": "C.UTF-8",
        **threads_of(container),
        **surroundings.variables,
    }
    variables = await environment(api, pod, container, given)
    command = [*container.get("command", []), *container.get("args", [])]
    if not container.get("command"):
        raise ConfigError("the process node needs a command: its images have no entry point")
    paths = folder.paths(container)
    return Launch(
        command=tuple(paths.rewrite(expand(word, variables)) for word in command),
        env={name: value if name in given and value == given[name] else paths.rewrite(value)
             for name, value in variables.items()},
        folder=folder.working_folder(container),
        log=str(folder.log(container)),
    )  # fmt: skip
