"""JSON of a run → the tables in docs/benchmarks.md: `python -m tweetbot_quality_bench.render RUN.json PAGE.md`."""

from collections.abc import Mapping
from typing import Any

from bench_page import render_page


def render_section(run: Mapping[str, Any]) -> str:
    """Render the section."""
    lines = [
        f"Measured {run['date']} at commit {run['commit']}: {run['machine']}, {run['seconds']} s in all.",
        "",
        "| recipe | bits per byte, mean | to huggingtweets' (mark) | verbatim, mean | at most (mark) |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(_render_recipe(name, figures) for name, figures in run["recipes"].items()),
        "",
        "| account | recipe | rate | label tokens | bits per byte | base's | verbatim | as many bytes | unseen "
        "| style |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *map(_render_account, run["results"]),
        *(["", *_render_sizes(run["small"])] if run.get("small", {}).get("sizes") else []),
    ]
    return "\n".join(lines)


def _render_recipe(name: str, figures: Mapping[str, Any]) -> str:
    bits = _format_mark(f"{figures['bitsToStock']:.3f}", figures["bitsMark"]) if "bitsMark" in figures else "–"
    limit = (
        _format_mark(f"{figures['verbatimLimit']:.1%}", figures["verbatimMark"]) if "verbatimMark" in figures else "–"
    )
    return f"| {name} | {figures['bitsPerByte']:.3f} | {bits} | {figures['verbatimRate']:.1%} | {limit} |"


def _format_mark(figure: str, reached: bool) -> str:
    return f"{figure} ({'reached' if reached else 'missed'})"


def _render_account(one: Mapping[str, Any]) -> str:
    cells = (
        one["account"],
        one["recipe"],
        f"{one['rate']:g}",
        f"{one['labelTokens']:,}",
        f"{one['bitsPerByte']:.3f}",
        f"{one['baseBitsPerByte']:.3f}",
        *(f"{one[name]:.1%}" for name in ("verbatimRate", "verbatimRateSized", "verbatimRateUnseen")),
        _format_style(one.get("styleScore")),
    )
    return f"| {' | '.join(cells)} |"


def _render_sizes(small: Mapping[str, Any]) -> list[str]:
    """Return the table of small accounts, and when they were measured if that was in another run."""
    measured = (
        f", measured {small['date']} at commit {small['commit']} in {small['seconds']} s" if "date" in small else ""
    )
    return [
        f"Small accounts{measured}:",
        "",
        "| kept posts | account | recipe | bits per byte | to the base's | verbatim | unseen | style | epoch kept "
        "| steps | seconds |",
        f"| ---: | --- | --- |{' ---: |' * 8}",
        *map(_render_size, small["sizes"]),
    ]


def _render_size(one: Mapping[str, Any]) -> str:
    cells = (
        str(one["size"]),
        one["account"],
        one["recipe"],
        *(format(one[name], ".3f") if name in one else "–" for name in ("bitsPerByte", "bitsToBase")),
        *(format(one[name], ".1%") if name in one else "–" for name in ("verbatimRate", "verbatimRateUnseen")),
        _format_style(one.get("styleScore")),
        f"{one['bestEpoch']:.1f}",
        f"{one['steps']:.0f}",
        f"{one['seconds']:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def _format_style(score: float | None) -> str:
    return "–" if score is None else f"{score:.2f}"


if __name__ == "__main__":
    render_page("quality", render_section)
