"""A shell as a person has it, with kubectl and helm on its PATH; what is typed and what is said is kept."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tweetbot_cluster.binaries import HELM, TOOLS, find_or_build, to_stderr

ROOT = Path(__file__).parents[2]


class CommandFailed(Exception):
    """A command ended with an error; the message has its words."""


class Terminal:
    """Runs commands from the repository's root, as the user of the kubeconfig; `transcript` grows by each.

    `variables` are for what no transcript should show.
    """

    def __init__(self, kubeconfig: Path, home: Path, transcript: Path, variables: Mapping[str, str]) -> None:
        programs = find_or_build(os.environ, to_stderr, (*TOOLS, HELM))
        folders = [str(programs[name].parent) for name in ("kubectl", "helm")]
        self.environment = {
            "PATH": ":".join([*folders, os.environ["PATH"]]),
            "HOME": str(home),
            "KUBECONFIG": str(kubeconfig),
            **variables,
        }
        self._transcript = transcript

    def __call__(self, command: str, *, input: str | None = None, check: bool = True, keep: bool = True) -> str:
        """Type a command, or several lines, and return what is said. With `check`, raises CommandFailed.

        `keep` is for the transcript: who asks again and again leaves it out.
        """
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=ROOT, env=self.environment, input=input, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False,
        )  # fmt: skip
        if keep:
            typed = f"{command.strip()} <<END\n{input.strip()}\nEND" if input else command.strip()
            self._write(f"$ {typed}\n{done.stdout.rstrip()}\n\n")
        if check and done.returncode:
            raise CommandFailed(f"{command}\n{done.stdout.strip()}")
        return done.stdout

    def say(self, remark: str) -> None:
        """Write a remark into the transcript, as a comment."""
        self._write(f"# {remark}\n")

    def _write(self, text: str) -> None:
        with self._transcript.open("a", encoding="utf-8") as file:
            file.write(text)


def shell_blocks(page: Path) -> list[str]:
    """Return what a page of the docs has its reader type, block by block."""
    return re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
