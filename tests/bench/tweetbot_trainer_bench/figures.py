"""From rounds to printed figures: medians, ratios within a round, shares of a limit, marks."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tweetbot_trainer_bench.gpu import get_peak_flops
from tweetbot_trainer_bench.material import SHAPES, Shape

#: What each contender of a round printed, and `machine`, the flops of a plain matrix product.
Round = Mapping[str, Mapping[str, Any]]
SPEED, START, MEMORY = "tokens_per_second", "first_step_after_seconds", "peak_rss_mib"
FIGURES = (SPEED, START, MEMORY)
IMPORTS, IMPORTED, LOADED = "imports_cpu_seconds", "imports_rss_mib", "base_loaded_cpu_seconds"
FIRST_STEP = "first_step_cpu_seconds"
#: From the start of the process, in processor seconds, which other processes do not lengthen; and memory after imports.
START_UP = (IMPORTS, IMPORTED, LOADED, FIRST_STEP)
OURS, ADAPTERS, STOCK, PACKED = "ours", "ours, LoRA", "a stock Trainer", "b packed"
TUNED = (PACKED, "c padded by length", "d packed, compiled", "e TRL packed")


@dataclass(frozen=True, slots=True)
class Mark:
    """The least (speed) or largest (start, memory) acceptable ratio to the best of `others`; without, of the figure."""

    name: str
    shape: str
    figure: str
    contender: str
    others: tuple[str, ...]
    limit: float

    def is_reached(self, ratio: float) -> bool:
        """Tell whether the ratio is good enough."""
        return ratio >= self.limit if self.figure == SPEED else ratio <= self.limit


#: Issues 5 and 18: the speed of the run before, and half of its time to the first step.
MARKS = (
    Mark("speed, to stock", "bench-mini", SPEED, OURS, (STOCK,), 2.31),
    Mark("speed, to tuned packed", "bench-mini", SPEED, OURS, (PACKED,), 1.4),
    Mark("speed, to the best peer", "bench-mini", SPEED, OURS, TUNED, 1.33),
    Mark("speed, to the best peer", "bench-llama-mini", SPEED, OURS, TUNED, 1.3),
    Mark("speed, to tuned packed", "gpt2", SPEED, OURS, (PACKED,), 1.11),
    Mark("speed, to stock", "gpt2", SPEED, OURS, (STOCK,), 1.59),
    Mark("speed of LoRA, to our full", "bench-mini", SPEED, ADAPTERS, (OURS,), 1.2),
    Mark("speed of LoRA, to our full", "gpt2", SPEED, ADAPTERS, (OURS,), 1.2),
    Mark("process start to first step, to stock", "bench-mini", START, OURS, (STOCK,), 0.45),
    Mark("process start to first step, to stock", "gpt2", START, OURS, (STOCK,), 0.45),
    Mark("processor seconds to first step, to stock", "bench-mini", FIRST_STEP, OURS, (STOCK,), 0.45),
    Mark("processor seconds to first step, to stock", "gpt2", FIRST_STEP, OURS, (STOCK,), 0.45),
    Mark("processor seconds of imports", "bench-mini", IMPORTS, OURS, (), 3.0),
    Mark("memory after imports, MiB", "bench-mini", IMPORTED, OURS, (), 700),
    Mark("peak memory, to stock", "gpt2", MEMORY, OURS, (STOCK,), 0.8),
)


def summarize(shape: str, rounds: Sequence[Round]) -> dict[str, Any]:
    """Summarize a shape: figures by contender, ratios, and marks."""
    names = [name for name in rounds[0] if name != "machine"]
    flops = _compute_median(rounds, "machine", "flops")
    return {
        "shape": shape,
        "rounds": len(rounds),
        "matmul_gflops": round(flops / 1e9, 1),
        "contenders": {name: _summarize_contender(rounds, name, SHAPES[shape], flops) for name in sorted(names)},
        "ours_to_each": {
            name: _compute_ratios(rounds, name) for name in sorted(names) if OURS in names and name != OURS
        },
        "marks": [
            _judge_mark(mark, rounds)
            for mark in MARKS
            if mark.shape == shape
            and {mark.contender, *mark.others} <= {*names}
            and mark.figure in rounds[0][mark.contender]
        ],
    }


def _summarize_contender(rounds: Sequence[Round], name: str, shape: Shape, machine_flops: float) -> dict[str, Any]:
    figures: dict[str, Any] = {
        figure: round(_compute_median(rounds, name, figure), 2)
        for figure in (*FIGURES, *START_UP)
        if figure in rounds[0][name]
    }
    if "precision" in rounds[0][name]:
        figures["precision"] = "/".join(sorted({found[name]["precision"] for found in rounds}))
    needed = _compute_median(rounds, name, SPEED) * shape.count_flops_per_token(frozen=name == ADAPTERS)
    peak = get_peak_flops(rounds[0][name].get("gpu"))
    if peak:
        return figures | {"mfu": round(needed / peak, 3)}
    return figures | {"share_of_matmul_limit": round(needed / machine_flops, 3)}


def _compute_ratios(rounds: Sequence[Round], other: str) -> dict[str, float]:
    known = [figure for figure in (*FIGURES, FIRST_STEP) if figure in rounds[0][other]]
    return {figure: round(_compute_ratio(rounds, figure, OURS, (other,)), 3) for figure in known}


def _judge_mark(mark: Mark, rounds: Sequence[Round]) -> dict[str, Any]:
    ratio = _compute_ratio(rounds, mark.figure, mark.contender, mark.others)
    return {"mark": mark.name, "limit": mark.limit, "ratio": round(ratio, 3), "reached": mark.is_reached(ratio)}


def _compute_ratio(rounds: Sequence[Round], figure: str, one: str, others: Sequence[str]) -> float:
    """Return the median, over the rounds, of one figure divided by the largest of the others in the same round.

    Without others it is the figure itself.
    """
    ratios = [found[one][figure] / max((found[other][figure] for other in others), default=1) for found in rounds]
    return float(statistics.median(ratios))


def _compute_median(rounds: Sequence[Round], name: str, figure: str) -> float:
    return float(statistics.median(found[name][figure] for found in rounds))
