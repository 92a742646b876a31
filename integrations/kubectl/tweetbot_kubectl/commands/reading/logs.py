"""`kubectl tweetbot logs NAME`: what the trainer wrote, of both stages and of earlier attempts."""

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tweetbot_contract.manifest import BaseTweetBot
from tweetbot_kubectl.cluster.objects import PodView
from tweetbot_kubectl.commands.command import Command, Session, add_name
from tweetbot_kubectl.failures import ExitCode, NotFound
from tweetbot_kubectl.output.blocks import Text, Tone

#: Values of the label, in the order of a run.
STAGES = ("prepare", "train")
#: Seconds between two looks for the next Pod.
_POLL_SECONDS = 1.0
_TONES: dict[str, Tone] = {"warning": "busy", "error": "bad"}
#: Fields of a line that are shown otherwise, or say what the reader knows.
_HIDDEN = frozenset({"time", "level", "event", "namespace", "name", "stage"})


@dataclass(frozen=True, slots=True)
class Choice:
    """Which logs to show: of a run, its id or the beginning of it, and of these stages."""

    run_id: str
    stages: tuple[str, ...] = STAGES
    previous: bool = False


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Print the logs of a run; with -f, what it goes on to write until it ends."""
    bot = session.cluster.get_bot(session.namespace, arguments.name)
    stages = (arguments.stage,) if arguments.stage else STAGES
    choice = Choice(find_run(bot, arguments.run), stages, arguments.previous)
    if arguments.follow:
        _follow(session, bot.name, choice)
        return ExitCode.DONE
    pods = choose_pods(session.cluster.list_pods(session.namespace, bot.name), choice)
    if not pods:
        raise NotFound(_explain_absence(bot, choice))
    for pod in pods:
        _print_log(session, pod)
    return ExitCode.DONE


def find_run(bot: BaseTweetBot, asked: str | None) -> str:
    """Return the id of the run that was asked for, by its number or the beginning of its id; else of the current one.

    Raises NotFound, which lists the runs that there are.
    """
    current = bot.status.current_run
    known = {str(each.number): each.id for each in reversed(bot.status.runs)} | (
        {str(current.number): current.id} if current else {}
    )
    if asked is None:
        if current is None:
            raise NotFound(f'TweetBot "{bot.name}" has not begun a run yet.')
        return current.id
    matches = [id_ for number, id_ in known.items() if asked == number or id_.startswith(asked)]
    if not matches:
        runs = ", ".join(f"{number} ({id_})" for number, id_ in known.items())
        raise NotFound(f'TweetBot "{bot.name}" has no run {asked}; it has {runs or "none"}.')
    return matches[-1]


def choose_pods(pods: Iterable[PodView], choice: Choice) -> tuple[PodView, ...]:
    """Return the last Pod of each stage, or with `previous` the one before it. `pods` has the oldest first."""
    chosen: list[PodView] = []
    for stage in choice.stages:
        mine = [pod for pod in pods if _belongs(pod, choice) and pod.stage == stage]
        chosen += mine[-2:-1] if choice.previous else mine[-1:]
    return tuple(chosen)


def _belongs(pod: PodView, choice: Choice) -> bool:
    return pod.run_id == choice.run_id and pod.stage in choice.stages


def _explain_absence(bot: BaseTweetBot, choice: Choice) -> str:
    if choice.previous:
        return "No stage of this run has had an earlier attempt whose Pod is still there."
    current = bot.status.current_run
    trouble = current.last_trouble if current and current.id == choice.run_id else None
    kept = f" The status keeps what went wrong last: {trouble.message}" if trouble else ""
    return f"Run {choice.run_id} has no Pods: it waits, or its Jobs were deleted some time after they ended.{kept}"


def _follow(session: Session, name: str, choice: Choice) -> None:
    """Print the log of one Pod after the other, until the run has ended and its last Pod was read."""
    seen: set[str] = set()
    said = ""
    while True:
        bot = session.cluster.get_bot(session.namespace, name)
        pods = session.cluster.list_pods(session.namespace, name)
        left = [pod for pod in pods if _belongs(pod, choice) and pod.started and pod.name not in seen]
        if not seen:
            left = [pod for pod in left if pod in choose_pods(left, choice)]
            seen.update(pod.name for pod in pods if pod.started and pod not in left)
        for pod in left:
            seen.add(pod.name)
            _print_log(session, pod, follow=True)
        if not left:
            if _has_ended(bot, choice.run_id):
                return
            said = _say_wait(session, bot, said)
            session.sleep(_POLL_SECONDS)


def _say_wait(session: Session, bot: BaseTweetBot, said: str) -> str:
    """Note what is waited for, unless that was said last; return what is said now."""
    progressing = bot.status.find_condition("Progressing")
    message = progressing.message if progressing else "Waiting for the operator."
    if message != said:
        session.output.note(f"No further Pod has started. {message}")
    return message


def _has_ended(bot: BaseTweetBot, run_id: str) -> bool:
    current = bot.status.current_run
    return current is None or current.id != run_id or current.outcome is not None


def _print_log(session: Session, pod: PodView, *, follow: bool = False) -> None:
    session.output.note(f"==> {pod.stage}, Pod {pod.name} <==")
    if not pod.started:
        session.output.note(f"It has not started: {pod.reason or pod.phase}.")
        return
    try:
        _print_lines(session, session.cluster.stream_log(session.namespace, pod.name, follow=follow))
    except NotFound:
        session.output.note("It is gone, and its log with it.")


def _print_lines(session: Session, lines: Iterator[str]) -> None:
    for line in lines:
        if session.output.terminal and session.output.form != "json":
            session.output.show_blocks((format_line(line),))
        else:
            session.output.print_line(line)


def format_line(line: str) -> Text:
    """Return a line of the log for reading: time, event and fields."""
    try:
        fields = json.loads(line)
        time, event = fields["time"][11:19], fields["event"]
    except (ValueError, TypeError, KeyError):
        return Text(line)
    details = " ".join(f"{name}={value}" for name, value in fields.items() if name not in _HIDDEN)
    return Text(f"{time}  {event}  {details}", _TONES.get(fields.get("level"), ""))


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_name(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the run ends, also into the next Pods")
    parser.add_argument("--stage", choices=STAGES, help="only this stage (default: both)")
    parser.add_argument("--previous", action="store_true", help="the attempt before the last one")
    parser.add_argument("--run", metavar="RUN", help="number or id of another run (default: the current one)")


LOGS = Command(
    "logs",
    "print what the trainer wrote",
    run,
    _add_arguments,
    "In pipes, and with -o json, the lines are as they were written: one JSON object each.",
)
