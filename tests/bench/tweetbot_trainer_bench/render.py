"""JSON of a run → the tables in docs/benchmarks.md: `python -m tweetbot_trainer_bench.render RUN.json PAGE.md`."""

from collections.abc import Mapping
from typing import Any

from bench_page import render_page


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
        "| mark | at | measured | reached |",
        "| --- | ---: | ---: | --- |",
        *(_render_mark(one) for one in found["marks"]),
    ]


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
