"""Compare two versions by their manifests: figures, samples, and what differs in what they were made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tweetbot_contract.result import Metrics
from tweetbot_trainer.publishing.registry.manifest import VersionManifest

#: A value of each version; None where one does not have it.
Pair = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class VersionDifferences:
    """Two versions side by side. `differences` has only what differs, by subject and then by name."""

    figures: dict[str, Pair]
    differences: dict[str, dict[str, Pair]]
    samples: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)

    @property
    def same_posts(self) -> bool:
        """Whether both were tested on the same posts."""
        names = {name for subject in ("data", "values") for name in self.differences.get(subject, {})}
        return not names & {"digest", "holdout_percent", "orderedBy"}


def compare_versions(one: VersionManifest, other: VersionManifest) -> VersionDifferences:
    """Compare two versions: every figure that either has, every value that differs, and the samples by prompt."""
    before, after = _describe(one), _describe(other)
    differences = {subject: _find_differences(before[subject], after[subject]) for subject in before}
    prompts = dict.fromkeys(sample.prompt for sample in (*one.samples, *other.samples))
    return VersionDifferences(
        _pair_figures(one.metrics, other.metrics),
        {subject: found for subject, found in differences.items() if found},
        {prompt: (_list_texts(one, prompt), _list_texts(other, prompt)) for prompt in prompts},
    )


def _pair_figures(one: Metrics, other: Metrics) -> dict[str, Pair]:
    before, after = one.to_dict(), other.to_dict()
    names = (str(info.alias) for info in Metrics.model_fields.values())
    return {name: (before.get(name), after.get(name)) for name in names if name in before or name in after}


def _describe(manifest: VersionManifest) -> dict[str, dict[str, Any]]:
    """Return what a version was made from, by subject."""
    origin, dataset = manifest.provenance, manifest.dataset
    return {
        "data": {
            "digest": dataset.digest,
            "newestPostAt": dataset.newest_post_at,
            **dataset.table.model_dump(by_alias=True),
            "sources": ", ".join(source.kind for source in origin.sources),
        },
        "base": dict(origin.base),
        "values": {**_flatten(origin.training), "seed": origin.seed, "orderedBy": origin.ordered_by},
        "program": {
            **origin.versions,
            "image": origin.image or None,
            "processor": origin.processor,
            "threads": origin.threads,
        },
    }


def _flatten(values: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Return nested values by their paths, such as lora.rank."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flatten(value, f"{path}{name}.") if isinstance(value, Mapping) else {f"{path}{name}": value}
    return flat


def _find_differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Pair]:
    names = dict.fromkeys((*one, *other))
    return {name: (one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)}


def _list_texts(manifest: VersionManifest, prompt: str) -> tuple[str, ...]:
    return tuple(sample.text for sample in manifest.samples if sample.prompt == prompt)
