"""The operator as a process of a test's own, and images whose trainer answers at once, by the TweetBot's handle."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from builders.operator import (
    a_pin_result,
    a_prepare_result,
    a_published_version,
    a_refusal_of_the_trainer,
    a_train_result,
)
from harness import hasty_operator
from harness.forked_operator import ForkedOperator
from tweetbot_cluster.state import free_ports
from tweetbot_contract.result import TrainerResult, encode

#: Everything that waits for minutes in production waits for seconds here.
SHORT: dict[str, float] = {
    "POD_START_GRACE_SECONDS": 4,
    "STALLED_SECONDS": 2,
    "RETRY_SECONDS": 1,
    "SCHEDULE_SPREAD_SECONDS": 0,
    "ORPHAN_LOOK_SECONDS": 2,
    "ORPHAN_PATIENCE_SECONDS": 10,
    "ORPHAN_GRACE_SECONDS": 12,
}
#: A small machine, and a loopback that stands for the internet.
SMALL = {
    "TWEETBOT_PREPARE_CPU": "50m",
    "TWEETBOT_PREPARE_MEMORY": "64Mi",
    "TWEETBOT_ALLOWED_NETWORKS": "127.0.0.0/8",  # S3 and the fakes are there
}
#: Seconds that the operator's own server may take to answer on a machine that is busy with other tests.
_PATIENCE = 60
#: The program itself, and with a test's constants.
PROGRAM, HASTY_PROGRAM = ("-m", "tweetbot_operator"), ("-m", "harness.hasty_operator")
_TESTS = Path(__file__).parents[1]
#: What a process needs of ours; a proxy's variables would lead its requests away from the loopback.
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
_TRAINER = """#!/bin/sh
# Answers by the handle in the run document: "<mood>_<anything>"; the stage is the first argument.
mood=${TWEETBOT_RUN#*'"handle":"'}; mood=${mood%%_*}
say() { cp "$(dirname "$0")/$1.json" "$TWEETBOT_TERMINATION_LOG"; }
stay() { sleep 600 & trap 'kill $!; exit 143' TERM; wait; }
[ "$1" = cleanup ] && mood=cleanup_$mood
case "$mood" in
cleanup_stuck) say refused; exit 10 ;;
cleanup_*) exit 0 ;;
nothing) case "$TWEETBOT_RUN" in *'"trigger":"schedule/'*) say nothing ;; *) say "$1" ;; esac ;;
slow) stay ;;
training) [ "$1" = prepare ] || stay; say prepare ;;
refused) say refused; exit 10 ;;
busy) say busy; exit 75 ;;
mute) exit 0 ;;
adopting) say adopted ;;
versions) case "$1 $TWEETBOT_RUN" in
  pin*'"pin":{"version":""'*) say unpinned ;;
  pin*'"pin":{"version":"1111'*) say pinned ;;
  pin*) say missing; exit 10 ;;
  prepare*'"runNumber":5,'*) say reverted ;;
  train*'"epochs":2'*) say edited ;;
  train*'"pin":{'*) say beside ;;
  train*'"trigger":"schedule/'*) say worse ;;
  train*) say first ;;
  *) say "$1" ;;
  esac ;;
*) say "$1" ;;
esac
"""


def write_trainer(folder: Path) -> Path:
    """Put a `tweetbot-trainer` into the folder and return the folder: an image for the process node."""
    folder.mkdir(parents=True, exist_ok=True)
    first = a_published_version("1" * 16)
    answers: dict[str, TrainerResult] = {
        "prepare": a_prepare_result(),
        "train": a_train_result(),
        "adopted": a_prepare_result(adopted=a_train_result()),
        "nothing": a_prepare_result().model_copy(update={"new_posts": 3}),
        "refused": a_refusal_of_the_trainer(),
        "busy": a_refusal_of_the_trainer("StorageUnavailable", "S3 does not answer"),
        "first": first,
        "worse": a_published_version("2" * 16),
        "beside": a_published_version("3" * 16, pinned="1" * 16),
        "edited": a_published_version("4" * 16),
        "reverted": a_prepare_result(adopted=first),
        "pinned": a_pin_result("1" * 16, newest="2" * 16),
        "unpinned": a_pin_result("3" * 16, newest="3" * 16),
        "missing": a_refusal_of_the_trainer("PinnedVersionNotFound", "spec.pin: there is no such version"),
    }
    for name, answer in answers.items():
        (folder / f"{name}.json").write_bytes(encode(answer))
    program = folder / "tweetbot-trainer"
    program.write_text(_TRAINER)
    program.chmod(0o755)
    return folder


class OperatorProcess:
    """The operator, forked, or a `program`; as a context manager it is ready inside, and ended by SIGTERM after.

    `constants` of its modules have other values; the program itself knows none of them.
    """

    def __init__(
        self,
        kubeconfig: Path,
        log: Path,
        env: Mapping[str, str] | None = None,
        *,
        constants: Mapping[str, float] | None = None,
        program: Sequence[str] = (),
    ) -> None:
        (self.port,) = free_ports(1)
        self.log, self._program = log, program
        self._env = {name: os.environ[name] for name in _KEPT if name in os.environ}
        own = {"KUBECONFIG": str(kubeconfig), "TWEETBOT_HTTP_HOST": "127.0.0.1", "TWEETBOT_HTTP_PORT": str(self.port)}
        changed = {"PYTHONPATH": str(_TESTS), hasty_operator.VARIABLE: json.dumps(SHORT | dict(constants or {}))}
        self._env |= own | changed | SMALL | dict(env or {})
        self._process: subprocess.Popen[bytes] | ForkedOperator | None = None

    def start(self) -> Self:
        """Start it and wait until it is ready. Raises RuntimeError if it ends instead."""
        self._process = self._begin()
        until(lambda: self.answer("/readyz") == 200 or not self.alive, 120)
        if not self.alive:
            raise RuntimeError(f"the operator ended at once: {self.log.read_text()[-2000:]}")
        return self

    def _begin(self) -> subprocess.Popen[bytes] | ForkedOperator:
        if not self._program:
            return ForkedOperator(self._env, self.log)
        with self.log.open("ab") as log:
            return subprocess.Popen([sys.executable, *self._program], env=self._env, stderr=log, stdout=log)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def answer(self, path: str) -> int:
        """Return the HTTP status of its own server, 0 if there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=_PATIENCE) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def metrics(self) -> str:
        """Return what Prometheus would read."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=_PATIENCE) as answer:
            return str(answer.read().decode())

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(60)

    @property
    def leads(self) -> bool:
        """Whether it is the replica that acts; one that is stopped or gone does not say so."""
        try:
            return "tweetbot_leader 1.0" in self.metrics()
        except OSError:
            return False

    def pause(self) -> None:
        """Stop it in the middle of whatever it does."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on as if no time had passed."""
        if self._process:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """End it in good order; answers its exit code."""
        if self._process is None:
            return 0
        self.resume()
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(120)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def until(holds: Callable[[], bool], seconds: float, *, pause: float = 0.1) -> None:
    """Wait until something holds, asked for every `pause` seconds. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(pause)


def audited(audit_log: Path) -> list[dict[str, Any]]:
    """Return an API server's requests; the last line may be half written."""
    return [json.loads(line) for line in audit_log.read_text().rpartition("\n")[0].splitlines()]


def writes_of(audit_log: Path, namespace: str) -> list[str]:
    """Return the operator's writes to a namespace that took effect, as `verb resource`, in order."""
    lines = filter(_took_effect, audited(audit_log))
    mine = [line for line in lines if line["user"]["username"] == "tweetbot-operator" and "objectRef" in line]
    return [
        f"{line['verb']} {_resource(line['objectRef'])}"
        for line in mine
        if line["verb"] not in ("get", "list", "watch")
        and line["objectRef"].get("namespace") == namespace
        and line.get("responseStatus", {}).get("code", 500) < 400
    ]


def jobs_made(audit_log: Path, namespace: str) -> dict[str, list[str]]:
    """Return the stages of all Jobs that ever were in a namespace, by TweetBot: the audit log forgets nothing.

    A Job counts by any answer that shows it: its creation is answered by an error where the operator is killed before
    the API server has written what it then does keep.
    """
    seen: dict[str, dict[str, str]] = {}
    for line in filter(_took_effect, audited(audit_log)):
        about, shown = line.get("objectRef", {}), line.get("responseObject", {})
        if (about.get("resource"), about.get("namespace"), shown.get("kind")) == ("jobs", namespace, "Job"):
            seen.setdefault(shown["metadata"]["uid"], shown["metadata"]["labels"])
    made: dict[str, list[str]] = {}
    for labels in seen.values():
        made.setdefault(labels["tweetbot.dev/bot"], []).append(labels["tweetbot.dev/stage"])
    return made


def _took_effect(line: dict[str, Any]) -> bool:
    """Whether it was no dry run."""
    return "dryRun=" not in line["requestURI"]


def timeless(value: Any) -> Any:
    """Leave out what differs between any two runs."""
    own = {"uid", "lastTransitionTime", "since", "startedAt", "finishedAt", "ranSeconds", "countedPods"}
    own |= {"minutes", "minutesLeast", "minutesMost"}
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in own}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def _resource(reference: Mapping[str, str]) -> str:
    return "/".join(filter(None, (reference["resource"], reference.get("subresource"))))
