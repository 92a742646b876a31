"""Runs an image as a strict cluster would, by buildah and runc: any user, read-only root, no capability, no network."""

import json
import secrets
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: As OpenShift hands them out: no entry of any passwd has it.
ANY_USER = 1000770000
Json = dict[str, Any]


def output(*command: str) -> str:
    """Return what a command prints. Raises subprocess.CalledProcessError."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class Image:
    """An image whose file system is mounted at `root`, with its configuration as OCI writes it."""

    root: Path
    config: Json
    layers: int

    @contextmanager
    def running(
        self,
        bundle: Path,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        mounts: Mapping[str, Path] | None = None,
    ) -> Iterator["Process"]:
        """Start the image's program, or another whole command after `--`; it is gone after the block."""
        command = arguments[1:] if arguments[:1] == ("--",) else (*self.config["Entrypoint"], *arguments)
        variables = [*self.config["Env"], *(f"{name}={value}" for name, value in (env or {}).items())]
        bundle.mkdir(parents=True)
        (bundle / "config.json").write_text(json.dumps(specification(self.root, command, variables, mounts or {})))
        name = f"tweetbot-{secrets.token_hex(6)}"
        log = bundle / "log"
        with log.open("wb") as target:
            process = subprocess.Popen(("runc", "run", "--bundle", str(bundle), name), stdout=target, stderr=target)
        try:
            yield Process(name, process, log)
        finally:
            subprocess.run(("runc", "delete", "--force", name), check=False, capture_output=True)
            process.wait(30)

    def run(self, bundle: Path, *arguments: str, seconds: float = 300, **more: Any) -> tuple[int, str]:
        """Run it to its end and return exit code and output. Raises subprocess.TimeoutExpired."""
        with self.running(bundle, *arguments, **more) as process:
            code = process.wait(seconds)
            return code, process.said()


@dataclass(frozen=True)
class Process:
    """A container's first process."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """Return what it wrote so far."""
        return self.log.read_text(errors="replace")

    def ask_to_end(self) -> None:
        """Send it SIGTERM, which reaches PID 1 only where it has a handler."""
        output("runc", "kill", self.name, signal.SIGTERM.name)

    def wait(self, seconds: float) -> int:
        """Return its exit code. Raises subprocess.TimeoutExpired."""
        return self.process.wait(seconds)


@contextmanager
def mounted(name: str) -> Iterator[Image]:
    """Mount an image for the time of the block."""
    container = output("buildah", "from", "--pull-never", name).strip()
    try:
        found = json.loads(output("buildah", "inspect", "--type", "image", name))["OCIv1"]
        root = Path(output("buildah", "mount", container).strip())
        yield Image(root, found["config"], len(found["rootfs"]["diff_ids"]))
    finally:
        output("buildah", "rm", container)


def specification(root: Path, command: Sequence[str], env: Sequence[str], mounts: Mapping[str, Path]) -> Json:
    """Return runc's configuration."""
    temporary = {"type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "mode=1777", "size=2g"]}
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": ANY_USER, "gid": 0},
            "args": list(command),
            "env": list(env),
            "cwd": "/",
            "noNewPrivileges": True,
        },
        "root": {"path": str(root), "readonly": True},
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]},
            {"destination": "/dev/shm", **temporary},
            {"destination": "/tmp", **temporary},
            *(
                {"destination": place, "type": "bind", "source": str(source), "options": ["rbind", "ro"]}
                for place, source in mounts.items()
            ),
        ],
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")]},
    }
