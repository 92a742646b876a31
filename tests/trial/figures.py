"""What becomes of the standing set: counts by account, and shares that say what is wrong with the kept texts.

The sources and the reading and cleaning of prepare are the real ones; the shares are measured on the kept texts, by
patterns of their own.
"""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from builders.stages import a_context, a_local_run
from trial.accounts import ACCOUNTS, Account
from trial.words import OTHERS
from tweetbot_contract.data_table import DataTable
from tweetbot_trainer.data.cleaning import CleanedPost, clean
from tweetbot_trainer.data.dataset.dataset import build_dataset
from tweetbot_trainer.data.dataset.source_counts import fill_tables
from tweetbot_trainer.stages.source_reading import SourceReader

Figures = dict[str, Any]
#: Names at a text's beginning, and at any place the name of a person: `@user` is nobody's.
_NAMES = re.compile(r"(?:@\w+\s+)+")
_PERSON = re.compile(r"@(?!user\b)\w+")
#: What a link leaves behind at the end or the beginning of a post.
_REMAINS = re.compile(r"(?<!_)[-\u2013\u2014:\uff1a|→>👉👇,(]$|(?<!\w)(?:via|RE:)$|^[-\u2013\u2014:\uff1a|,.]\s")
_THEIRS = re.compile(rf"\b(?:{'|'.join(OTHERS)})\b")


def measure_all() -> dict[str, Figures]:
    """Return the figures of every account by its name."""
    with tempfile.TemporaryDirectory() as folder:
        return {name: _measure(name, account, Path(folder)) for name, account in ACCOUNTS.items()}


def _measure(name: str, account: Account, folder: Path) -> Figures:
    source, cut = account.build_source(folder, name)
    run = a_local_run(folder, spec={"sources": [source], "filter": account.filter})
    reader = SourceReader(a_context(folder, run))
    cleaned = list(clean(reader.read_posts(), run.spec.filter))
    dataset = fill_tables(build_dataset(cleaned, run.spec.filter, sources=1), [read.counts for read in reader.results])
    return {
        **_list_counts(dataset.table),
        "warnings": [warning.reason for warning in reader.warnings],
        **_measure_texts([one for one in cleaned if one.kept], cut),
    }


def _list_counts(table: DataTable) -> Figures:
    """Return the data table's counts, those of drops and of what was left out only where they are not 0."""
    names = (*DataTable.LEFT_OUT, "missing", *DataTable.DROPS)
    reasons = {name: count for name in names if (count := getattr(table, name))}
    return {"claimed": table.claimed, "read": table.downloaded, "kept": table.kept, "reasons": reasons}


def _measure_texts(kept: Sequence[CleanedPost], cut: frozenset[str]) -> Figures:
    """Return shares in percent, of characters for names and of posts for the others, and the number of cut texts."""
    texts = [one.text for one in kept]
    return {
        "namesInSource": _compute_percent(
            _count_name_letters([one.post.text for one in kept]), [one.post.text for one in kept]
        ),
        "names": _compute_percent(_count_name_letters(texts), texts),
        "persons": _count_percent(_PERSON, texts),
        "remains": _count_percent(_REMAINS, texts),
        "others": _count_percent(_THEIRS, texts),
        "cut": sum(one.post.id in cut for one in kept),
    }


def _count_name_letters(texts: Sequence[str]) -> int:
    return sum(names.end() for text in texts if (names := _NAMES.match(text)))


def _compute_percent(part: int, texts: Sequence[str]) -> float:
    return round(100 * part / sum(map(len, texts)), 1)


def _count_percent(pattern: re.Pattern[str], texts: Sequence[str]) -> float:
    return round(100 * sum(pattern.search(text) is not None for text in texts) / len(texts), 1)
