"""Draws the Grafana dashboard for the docs: python -m tweetbot_demo.dashboard_picture PROMETHEUS [MINUTES] [END]

Panels, queries and legends are those of dashboard.json, and a real Prometheus that scrapes an operator answers them.
The drawing is ours, laid out as Grafana does it: Grafana itself is in no registry that this project builds from.
"""

import json
import re
import sys
import time
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import DateFormatter, date2num
from matplotlib.figure import Figure

ROOT = Path(__file__).parents[3]
DASHBOARD = ROOT / "integrations" / "grafana" / "dashboard.json"
PICTURE = ROOT / "docs" / "pictures" / "dashboard.png"
#: Grafana's grid has 24 columns; a row is this part of the picture's width high.
COLUMNS, WIDTH, ROW = 24, 1400, 30
BACKGROUND, PANEL, LINE, TEXT, FAINT = "#111217", "#181b1f", "#2a2e33", "#ccccdc", "#8e8e98"
COLOURS = ("#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#b877d9", "#37872d", "#fade2a")
#: What stands in for Grafana's own, and the most lines of a legend or table.
INTERVAL, LONGEST = "30s", 7
Series = list[tuple[str, list[float], list[float]]]


class Answers(Protocol):
    """What the panels show, of the time from `start` to `end`."""

    start: float
    end: float

    def read(self, panel: dict[str, Any]) -> Series:
        """Return name, times and values of each series of a panel."""


class Prometheus:
    """A server, asked about the minutes before a moment."""

    def __init__(self, url: str, minutes: float, end: float) -> None:
        self._url, self.start, self.end = url, end - 60 * minutes, end

    def read(self, panel: dict[str, Any]) -> Series:
        """Return name, times and values of each series of a panel."""
        return [series for target in panel["targets"] for series in self._ask(target)]

    def _ask(self, target: dict[str, Any]) -> Series:
        query = re.sub(r"\$\w+", ".*", target["expr"].replace("$__rate_interval", INTERVAL))
        span = {"query": query, "start": self.start, "end": self.end, "step": 5}
        with urllib.request.urlopen(f"{self._url}/api/v1/query_range?{urllib.parse.urlencode(span)}") as answer:
            found = json.load(answer)["data"]["result"]
        return [(_name(target, one["metric"]), *_split(one["values"])) for one in found]


def _name(target: dict[str, Any], labels: dict[str, str]) -> str:
    return re.sub(r"{{\s*(\w+)\s*}}", lambda field: labels.get(field[1], ""), target.get("legendFormat", ""))


def _split(values: list[tuple[float, str]]) -> tuple[list[float], list[float]]:
    return [at for at, _ in values], [float(value) for _, value in values]


def draw_dashboard(server: Answers) -> Figure:
    """Draw every panel where the dashboard has it."""
    dashboard = json.loads(DASHBOARD.read_text())
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    height = rows * ROW + 50
    figure = Figure(figsize=(WIDTH / 100, height / 100), dpi=100, facecolor=BACKGROUND)
    FigureCanvasAgg(figure)
    figure.text(16 / WIDTH, 1 - 30 / height, dashboard["title"], color=TEXT, fontsize=13, fontweight="bold")
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        left, top = place["x"] / COLUMNS, 1 - (place["y"] * ROW + 50) / height
        if panel["type"] == "row":
            figure.text(left + 16 / WIDTH, top - 20 / height, f"⌄ {panel['title']}", color=TEXT, fontsize=10)
            continue
        wide, tall = place["w"] / COLUMNS, place["h"] * ROW / height
        box = (left + 4 / WIDTH, top - tall + 4 / height, wide - 8 / WIDTH, tall - 8 / height)
        frame = figure.add_axes(box, facecolor=PANEL, xticks=[], yticks=[])
        frame.set(xlim=(0, 1), ylim=(0, 1))
        frame.text(0.03, 0.92, panel["title"], color=TEXT, fontsize=8.5, va="center")
        for spine in frame.spines.values():
            spine.set_color(LINE)
        _draw_panel(frame, panel, server)
    return figure


def _draw_panel(frame: Axes, panel: dict[str, Any], server: Answers) -> None:
    series = sorted(server.read(panel), key=lambda one: (-max(one[2]), one[0]))
    if panel["type"] == "timeseries":
        _draw_lines(
            frame, [(_cut(name, 5 * panel["gridPos"]["w"]), times, values) for name, times, values in series], server
        )
    else:
        _draw_table(frame, [(name, values[-1]) for name, times, values in series if times[-1] > server.end - 10], panel)


def _cut(name: str, longest: int) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _draw_lines(frame: Axes, series: Series, server: Answers) -> None:
    shown = series[:LONGEST]
    under = 0.14 + 0.055 * ((len(shown) + 1) // 2)
    axes = frame.inset_axes((0.1, under, 0.86, 0.84 - under), facecolor=PANEL)
    axes.set_xlim(*(date2num(_as_date(at)) for at in (server.start, server.end)))
    for index, (name, times, values) in enumerate(shown):
        colour = COLOURS[index % len(COLOURS)]
        axes.plot([date2num(_as_date(at)) for at in times], values, color=colour, linewidth=1.1)
        at = (0.1 + 0.45 * (index % 2), under - 0.11 - 0.055 * (index // 2))
        frame.text(*at, f"— {name}", color=colour, fontsize=6.5, va="center")
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M"))
    axes.locator_params(axis="y", nbins=4)
    axes.grid(color=LINE, linewidth=0.6)
    axes.tick_params(colors=FAINT, labelsize=6.5, length=0)
    axes.set_ylim(bottom=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_table(frame: Axes, lines: list[tuple[str, float]], panel: dict[str, Any]) -> None:
    bars, unit = panel["type"] == "bargauge", {"percent": " %", "s": " s"}
    for index, (name, value) in enumerate(lines[:LONGEST]):
        y = 0.78 - 0.1 * index
        if bars:
            frame.barh(y, 0.94, height=0.075, left=0.03, color=LINE)
            frame.barh(y, 0.94 * value / 100, height=0.075, left=0.03, color=COLOURS[0], alpha=0.55)
        frame.text(0.05, y, name, color=TEXT, fontsize=7.5, va="center")
        number = f"{value:g}{unit.get(panel['fieldConfig']['defaults']['unit'], '')}"
        frame.text(0.95, y, number, color=TEXT, fontsize=7.5, va="center", ha="right")


def _as_date(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def main() -> None:
    """Write the picture."""
    url, *given = sys.argv[1:]
    minutes, end = (*given, *("15", str(time.time()))[len(given) :])
    draw_dashboard(Prometheus(url, float(minutes), float(end))).savefig(PICTURE)


if __name__ == "__main__":
    main()
