"""Where the servers' programs come from: KUBEBUILDER_ASSETS, PATH, the user's cache, or a build from Go modules."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

MODULES = Path(__file__).resolve().parents[1] / "go"
Report = Callable[[str], None]


class BuildFailed(Exception):
    """A program can neither be found nor built; the message says what to install or what the compiler said."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One program: its name, the folder of its Go module under tests/cluster/go, and its main package."""

    name: str
    module: str
    package: str


TOOLS = (
    Tool("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
    Tool("versitygw", "versitygw", "github.com/versity/versitygw/cmd/versitygw"),
    Tool("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    Tool("kube-controller-manager", "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    Tool("kube-scheduler", "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"),
    Tool("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl"),
)
#: No part of the cluster: only tests/kueue needs it.
KUEUE = Tool("kueue", "kueue", "sigs.k8s.io/kueue/cmd/kueue")
#: Older control planes, for `make older`, by their minor version: each has a folder of its own.
OLDER = {
    path.name.removeprefix("kubernetes-"): tuple(
        replace(tool, module=path.name) for tool in TOOLS if tool.name.startswith("kube-")
    )
    for path in sorted(MODULES.glob("kubernetes-1.*"))
}
#: A real node: no part of the embedded cluster, only `make e2e` needs it.
NODE = (
    Tool("kubelet", "kubernetes-node", "k8s.io/kubernetes/cmd/kubelet"),
    Tool("kube-proxy", "kubernetes-node", "k8s.io/kubernetes/cmd/kube-proxy"),
    Tool("coredns", "coredns", "github.com/coredns/coredns"),
    Tool("pause", "pause", "tweetbot.dev/cluster/pause"),
)
#: No server: only the tests of the chart need it, so neither the demo nor `cluster-up` waits for its build.
HELM = Tool("helm", "helm", "helm.sh/helm/v4/cmd/helm")


def find_or_build(env: Mapping[str, str], report: Report, tools: Sequence[Tool] = TOOLS) -> dict[str, Path]:
    """Return every program's path by name; what no place holds is built once into the cache. Says what need not be.

    Raises BuildFailed if something has to be built and `go` is missing or fails.
    """
    if not all(find(tool, env) for tool in tools):
        _build_missing(tools, env, report)
    found = {tool.name: _found(tool, env) for tool in tools}
    if elsewhere := sorted(name for name, path in found.items() if cache_root(env) not in path.parents):
        folders = ", ".join(sorted({str(found[name].parent) for name in elsewhere}))
        report(f"{', '.join(elsewhere)} found in {folders}: {len(elsewhere)} of {len(found)} programs need no build")
    return found


def find(tool: Tool, env: Mapping[str, str]) -> Path | None:
    """Look in KUBEBUILDER_ASSETS (as envtest does), on PATH, in our cache, then among setup-envtest's downloads."""
    places = (env.get("KUBEBUILDER_ASSETS"), env.get("PATH"), str(cache_folder(env, tool)), _list_downloads(env, tool))
    found = next((hit for place in places if place and (hit := shutil.which(tool.name, path=place))), None)
    return Path(found) if found else None


def _list_downloads(env: Mapping[str, str], tool: Tool) -> str:
    """Return setup-envtest's folders of the minor version that we build: servers of one cluster must fit each other."""
    module = tool.module if tool.module.startswith("kubernetes") else "kubernetes"
    minor = kubernetes_version(module).lstrip("v").rpartition(".")[0]
    base = Path(env.get("XDG_DATA_HOME") or Path(env.get("HOME", "~")).expanduser() / ".local" / "share")
    folders = (base / "kubebuilder-envtest" / "k8s").glob(f"{minor}.*")
    return os.pathsep.join(str(folder) for folder in sorted(folders, reverse=True))


def cache_folder(env: Mapping[str, str], tool: Tool) -> Path:
    """Return `<cache>/tweetbot/<module>-<hash>`: other versions or another processor get another folder."""
    digest = hashlib.sha256(platform.machine().encode())
    sources = [file for pattern in ("go.*", "*.go") for file in sorted((MODULES / tool.module).glob(pattern))]
    for file in sources:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return cache_root(env) / f"{tool.module}-{digest.hexdigest()[:12]}"


def cache_root(env: Mapping[str, str]) -> Path:
    """Return where what was built once is kept: `tweetbot` in the user's cache (XDG base directories)."""
    base = Path(env.get("XDG_CACHE_HOME") or Path(env.get("HOME", "~")).expanduser() / ".cache")
    return base / "tweetbot"


def _found(tool: Tool, env: Mapping[str, str]) -> Path:
    path = find(tool, env)
    if path is None:
        raise BuildFailed(f"{tool.name} was built but is not in {cache_folder(env, tool)}")
    return path


def _build_missing(tools: Sequence[Tool], env: Mapping[str, str], report: Report) -> None:
    if shutil.which("go", path=env.get("PATH")) is None:
        raise BuildFailed(
            "go is missing: install Go 1.26 or newer (https://go.dev/dl), or point KUBEBUILDER_ASSETS "
            "at a folder with etcd, kube-apiserver and the other programs"
        )
    cache_root(env).mkdir(parents=True, exist_ok=True)
    with _lock(cache_root(env) / ".lock", report):
        missing = [tool for tool in tools if find(tool, env) is None]
        if not missing:
            return
        names = ", ".join(tool.name for tool in missing)
        report(f"building {names} into {cache_root(env)}: once; all of them take 6 to 12 minutes on 2 cores")
        began = time.monotonic()
        for tool in missing:
            _build(tool, cache_folder(env, tool), env, report)
        report(f"built all in {time.monotonic() - began:.0f} s")


@contextmanager
def _lock(file: Path, report: Report) -> Iterator[None]:
    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("another process is building the programs; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(tool: Tool, folder: Path, env: Mapping[str, str], report: Report) -> None:
    folder.mkdir(exist_ok=True)
    partial = folder / f".{tool.name}.{os.getpid()}.partial"
    log = folder / f".{tool.name}.log"
    command = ["nice", "go", "build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false",
               "-ldflags", link_flags(tool), "-o", str(partial), tool.package]  # fmt: skip
    began = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=MODULES / tool.module, stdin=subprocess.DEVNULL, stderr=output, stdout=output,
            env={**env, "CGO_ENABLED": "0", "GOWORK": "off"},
        )  # fmt: skip
        try:
            _watch(process, tool, log, report)
        finally:
            process.terminate()
            process.wait()
    if process.returncode:
        partial.unlink(missing_ok=True)
        raise BuildFailed(f"go build of {tool.name} failed:\n" + "\n".join(log.read_text().splitlines()[-20:]))
    partial.replace(folder / tool.name)
    report(f"  {tool.name}: built in {time.monotonic() - began:.0f} s")


def _watch(process: subprocess.Popen[bytes], tool: Tool, log: Path, report: Report) -> None:
    """Say every few seconds how far the compiler is; it names each package as it comes to it."""
    began = time.monotonic()
    while True:
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            packages = log.read_bytes().count(b"\n")
            report(f"  {tool.name}: {packages} packages compiled, {time.monotonic() - began:.0f} s")
        else:
            return


def link_flags(tool: Tool) -> str:
    """Return the linker's flags: no symbols, and for Kubernetes the version that its servers announce."""
    if not tool.module.startswith("kubernetes"):
        return "-s -w"
    version = kubernetes_version(tool.module)
    major, minor = version.lstrip("v").split(".")[:2]
    stamp = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return "-s -w " + " ".join(f"-X {package}.{key}={value}" for package in packages for key, value in stamp.items())


def kubernetes_version(module: str = "kubernetes") -> str:
    """Return the version that a Go module pins, such as `v1.35.4`."""
    found = re.search(r"^\s*(?:require )?k8s\.io/kubernetes (v\S+)", (MODULES / module / "go.mod").read_text(), re.M)
    if found is None:
        raise BuildFailed(f"tests/cluster/go/{module}/go.mod names no version of k8s.io/kubernetes")
    return found[1]


def to_stderr(line: str) -> None:
    """Report on stderr, at once: stdout's last line belongs to the caller."""
    print(line, file=sys.stderr, flush=True)
