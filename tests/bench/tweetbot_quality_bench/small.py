"""How well small accounts are learned: cut to some of their posts, and measured on posts that all cuts share.

Nothing is searched, as 5 validation posts could not tell. The learning rate is RATE for all weights and LORA_RATE for
LoRA: what `RATES` are to this base, the product's defaults are to GPT-2.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tweetbot_quality_bench.contest import ADAPTERS, BASE, OURS, Task, resolve_values
from tweetbot_quality_bench.texts import GULL, Texts
from tweetbot_quality_bench.verdict import compute_geometric_mean

#: The kept posts of a small account, and the newest posts of the whole account, which are left for the test.
SIZES, UNSEEN = (50, 150, 500), 50
RATE, LORA_RATE = 1.2e-3, 1.1e-2
SCRATCH = "scratch://mini"
#: What the accounts that are no grammar are called together.
PEOPLE = "people's"
#: The contenders: a name, the recipe, the base (None: the trained one) and the learning rate (None: the default).
CONTENDERS: dict[str, tuple[str, str | None, float | None]] = {
    OURS: (OURS, None, RATE),
    ADAPTERS: (ADAPTERS, None, LORA_RATE),
    SCRATCH: (OURS, SCRATCH, None),
}


def make_small_tasks(
    texts: Texts,
    accounts: Sequence[str],
    sizes: Sequence[int] = SIZES,
    *,
    contenders: Sequence[str] = tuple(CONTENDERS),
    changes: Sequence[Mapping[str, Any]] = ({},),
    samples: int = 1000,
) -> Iterator[Task]:
    """Yield a task for each size, account, contender and change of its values."""
    for size in sizes:
        for account in accounts:
            posts = texts.accounts[account]
            kept, unseen = posts[:-UNSEEN][:size], posts[-UNSEEN:]
            for name in contenders:
                recipe, base, rate = CONTENDERS[name]
                for change in changes:
                    values = replace(resolve_values(recipe, base or BASE, posts=len(kept)), **change)
                    words = ",".join(f"{field}={value}" for field, value in change.items())
                    yield Task(
                        f"{name} {words}".strip(),
                        account,
                        kept,
                        values,
                        (rate or values.learning_rate,),
                        samples,
                        start=base,
                        size=size,
                        unseen=unseen,
                    )


def summarize_sizes(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the means of each contender at each size, over the accounts that people wrote and over the grammar."""
    found: dict[tuple[int, bool, str], list[Mapping[str, Any]]] = {}
    for one in results:
        found.setdefault((one["size"], one["account"] == GULL, one["recipe"]), []).append(one)
    return [
        {"size": size, "account": GULL if grammar else PEOPLE, "recipe": recipe, **_average(own)}
        for (size, grammar, recipe), own in sorted(found.items())
    ]


def _average(results: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return geometric means of bits per byte and of their ratios to the base's, plain means of what else there is."""
    bits = {"bitsPerByte": [one["bitsPerByte"] for one in results]}
    bits["bitsToBase"] = [one["bitsPerByte"] / one["baseBitsPerByte"] for one in results if one["baseBitsPerByte"]]
    means = {name: compute_geometric_mean(values) for name, values in bits.items() if values}
    for name in ("verbatimRate", "verbatimRateUnseen", "styleScore", "bestEpoch", "steps", "seconds"):
        if values := [one[name] for one in results if one.get(name) is not None]:
            means[name] = sum(values) / len(values)
    return {name: round(value, 4) for name, value in means.items()}
