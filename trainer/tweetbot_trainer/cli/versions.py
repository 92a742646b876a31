"""`tweetbot-trainer history` and `compare`: the versions of a TweetBot in a table, two of them side by side."""

import json
import unicodedata
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from tweetbot_trainer.publishing.registry.comparison import Pair, VersionDifferences, compare_versions
from tweetbot_trainer.publishing.registry.history import (
    History,
    HistoryEntry,
    find_named_version,
    read_history,
    refuse_name,
)
from tweetbot_trainer.publishing.registry.manifest import StoredVersion
from tweetbot_trainer.store import ObjectStore, OpenStore

#: Columns of the terminal that both commands fill.
WIDTH = 100
_GAP = 2
_SIDE = (WIDTH - _GAP) // 2
#: Columns of a name, and of a value.
_NAME, _VALUE = 22, 26
#: Where the states of a version begin.
_STATE = 78


def run_history(store: ObjectStore, root: str, *, as_json: bool) -> int:
    """Print the versions, the last published first. Raises SpecRefused if there are none, and as the store does."""
    history = read_history(store, root)
    if as_json:
        print(json.dumps(_build_history(history), ensure_ascii=False))
    else:
        print("\n".join(_format_history(history)))
    return 0


def run_compare(open_store: OpenStore, names: tuple[str, str], root: str | None, *, as_json: bool) -> int:
    """Print two versions side by side. Raises SpecRefused if one is missing, and as the store does."""
    one, other = (find_named_version(open_store(name if "://" in name else root or name), name, root) for name in names)
    found = compare_versions(one.manifest, other.manifest)
    if as_json:
        print(json.dumps(_build_comparison(one, other, found), ensure_ascii=False))
    else:
        print("\n".join(_format_comparison(one, other, found)))
    return 0


def find_address(names: tuple[str, str], root: str | None) -> str:
    """Return the first address that the command was given. Raises SpecRefused if it was given none."""
    address = root or next((name for name in names if "://" in name), None)
    if address is None:
        raise refuse_name(names[0])
    return address


def _build_history(history: History) -> dict[str, Any]:
    versions = [
        {**_describe_version(entry.version), "states": list(entry.states), "why": list(entry.why)}
        for entry in history.entries
    ]
    return {"pin": history.pin, "versions": versions, "unreadable": list(history.unreadable)}


def _describe_version(version: StoredVersion) -> dict[str, Any]:
    manifest = version.manifest
    return {
        "version": version.home.rpartition("/")[2],
        "uri": version.home,
        "publishedAt": manifest.published_at,
        "runId": manifest.run_id,
        "dataset": manifest.dataset.digest,
        "metrics": manifest.metrics.to_dict(),
    }


def _build_comparison(one: StoredVersion, other: StoredVersion, found: VersionDifferences) -> dict[str, Any]:
    def build_pairs(pairs: dict[str, Pair]) -> dict[str, Any]:
        return {name: {"a": before, "b": after} for name, (before, after) in pairs.items()}

    return {
        "a": _describe_version(one),
        "b": _describe_version(other),
        "samePosts": found.same_posts,
        "figures": build_pairs(found.figures),
        "differences": {subject: build_pairs(pairs) for subject, pairs in found.differences.items()},
        "samples": [{"prompt": prompt, "a": list(a), "b": list(b)} for prompt, (a, b) in found.samples.items()],
    }


def _format_history(history: History) -> Iterator[str]:
    yield _format_columns("version", "published", "loss", "bits/byte", "verbatim", "style", "state")
    for entry in history.entries:
        yield from _format_entry(entry)
        for why in entry.why:
            yield from _indent(why)
    for home in history.unreadable:
        yield f"{home.rpartition('/')[2]:<20}  its manifest cannot be read"
        yield f"    {home}"
    if history.pin and not any("pinned" in entry.states for entry in history.entries):
        yield f"spec.pin names {history.pin}, which is not here"


def _format_entry(entry: HistoryEntry) -> Iterator[str]:
    metrics, version = entry.version.manifest.metrics, entry.version.home.rpartition("/")[2]
    published = _format_time(entry.version)
    verbatim = None if metrics.verbatim_rate is None else f"{100 * metrics.verbatim_rate:.1f} %"
    loss, bits = _format_number(metrics.eval_loss), _format_number(metrics.bits_per_byte)
    style = _format_number(metrics.style_score)
    first, *rest = _wrap(", ".join(entry.states), WIDTH - _STATE)
    yield _format_columns(version, published, loss, bits, verbatim or "-", style, first)
    yield from (" " * _STATE + line for line in rest)


def _format_columns(*cells: str) -> str:
    version, published, loss, bits, verbatim, style, state = cells
    return f"{version:<20}  {published:<16}  {loss:>7}  {bits:>9}  {verbatim:>8}  {style:>6}  {state}"


def _indent(text: str) -> Iterator[str]:
    return (f"    {line}" for line in _wrap(text, WIDTH - 4))


def _format_comparison(one: StoredVersion, other: StoredVersion, found: VersionDifferences) -> Iterator[str]:
    for letter, version in (("A", one), ("B", other)):
        yield f"{letter}  {version.home.rpartition('/')[2]}, published {_format_time(version)}"
        yield f"   {version.home}"  # whole, so that it can be copied
    yield from ("", _format_line("figure", "A", "B", "change"))
    for name, pair in found.figures.items():
        before, after = (_format_figure(name, value) for value in pair)
        yield from _format_pair(name, before, after, change=_format_change(*pair))
    if not found.same_posts:
        yield "They were tested on different posts, so figures on test posts compare only roughly."
    yield from _format_differences(found)
    yield from _format_samples(found)


def _format_differences(found: VersionDifferences) -> Iterator[str]:
    for subject, pairs in found.differences.items():
        yield from ("", f"different {subject}")
        for name, pair in pairs.items():
            yield from _format_pair(name, *("-" if value is None else str(value) for value in pair))
    if not found.differences:
        yield from ("", "made from the same data, base, values and program")


def _format_samples(found: VersionDifferences) -> Iterator[str]:
    for prompt, texts in found.samples.items():
        yield from ("", f"samples of {_clean(prompt)!r}")
        for number, (left, right) in enumerate(zip_longest(*texts, fillvalue="")):
            yield from [""] * bool(number)
            yield from _join_sides(left, right)


def _format_line(name: str, before: str, after: str, change: str = "") -> str:
    return f"{name:<{_NAME}}  {before:>{_VALUE}}  {after:>{_VALUE}}  {change:>18}".rstrip()


def _format_time(version: StoredVersion) -> str:
    return version.manifest.published_at[:16].replace("T", " ")


def _format_figure(name: str, value: Any) -> str:
    if name.startswith("verbatimRate") and isinstance(value, float):
        return f"{100 * value:.1f} %"
    return _format_number(value) if isinstance(value, int | float | None) else str(value)


def _format_number(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:,.3f}" if abs(value) < 1000 else f"{value:,.0f}"


def _format_change(before: Any, after: Any) -> str:
    if not isinstance(before, int | float) or not isinstance(after, int | float) or not before:
        return ""
    return f"{100 * (after / before - 1):+.1f} %" if before != after else "="


def _format_pair(name: str, *values: str, change: str = "") -> Iterator[str]:
    """Yield both values beside the name, or below it where they are long."""
    before, after = map(_clean, values)
    if max(len(before), len(after)) <= _VALUE and len(name) <= _NAME:
        yield _format_line(name, before, after, change)
        return
    yield name
    for letter, text in (("A", before), ("B", after)):
        yield from (f"  {' ' if number else letter} {line}" for number, line in enumerate(_wrap(text, WIDTH - 4)))


def _join_sides(left: str, right: str) -> Iterator[str]:
    for one, other in zip_longest(_wrap(left, _SIDE), _wrap(right, _SIDE), fillvalue=""):
        yield f"{one}{' ' * (_SIDE - _measure(one) + _GAP)}{other}".rstrip()


def _wrap(text: str, columns: int) -> list[str]:
    """Break a text into lines that fit the columns, between words where there are any."""
    lines, rest = [], _clean(text)
    while _measure(rest) > columns:
        end = next(number for number in range(1, len(rest) + 1) if _measure(rest[:number]) > columns) - 1
        space = rest.rfind(" ", 1, end + 1)
        end = space if space > 0 else max(end, 1)
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*lines, rest] if rest else lines


def _clean(text: str) -> str:
    """Return a text in one line, without what would command a terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _measure(text: str) -> int:
    """Return the columns that a terminal takes for a text: two for wide letters, none for marks on others."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)
