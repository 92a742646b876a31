"""What sources claim to hold, compared with what was read of them.

claimed = posts read + left out by name + missing; whatever is missing is told, and too much of it ends the run.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from tweetbot_contract import reasons
from tweetbot_contract.data_table import DataTable, DataWarning
from tweetbot_trainer.data.dataset.dataset import Dataset
from tweetbot_trainer.data.sources.interface import MAX_MISSING_PERCENT, SourceReport
from tweetbot_trainer.runtime.errors import SpecRefused


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """A source's report, with the number of posts that it yielded and how many of them the spec excludes."""

    report: SourceReport
    posts: int
    excluded: int = 0

    @property
    def missing(self) -> int:
        """Return how many claimed records were neither read nor left out by name."""
        found = self.posts + sum(self.report.left_out.values())
        return max(0, (self.report.claimed or 0) - found)


def check_missing(counts: SourceCounts, index: int, *, max_missing_percent: int | None) -> DataWarning | None:
    """Return a warning if the source at this index lacks records that it claims.

    Raises SpecRefused (PostsMissing) if these are more than the limit.
    """
    claimed, missing = counts.report.claimed or 0, counts.missing
    if not missing:
        return None
    limit = MAX_MISSING_PERCENT if max_missing_percent is None else max_missing_percent
    percent = 100 * missing / claimed
    message = (
        f"sources[{index}] says that it holds {claimed} posts, but {missing} of them ({percent:.1f} %) are missing"
    )
    if percent > limit:
        advice = (
            f"Give the whole source, or set spec.sources[{index}].maxMissingPercent to {ceil(percent)} to go on without"
        )
        raise SpecRefused(reasons.POSTS_MISSING, f"{message}; at most {limit} % may be. {advice}.")
    return DataWarning(reason=reasons.POSTS_MISSING.name, message=f"{message}.")


def fill_tables(dataset: Dataset, counts: Sequence[SourceCounts]) -> Dataset:
    """Return the dataset with each source's claim, and what was left out, in its data tables."""
    tables = tuple(map(_fill_source_table, dataset.source_tables, counts))
    return replace(dataset, source_tables=tables, table=_sum_tables(dataset.table, tables))


def _fill_source_table(table: DataTable, counts: SourceCounts) -> DataTable:
    left_out = Counter(counts.report.left_out)
    left_out["excluded"] += counts.excluded
    # the recipe huggingtweets never sees earlier versions of edited posts
    left_out["repeated"] += counts.posts - counts.excluded - table.downloaded
    return _fill_table(table, left_out, counts.report.claimed)


def _sum_tables(table: DataTable, tables: Sequence[DataTable]) -> DataTable:
    left_out = Counter({name: sum(getattr(one, name) for one in tables) for name in DataTable.LEFT_OUT})
    stated = [one.claimed if one.claimed is not None else one.found for one in tables]
    claimed = sum(stated) if any(one.claimed is not None for one in tables) else None
    return _fill_table(table, left_out, claimed, missing=sum(one.missing for one in tables))


def _fill_table(
    table: DataTable, left_out: Counter[str], claimed: int | None, *, missing: int | None = None
) -> DataTable:
    found = table.downloaded + left_out.total()
    less = max(0, (claimed or 0) - found) if missing is None else missing
    update = {name: left_out[name] for name in DataTable.LEFT_OUT}
    return DataTable.model_validate(table.model_dump() | update | {"claimed": claimed, "missing": less})
