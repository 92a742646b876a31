"""From rounds to the figures that are told: medians, ratios within a round, shares of a limit, marks."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tweetbot_trainer_bench.gpu import peak_flops
from tweetbot_trainer_bench.material import SHAPES, Shape

#: What each contender of a round printed, and `machine`, the flops of a plain matrix product.
Round = Mapping[str, Mapping[str, Any]]
SPEED, START, MEMORY = "tokens_per_second", "first_step_after_seconds", "peak_rss_mib"
FIGURES = (SPEED, START, MEMORY)
OURS, ADAPTERS, STOCK, PACKED = "ours", "ours, LoRA", "a stock Trainer", "b packed"
TUNED = (PACKED, "c padded by length", "d packed, compiled", "e TRL packed")


@dataclass(frozen=True, slots=True)
class Mark:
    """What a ratio must at least be (speed), or at most (start, memory); the fastest of several others counts."""

    name: str
    shape: str
    figure: str
    contender: str
    others: tuple[str, ...]
    limit: float

    def reached(self, ratio: float) -> bool:
        """Tell whether the ratio is as good as it must be."""
        return ratio >= self.limit if self.figure == SPEED else ratio <= self.limit


#: Design, section 8, and issue 5.
MARKS = (
    Mark("speed, to stock", "bench-mini", SPEED, OURS, (STOCK,), 2.5),
    Mark("speed, to tuned packed", "bench-mini", SPEED, OURS, (PACKED,), 1.3),
    Mark("speed, to the best peer", "bench-mini", SPEED, OURS, TUNED, 1.1),
    Mark("speed, to tuned packed", "gpt2", SPEED, OURS, (PACKED,), 1.05),
    Mark("speed of LoRA, to our full", "bench-mini", SPEED, ADAPTERS, (OURS,), 1.2),
    Mark("speed of LoRA, to our full", "gpt2", SPEED, ADAPTERS, (OURS,), 1.2),
    Mark("process start to first step, to stock", "bench-mini", START, OURS, (STOCK,), 0.5),
    Mark("process start to first step, to stock", "gpt2", START, OURS, (STOCK,), 0.5),
    Mark("peak memory, to stock", "gpt2", MEMORY, OURS, (STOCK,), 0.8),
)


def told(shape: str, rounds: Sequence[Round]) -> dict[str, Any]:
    """Return the figures of a shape: by contender, as ratios, and against the marks."""
    names = [name for name in rounds[0] if name != "machine"]
    flops = _median(rounds, "machine", "flops")
    return {
        "shape": shape,
        "rounds": len(rounds),
        "matmul_gflops": round(flops / 1e9, 1),
        "contenders": {name: _contender(rounds, name, SHAPES[shape], flops) for name in sorted(names)},
        "ours_to_each": {name: _ratios(rounds, name) for name in sorted(names) if OURS in names and name != OURS},
        "marks": [
            _judged(mark, rounds)
            for mark in MARKS
            if mark.shape == shape and {mark.contender, *mark.others} <= {*names}
        ],
    }


def _contender(rounds: Sequence[Round], name: str, shape: Shape, machine_flops: float) -> dict[str, float]:
    figures = {figure: round(_median(rounds, name, figure), 2) for figure in FIGURES}
    needed = _median(rounds, name, SPEED) * shape.flops_per_token(frozen=name == ADAPTERS)
    peak = peak_flops(rounds[0][name].get("gpu"))
    if peak:
        return figures | {"mfu": round(needed / peak, 3)}
    return figures | {"share_of_matmul_limit": round(needed / machine_flops, 3)}


def _ratios(rounds: Sequence[Round], other: str) -> dict[str, float]:
    return {figure: round(_ratio(rounds, figure, OURS, (other,)), 3) for figure in FIGURES}


def _judged(mark: Mark, rounds: Sequence[Round]) -> dict[str, Any]:
    ratio = _ratio(rounds, mark.figure, mark.contender, mark.others)
    return {"mark": mark.name, "limit": mark.limit, "ratio": round(ratio, 3), "reached": mark.reached(ratio)}


def _ratio(rounds: Sequence[Round], figure: str, one: str, others: Sequence[str]) -> float:
    """Return the median over the rounds of one's figure to the largest of the others' of the same round."""
    ratios = [found[one][figure] / max(found[other][figure] for other in others) for found in rounds]
    return float(statistics.median(ratios))


def _median(rounds: Sequence[Round], name: str, figure: str) -> float:
    return float(statistics.median(found[name][figure] for found in rounds))
