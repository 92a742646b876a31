"""JSON of a run → the tables in docs/benchmarks.md: `python -m tweetbot_trainer_bench.render RUN.json PAGE.md`."""

from collections.abc import Callable, Mapping
from typing import Any

from bench_page import render_page
from tweetbot_trainer_bench.figures import FIRST_STEP, IMPORTED, IMPORTS, LOADED


def render_section(run: Mapping[str, Any]) -> str:
    """Render the section."""
    lines = [
        f"Measured {run['date']} at commit {run['commit']}: {run['machine']}, {run['seconds'] / 60:.0f} min in all.",
        "",
    ]
    for shape in run["shapes"]:
        lines += [*_render_shape(shape), ""]
    return "\n".join([*lines, *_render_quality(run["quality"])]).rstrip()


def _render_shape(found: Mapping[str, Any]) -> list[str]:
    names = sorted(found["contenders"], key=lambda name: -found["contenders"][name]["tokens_per_second"])
    return [
        f"**{found['shape']}**, medians of {found['rounds']} rounds; a plain matrix product runs at "
        f"{found['matmul_gflops']} GFLOP/s.",
        "",
        "| | tokens/s | ours to it | of the limit | first step, s | ours to it | peak memory, MiB | ours to it |",
        "| --- |" + " ---: |" * 7,
        *(_render_contender(name, found) for name in names),
        "",
        *_render_start_up(found),
        "| mark | at | measured | reached |",
        "| --- | ---: | ---: | --- |",
        *(_render_mark(one) for one in found["marks"]),
    ]


def _render_start_up(found: Mapping[str, Any]) -> list[str]:
    """Return the table of what a start costs, or nothing of runs that did not measure it."""
    contenders = found["contenders"]
    names = sorted((name for name in contenders if FIRST_STEP in contenders[name]), key=_by_start(contenders))
    rows = [
        f"| {name} | {own[IMPORTS]:.1f} | {own[IMPORTED]:,.0f} | {own[LOADED]:.1f} | {own[FIRST_STEP]:.1f} | "
        f"{_render_ratio(found, name)} | {own.get('precision', 'FP32')} |"
        for name in names
        for own in [contenders[name]]
    ]
    title = "| processor seconds from the start | imports | MiB after them | base loaded | first step | ours to it |"
    return [f"{title} format |", "| --- |" + " ---: |" * 5 + " --- |", *rows, ""] if rows else []


def _by_start(contenders: Mapping[str, Any]) -> Callable[[str], float]:
    return lambda name: float(contenders[name][FIRST_STEP])


def _render_ratio(found: Mapping[str, Any], name: str) -> str:
    ratio = found["ours_to_each"].get(name, {}).get(FIRST_STEP)
    return f"{ratio:.2f}" if ratio else ""


def _render_contender(name: str, found: Mapping[str, Any]) -> str:
    own, ratio = found["contenders"][name], found["ours_to_each"].get(name)
    share = f"{own['mfu']:.1%} MFU" if "mfu" in own else f"{own['share_of_matmul_limit']:.0%}"
    ratios = [
        f"{ratio[figure]:.2f}" if ratio else ""
        for figure in ("tokens_per_second", "first_step_after_seconds", "peak_rss_mib")
    ]
    cells = (f"{own['tokens_per_second']:,.0f}", ratios[0], share, f"{own['first_step_after_seconds']:.1f}", ratios[1],
             f"{own['peak_rss_mib']:,.0f}", ratios[2])  # fmt: skip
    return f"| {name} | " + " | ".join(cells) + " |"


def _render_mark(one: Mapping[str, Any]) -> str:
    return f"| {one['mark']} | {one['limit']} | {one['ratio']:.2f} | {'yes' if one['reached'] else 'no'} |"


def _render_quality(recipes: Mapping[str, Any] | None) -> list[str]:
    if not recipes:
        return []
    return [
        "What was learned, at equal tokens (`make bench-quality`):",
        "",
        "| recipe | held-out bits per byte | to stock | verbatim |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| {name} | {one['bitsPerByte']:.3f} | {one.get('bitsToStock', '')} | {one.get('verbatimRate', '')} |"
            for name, one in recipes.items()
        ),
    ]


if __name__ == "__main__":
    render_page("trainer", render_section)
