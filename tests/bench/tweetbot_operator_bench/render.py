"""JSON of a run → the table in docs/benchmarks.md: `python -m tweetbot_operator_bench.render RUN.json PAGE.md`."""

from collections.abc import Callable, Mapping
from typing import Any

from bench_page import render_page

Level = Mapping[str, Any]
#: Row -> its figure of a level.
ROWS: dict[str, Callable[[Level], object]] = {
    "at 10/s: apply to Job, p50 / p99, ms": lambda one: _format_percentiles(one["ten_a_second"]),
    "all at once: TweetBots": lambda one: f"{one['at_once']['objects']:,}",
    "all at once: apply to Job, p50 / p99, ms": lambda one: _format_percentiles(one["at_once"]),
    "all at once: Jobs/s": lambda one: one["at_once"]["jobs_per_second"],
    "all at once: share of a bare client's rate": lambda one: f"{one['at_once']['share_of_bare_client']:.0%}",
    "all at once: operator CPU, s": lambda one: one["at_once"]["cpu_seconds"],
    "all at once: operator memory, MiB": lambda one: one["at_once"]["rss_mib"],
    "a neighbour at 2/s meanwhile: p50 / p95, ms": lambda one: _format_neighbour(one, "tweetbots"),
    "times as long as before: p50 / p95": lambda one: _format_times(one, "tweetbots", "beside_burst"),
    "once the burst is applied": lambda one: _format_times(one, "tweetbots", "once_applied"),
    "a bare client at 2/s meanwhile: p50 / p95, ms": lambda one: _format_neighbour(one, "bare_jobs"),
    "its times as long: p50 / p95": lambda one: _format_times(one, "bare_jobs", "beside_burst"),
    "runs/s to their end": lambda one: one["runs"]["runs_per_second"],
    "operator CPU a run, ms": lambda one: one["runs"]["cpu_ms_a_run"],
    "operator writes per run": lambda one: one["runs"]["writes_a_run"],
    "restart: s to the first Job": lambda one: one["restart"]["seconds_to_first_job"],
    "restart: s to quiet": lambda one: one["restart"]["seconds_to_quiet"],
    "at rest after a restart, MiB (highest)": lambda one: _format_memory(one["restart"]),
}
#: Figure of the comparison with a class -> its row.
_CLASS_ROWS = {
    "at_10_a_second_p50_ms": "at 10/s: apply to Job, p50, ms",
    "burst_jobs_per_second": "200 at once: Jobs/s",
    "burst_cpu_seconds": "200 at once: operator CPU, s",
    "cpu_ms_a_run": "operator CPU a run, ms",
    "rss_mib": "operator memory, MiB",
}


def render_section(run: Mapping[str, Any]) -> str:
    """Render the section."""
    levels, bare = run["levels"], run["bare_client"]
    heads = " | ".join(f"{one['size']:,}" for one in levels)
    lines = [
        f"Measured {run['date']} at commit {run['commit']}: {run['machine']}, {run['seconds']} s in all.",
        "",
        f"A bare client meanwhile creates {bare['at_once']['jobs_per_second']:.0f} Jobs/s, and at 10/s sees each after "
        f"{_format_percentiles(bare['ten_a_second'])} ms (p50 / p99).",
        "",
        f"| TweetBots | {heads} |",
        "| --- |" + " ---: |" * len(levels),
        *(f"| {name} | " + " | ".join(str(figure(one)) for one in levels) + " |" for name, figure in ROWS.items()),
        "",
        *_render_requests(levels[-1]),
        "",
        *_render_class(run["class"]),
        "",
        *_render_fleet(run),
    ]
    return "\n".join(lines)


def _render_requests(level: Level) -> list[str]:
    counts = level["runs"]["requests_a_run"]
    lines = [f"| {kind} | {count} |" for kind, count in counts.items() if count >= 0.01]
    return [f"Requests a run, by the API server's audit log, at {level['size']:,}:", "", "| request | a run |",
            "| --- | ---: |", *lines]  # fmt: skip


def _render_class(compared: Mapping[str, Mapping[str, float]]) -> list[str]:
    lines = [
        f"| {_CLASS_ROWS[name]} | {one['without']} | {one['with']} | {one['times']} |" for name, one in compared.items()
    ]
    return ["With a class that has every part and a budget, in turn with none, at the largest size:", "",
            "| | without | with | times |", "| --- | ---: | ---: | ---: |", *lines]  # fmt: skip


def _render_fleet(run: Mapping[str, Any]) -> list[str]:
    idle, reporting, failover = run["idle"], run["reporters"], run["failover"]
    return [
        f"- **At rest**, {idle['held']:,} TweetBots for {idle['seconds']:.0f} s: {idle['writes']} writes, "
        f"{idle['cpu_seconds']} s of CPU, {idle['rss_mib']} MiB.",
        f"- **Progress**, {reporting['reporters']:,} trainings: {reporting['accepted_per_second']} reports per second, "
        f"{reporting['status_writes']} status writes, {reporting['cpu_share_of_a_core']:.0%} of a core"
        f"{_format_commit(reporting)}.",
        f"- **Failover**, two replicas and {failover['held']:,} TweetBots: the next Job comes "
        f"{failover['seconds_after_a_kill']} s after the leader is killed, {failover['seconds_after_sigterm']} s after "
        f"it is told to end; a standby holds {failover['standby_rss_mib']} MiB{_format_commit(failover)}.",
    ]


def _format_commit(figures: Mapping[str, object]) -> str:
    """Name the commit of figures that an earlier run measured."""
    return f", measured at {figures['commit']}" if "commit" in figures else ""


def _format_percentiles(figures: Mapping[str, float] | None) -> str:
    return f"{figures['p50_ms']:,} / {figures['p99_ms']:,}" if figures else "–"


def _format_neighbour(level: Level, kind: str) -> str:
    found = level["at_once"].get("neighbour", {}).get(kind)
    return f"{found['beside_burst']['p50_ms']:,} / {found['beside_burst']['p95_ms']:,}" if found else "–"


def _format_times(level: Level, kind: str, phase: str) -> str:
    found = level["at_once"].get("neighbour", {}).get(kind)
    return f"{found[phase]['p50_times']} / {found[phase]['p95_times']}" if found else "–"


def _format_memory(restart: Mapping[str, float]) -> str:
    return f"{restart['rss_mib']} ({restart['peak_rss_mib']})"


if __name__ == "__main__":
    render_page("operator", render_section)
