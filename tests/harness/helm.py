"""The real helm on our chart, with a home of its own, and what it renders as plain dicts."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import yaml

from tweetbot_cluster.binaries import HELM, find_or_build, to_stderr

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "tweetbot-operator"
CI = sorted((CHART / "ci").glob("*.yaml"))
RELEASE, NAMESPACE = "tweetbot-operator", "tweetbot-system"
Manifest = dict[str, Any]


class HelmFailed(Exception):
    """helm ended with an error; the message has its words."""


class Helm:
    """Runs helm; its caches and settings lie in `home`, and it knows a cluster only by `kubeconfig`."""

    def __init__(self, home: Path, kubeconfig: Path | None = None) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        folders = {f"HELM_{name}_HOME": str(home / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        self._program = find_or_build(os.environ, to_stderr, [HELM])["helm"]
        self._env = {**kept, **folders, "HOME": str(home), "KUBECONFIG": str(kubeconfig or home / "none")}

    def __call__(self, *arguments: str, check: bool = True, input: str | None = None) -> CompletedProcess[str]:
        """Run a command. With `check`, raises HelmFailed with its words."""
        command = [str(self._program), *arguments]
        done = subprocess.run(command, env=self._env, input=input, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise HelmFailed(f"helm {' '.join(arguments)}: {done.stderr.strip()}")
        return done

    def render(
        self, *arguments: str, values: Mapping[str, Any] | None = None, release: str = RELEASE, chart: Path = CHART
    ) -> list[Manifest]:
        """Return what the chart makes of values."""
        text = yaml.safe_dump(dict(values or {}))
        options = ("--namespace", NAMESPACE, "--kube-version", "1.35.0", "-f", "-", *arguments)
        done = self("template", release, str(chart), *options, input=text)
        return [each for each in yaml.safe_load_all(done.stdout) if each]


def the(manifests: list[Manifest], kind: str, name: str = "") -> Manifest:
    """Return the one object of a kind, and of a name where there are several."""
    (found,) = [each for each in manifests if each["kind"] == kind and name in ("", each["metadata"]["name"])]
    return found
