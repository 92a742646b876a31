"""JSON of a run → the tables in docs/benchmarks.md: `python -m tweetbot_quality_bench.render RUN.json PAGE.md`."""

from collections.abc import Mapping, Sequence
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
        "| account | recipe | rate | label tokens | bits per byte | base's | verbatim | as many bytes | unseen |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *map(_render_account, run["results"]),
        *(["", *_render_sizes(run["small"]["sizes"])] if run.get("small", {}).get("sizes") else []),
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
    )
    return f"| {' | '.join(cells)} |"


def _render_sizes(sizes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the table of small accounts; style is a column if it was measured."""
    has_style = any("styleScore" in one for one in sizes)
    names = ["kept posts", "recipe", "bits per byte", "to the base's", "verbatim", "unseen"]
    names += [*(["style"] if has_style else []), "epochs kept", "steps", "seconds"]
    lines = [f"| {' | '.join(names)} |", f"| ---: | --- |{' ---: |' * (len(names) - 2)}"]
    return [*lines, *(_render_size(one, has_style) for one in sorted(sizes, key=lambda one: one["size"]))]


def _render_size(one: Mapping[str, Any], has_style: bool) -> str:
    style = [f"{one['styleScore']:.2f}" if "styleScore" in one else "–"] if has_style else []
    cells = (
        str(one["size"]),
        one["recipe"],
        f"{one['bitsPerByte']:.3f}",
        f"{one['bitsToBase']:.3f}" if one["bitsToBase"] else "–",
        *(f"{one[name]:.1%}" if name in one else "–" for name in ("verbatimRate", "verbatimRateUnseen")),
        *style,
        f"{one['bestEpoch']:.1f}",
        f"{one['steps']:.0f}",
        f"{one['seconds']:.1f}",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    render_page("quality", render_section)
