"""JSON of a run → the tables in docs/benchmarks.md: `python -m tweetbot_style_bench.render RUN.json PAGE.md`."""

from collections.abc import Mapping
from typing import Any

from bench_page import render_page

#: Marks of issue 14.
AUC_MARK, DIFFERENCE_MARK = 0.95, 0.05
VIEWS = {"style": "style score", "functionWords": "function words"}


def render_section(run: Mapping[str, Any]) -> str:
    """Render the section."""
    views = run["attribution"]
    lines = [
        f"Measured {run['date']} at commit {run['commit']}: {run['machine']}, {run['seconds']} s in all.",
        "",
        "| by | AUC, all accounts (mark) | score of others, mean |",
        "| --- | ---: | ---: |",
        *(_render_view(name, views[name]) for name in VIEWS),
        "",
        "| account | posts | AUC | own groups | others | nearest other | AUC by function words |",
        "| --- | ---: | ---: | ---: | ---: | --- | ---: |",
        *(_render_account(name, one, views["functionWords"]) for name, one in views["style"]["accounts"].items()),
        "",
        "| trained on | base alone | seed 1 | seed 2 | difference (mark) | function words | verbatim |",
        "| --- | ---: | --- | --- | ---: | ---: | ---: |",
        *map(_render_training, run["trainings"]),
    ]
    return "\n".join(lines)


def _render_view(name: str, view: Mapping[str, Any]) -> str:
    auc = view["auc"]
    mark = f" ({'reached' if auc >= AUC_MARK else 'missed'})" if name == "style" else ""
    return f"| {VIEWS[name]} | {auc:.3f}{mark} | {view['othersMean']:.2f} |"


def _render_account(name: str, one: Mapping[str, Any], words: Mapping[str, Any]) -> str:
    if "auc" not in one:
        return f"| {name} | {one['posts']} | not told | | | | |"
    other = words["accounts"][name].get("auc")
    nearest = f"{one['nearest']}, {one['nearestScore']:.2f}"
    cells = (f"{one['auc']:.3f}", f"{one['own']:.2f}", f"{one['others']:.2f}", nearest)
    return f"| {name} | {one['posts']} | {' | '.join(cells)} | {'not told' if other is None else f'{other:.3f}'} |"


def _render_training(one: Mapping[str, Any]) -> str:
    first, second = one["trainings"]
    apart = one["difference"]
    mark = "not told" if apart is None else f"{apart:.3f} ({'reached' if apart <= DIFFERENCE_MARK else 'missed'})"
    cells = (_format_score(one["base"]), _format_score(first), _format_score(second), mark)
    return f"| {one['account']} | {' | '.join(cells)} | {first['functionWords']} | {first['verbatimRate']:.1%} |"


def _format_score(one: Mapping[str, Any]) -> str:
    if one["style"] is None:
        return "not told"
    low, high = one["interval"]
    return f"{one['style']:.2f} ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    render_page("style", render_section)
