"""The playground of a published model: its Pod, the forwarded port, and their end."""

import argparse
import os
import secrets
import shutil
import sys
import time
import webbrowser
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

from tweetbot_contract.manifest import TweetBot
from tweetbot_kubectl.cluster.port_forward import ForwardFailed, PortForward
from tweetbot_kubectl.commands.acting.doctor_looks import Looks
from tweetbot_kubectl.commands.acting.pod_state import PodState, read_pod_state
from tweetbot_kubectl.commands.acting.pods import find_settings, interrupt_on_signals, name_pod, run_pod
from tweetbot_kubectl.commands.acting.whole_bot import get_whole_bot
from tweetbot_kubectl.commands.command import Session
from tweetbot_kubectl.failures import CommandFailed, ExitCode, require_model
from tweetbot_kubectl.manifests.own_pods import Playground, build_playground_pod
from tweetbot_kubectl.output.blocks import Block, Text

#: Seconds between two looks at the Pod, while it starts and while it serves.
_STARTING_POLL, _SERVING_POLL = 1.0, 3.0
#: Seconds that a request to the page may take before the server counts as not ready.
_ANSWER_SECONDS = 5.0
#: Ports of the Pod to choose from: where all Pods share one loopback, two playgrounds must not meet.
_FIRST_PORT, _PORTS = 20000, 10000
#: Lines of the log that say why a server ended.
_LOG_LINES = 3


@dataclass(frozen=True, slots=True)
class Served:
    """A page that is being served."""

    namespace: str
    name: str
    version: str
    pod: str
    url: str
    """With the token, without which the page answers nobody."""
    idle_seconds: int
    limit_seconds: int


@dataclass(frozen=True, slots=True)
class Trial:
    """One playground, from its Pod to the local port."""

    session: Session
    wanted: Playground
    namespace: str
    forward: PortForward
    wait_seconds: float

    def read_state(self) -> PodState:
        """Return how the Pod is; one that is gone has ended."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{self.wanted.name}"
        found = Looks(self.session.cluster.requests, self.namespace).read(path)
        if found.problem == "missing":
            return PodState("somebody deleted the Pod", ended=True)
        if found.problem == "unreachable":  # it serves on
            return PodState("the API server does not answer", running=True)
        return read_pod_state(found.document)


def run_playground(arguments: argparse.Namespace, session: Session) -> int:
    """Serve the model until Ctrl-C, until nobody has used it for a while, or until its time is over."""
    _, bot = get_whole_bot(session, arguments.name)
    model = require_model(bot.name, bot.status.model)
    kubectl = _find_kubectl(arguments, bot.namespace)
    settings = find_settings(bot, Looks(session.cluster.requests, bot.namespace), arguments.image)
    wanted = _build_wish(bot, arguments)
    forward = PortForward([*kubectl, f"pod/{wanted.name}"], wanted.port, arguments.port)
    trial = Trial(session, wanted, bot.namespace, forward, arguments.start_timeout)
    pod = build_playground_pod(bot, wanted, settings)
    with interrupt_on_signals(), run_pod(session.cluster.requests, pod):
        session.output.note(f"Created Pod {wanted.name}, which serves {model.version}.")
        try:
            serve_page(trial, bot, open_browser=not arguments.no_browser)
        except KeyboardInterrupt:
            session.output.note("")
        finally:
            forward.stop()
            session.output.note(f"Deleting Pod {wanted.name}.")
    return ExitCode.DONE


def _find_kubectl(arguments: argparse.Namespace, namespace: str) -> list[str]:
    program = shutil.which("kubectl")
    if program is None:
        raise CommandFailed("There is no kubectl on PATH, which forwards the page's port: install it.")
    given = (("--kubeconfig", arguments.kubeconfig), ("--context", arguments.context), ("--namespace", namespace))
    flags = [word for flag, value in given if value for word in (flag, value)]
    return [program, *flags, "port-forward", "--address", "127.0.0.1"]


def _build_wish(bot: TweetBot, arguments: argparse.Namespace) -> Playground:
    return Playground(
        name=name_pod(bot, "playground"),
        port=_FIRST_PORT + secrets.randbelow(_PORTS),
        token=secrets.token_urlsafe(24),
        idle_seconds=int(arguments.idle),
        limit_seconds=int(arguments.limit),
        cpu=arguments.cpu,
        memory=arguments.memory or "",
    )


def serve_page(trial: Trial, bot: TweetBot, *, open_browser: bool) -> None:
    """Wait for the page, show where it is, and stay until its Pod ends. Raises CommandFailed if it ends by a fault."""
    port = wait_for_page(trial)
    wanted, output = trial.wanted, trial.session.output
    url = f"http://127.0.0.1:{port}/?token={wanted.token}"
    version = bot.status.model.version if bot.status.model else ""
    served = Served(bot.namespace, bot.name, version, wanted.name, url, wanted.idle_seconds, wanted.limit_seconds)
    output.show(served, _render(served))
    with TemporaryDirectory(prefix="tweetbot-") as folder:  # which nobody else may read
        if open_browser and has_browser(os.environ):
            webbrowser.open(write_way(Path(folder), url).as_uri())
        stay(trial)


def has_browser(env: Mapping[str, str]) -> bool:
    """Tell whether there may be a browser with windows; one of text would take the terminal."""
    return sys.platform == "darwin" or any(env.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))


def write_way(folder: Path, url: str) -> Path:
    """Write a page that leads to the address: on the browser's command line everybody here could read the token."""
    page = folder / "open.html"
    page.write_text(f'<!doctype html><meta http-equiv="refresh" content="0; url={url}">', encoding="utf-8")
    return page


def wait_for_page(trial: Trial) -> int:
    """Wait until the page answers on a local port, and return the port. Raises CommandFailed."""
    said, deadline = "", time.monotonic() + trial.wait_seconds
    while time.monotonic() < deadline:
        state = trial.read_state()
        if state.ended:
            raise CommandFailed(f"The playground did not start: {explain_end(trial, state)}")
        if state.sentence != said:
            trial.session.output.note(f"  {state.sentence}")
            said = state.sentence
        if state.running and (port := _try_page(trial.forward)):
            return port
        trial.session.sleep(_STARTING_POLL)
    raise CommandFailed(f"The playground did not start within {trial.wait_seconds:.0f} s: {said}.")


def _try_page(forward: PortForward) -> int | None:
    """Return the local port if the page answers there; kubectl is started again if the last try ended it."""
    try:
        port = forward.local_port if forward.alive else forward.start()
        connection = HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS)  # by no proxy
        with closing(connection):
            connection.request("GET", "/healthz")
            connection.getresponse()
    except (OSError, HTTPException, ForwardFailed):
        return None
    return port


def stay(trial: Trial) -> None:
    """Stay until the Pod ends, and keep its port forwarded. Raises CommandFailed if it ends by a fault."""
    while not (state := trial.read_state()).ended:
        if not trial.forward.alive:
            _try_page(trial.forward)
        trial.session.sleep(_SERVING_POLL)
    if state.exit_code:
        raise CommandFailed(f"The playground ended: {explain_end(trial, state)}")
    trial.session.output.note("Nobody used the page for a while, or its time was over.")


def explain_end(trial: Trial, state: PodState) -> str:
    """Return why a Pod ended, with the last lines of its log if it may be read."""
    try:
        lines = [*trial.session.cluster.stream_log(trial.namespace, trial.wanted.name)]
    except CommandFailed:
        lines = []
    said = " ".join(line for line in lines[-_LOG_LINES:] if line.strip())
    return f"{state.sentence}. {said}".strip()


def _render(served: Served) -> tuple[Block, ...]:
    idle = f"{served.idle_seconds // 60} minutes" if served.idle_seconds >= 120 else f"{served.idle_seconds} seconds"
    return (
        Text(f"{served.name} {served.version} is at {served.url}", "good"),
        Text(f"Ctrl-C ends it; so do {idle} without a visit. Who may read Pods here sees its token.", "faint"),
    )
