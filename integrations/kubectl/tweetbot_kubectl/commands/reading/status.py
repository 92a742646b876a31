"""`kubectl tweetbot status NAME`: why it is as it is, since when, what comes next, and all that runs for it."""

import argparse
from collections.abc import Iterator
from datetime import datetime

from tweetbot_contract.status import CurrentRun
from tweetbot_kubectl.cluster.objects import JobView, PodView
from tweetbot_kubectl.commands.command import PROGRAM, Command, Session, add_name
from tweetbot_kubectl.commands.reading.bot_report import BotReport, gather_report
from tweetbot_kubectl.commands.reading.list import TONES
from tweetbot_kubectl.failures import ExitCode
from tweetbot_kubectl.output.blocks import Block, Column, Heading, Table, Text, Tone, Tree, build_fields, shorten
from tweetbot_kubectl.output.costs import describe_costs
from tweetbot_kubectl.output.times import format_age

#: Characters of an Event's message that are shown; the document has all.
_EVENT_WIDTH = 160
_STATES: dict[str, Tone] = {"Complete": "good", "Succeeded": "good", "Failed": "bad", "Running": "busy"}


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Report on a TweetBot; the exit code is 1 if it is stalled or its run has failed."""
    report = gather_report(session, arguments.name)
    session.output.show(report, render_status(report, session.now()))
    return ExitCode.DONE if report.well else ExitCode.NOT_WELL


def render_status(report: BotReport, now: datetime) -> tuple[Block, ...]:
    """Return what a report shows."""
    since = f"{report.reason}, for {format_age(report.since, now)}" if report.since else report.reason
    tone: Tone = TONES.get(report.phase, "") if report.well else "bad"
    fields = build_fields(
        [
            ("name", Text(f"{report.namespace}/{report.name}", "strong")),
            ("phase", Text(report.phase, tone)),
            ("why", since),
            ("", report.message),
            ("next", _describe_next(report)),
            ("progress", _render_progress(report.run)),
            ("last trouble", _describe_trouble(report, now)),
            ("takes", describe_costs(report.run.estimate, report.run.actual) if report.run else None),
            ("model", _describe_model(report, now)),
            ("data", f"{report.data.kept} of {report.data.downloaded} posts kept" if report.data else None),
            ("forget", _describe_stale(report, now)),
        ]
    )
    unseen = tuple(Text(sentence, "faint") for sentence in report.unseen)
    return (fields, *_render_tree(report, now), *_render_events(report, now), *unseen)


def _describe_next(report: BotReport) -> str:
    said = report.advice.rstrip(".").rpartition(". ")[2] in report.message
    advice = "do what the message says." if said and report.actor != "nobody" else report.advice
    who = "" if report.actor == "nobody" else f"For {report.actor}: "
    scheduled = (
        f" The schedule starts the next run at {report.next_run_at:%Y-%m-%d %H:%M} UTC." if report.next_run_at else ""
    )
    shown = f" Try it: {PROGRAM} try {report.name}" if report.phase == "Succeeded" else ""
    return f"{who}{advice}{scheduled}{shown}"


def _render_progress(run_: CurrentRun | None) -> Text | None:
    progress = run_.progress if run_ and run_.outcome is None else None
    if progress is None:
        return None
    if progress.percent is None:
        return Text(f"{progress.posts} posts read") if progress.posts is not None else None
    details = (
        f"{progress.percent}%",
        f"{progress.eta} left" if progress.eta else "",
        _describe_loss(progress.train_loss),
    )
    return Text(", ".join(filter(None, details)), "busy", percent=progress.percent)


def _describe_loss(loss: float | None) -> str:
    return "" if loss is None else f"loss {loss:.3f}"


def _describe_trouble(report: BotReport, now: datetime) -> str | None:
    trouble = report.run.last_trouble if report.run else None
    if trouble is None or trouble.message in report.message:
        return None
    when = format_age(datetime.fromisoformat(trouble.at.replace("Z", "+00:00")), now)
    return f"{trouble.reason} in attempt {trouble.attempt} of {trouble.stage}, {when} ago: {trouble.message}"


def _describe_model(report: BotReport, now: datetime) -> str | None:
    if report.model is None:
        return None
    published = datetime.fromisoformat(report.model.published_at.replace("Z", "+00:00"))
    figures = f", {report.metrics.bits_per_byte:.3f} bits per byte" if report.metrics else ""
    pinned = ", pinned" if report.pinned == report.model.version else ""
    return f"{report.model.version}, published {format_age(published, now)} ago{figures}{pinned}"


def _describe_stale(report: BotReport, now: datetime) -> Text | None:
    if report.stale is None:
        return None
    until = report.stale.until
    left = f"{format_age(now, until)} left" if now < until else f"overdue for {format_age(until, now)}"
    return Text(f"{left}. {report.stale.message}", "bad" if now >= until else "")


def _render_tree(report: BotReport, now: datetime) -> tuple[Block, ...]:
    run_ = report.run
    if run_ is None:
        return ()
    how = run_.outcome or f"{run_.stage}, attempt {run_.attempt}"
    jobs = tuple(_render_job(job, report.pods, now) for job in report.jobs)
    return (Text(""), Tree(Text(f"Run {run_.number} ({run_.id}): {how}", "strong"), jobs))


def _render_job(job: JobView, pods: tuple[PodView, ...], now: datetime) -> Tree:
    why = f" ({job.reason})" if job.reason and job.state == "Failed" else ""
    label = f"Job {job.name}: {job.state}{why}, {format_age(job.created_at, now)} old"
    mine = (pod for pod in pods if pod.job == job.name)
    return Tree(Text(label, _STATES.get(job.state, "")), tuple(Tree(_render_pod(pod, now)) for pod in mine))


def _render_pod(pod: PodView, now: datetime) -> Text:
    code = f", exit code {pod.exit_code}" if pod.exit_code else ""
    why = f" ({pod.reason}{code})" if pod.reason and pod.phase != "Succeeded" else ""
    node = f" on {pod.node}" if pod.node else ""
    return Text(
        f"Pod {pod.name}: {pod.phase}{why}{node}, {format_age(pod.created_at, now)} old", _STATES.get(pod.phase, "")
    )


def _render_events(report: BotReport, now: datetime) -> tuple[Block, ...]:
    if not report.events:
        return ()
    columns = (*map(Column, ("age", "object", "reason")), Column("message", wraps=True))
    return (Heading("Events"), Table(columns, tuple(_list_event_cells(report, now))))


def _list_event_cells(report: BotReport, now: datetime) -> Iterator[tuple[Text, ...]]:
    for event in report.events:
        times = f" (x{event.count})" if event.count > 1 else ""
        tone: Tone = "bad" if event.type == "Warning" else ""
        yield (
            Text(format_age(event.at, now), "faint"),
            Text(f"{event.kind}/{event.name}"),
            Text(event.reason, tone),
            Text(f"{shorten(event.message, _EVENT_WIDTH)}{times}"),
        )


STATUS = Command(
    "status",
    "say why a TweetBot is as it is, since when, and what comes next",
    run,
    add_name,
    "Shows its run, Jobs, Pods and newest Events. The exit code is 1 if it is stalled or its run has failed.",
)
