"""Whether enough is left of each source; if not, where its records went, and what to do."""

from collections.abc import Collection, Mapping, Sequence

from tweetbot_contract import reasons
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.spec.sources import Source
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import build_recipe
from tweetbot_trainer.data.dataset.dataset import Dataset
from tweetbot_trainer.data.dataset.source_counts import SourceCounts
from tweetbot_trainer.data.dataset.source_records import get_kind
from tweetbot_trainer.data.posts import END_MARK
from tweetbot_trainer.runtime.errors import TooLittleData

#: huggingtweets' limit: it asked for this many characters per handle, the posts joined by the end mark.
MIN_CHARACTERS = 6000
#: A message names at most this many causes, and none that took fewer records than one in ten.
_NAMED, _LEAST_SHARE = 3, 10
_NAMES = {
    "repeated": "repeated",
    "unreadable": "damaged",
    "not_public": "not public",
    "not_posts": "no posts",
    "older": "older than the newest maxPosts",
    "excluded": "excluded by spec.filter.excludeIds",
    "missing": "missing",
    "retweets": "retweets and reposts of others",
    "edits": "earlier versions of edited posts",
    "truncated": "cut by their source",
    "replies": "replies",
    "languages": "in other languages",
    "short": "too short",
    "duplicates": "duplicates",
}


def require_enough(
    dataset: Dataset,
    counts: Sequence[SourceCounts],
    sources: Sequence[Source],
    filter: Filter,
    *,
    skipped: Collection[int] = (),
) -> None:
    """Raise TooLittleData (TooFewPosts) when fewer than MIN_CHARACTERS are left of a source that was not `skipped`."""
    for index, (table, source) in enumerate(zip(dataset.source_tables, sources, strict=True)):
        texts = [post.text for post in dataset.posts if post.source == index]
        if index in skipped or (length := len(END_MARK.join(texts))) >= MIN_CHARACTERS:
            continue
        causes = _find_causes(table)
        if not causes and not texts:
            message = f"sources[{index}] has no posts: its account or file is empty"
            advice = "Check that it is the one you mean, or leave this source out"
        else:
            message = (
                f"sources[{index}]: {len(texts)} posts with {length} characters are left after cleaning; "
                f"at least {MIN_CHARACTERS} characters are needed{_describe(causes, table)}"
            )
            advice = _advise(causes, _list_advice(filter, source, index) | dict(counts[index].report.advice))
        raise TooLittleData(reasons.TOO_FEW_POSTS, f"{message}. {advice}")


def _find_causes(table: DataTable) -> list[tuple[str, int]]:
    """Return why most of a source's records are not in the dataset, and how many, the largest first."""
    lost = {name: getattr(table, name) for name in _NAMES}
    least = (table.kept + sum(lost.values())) / _LEAST_SHARE
    largest = sorted(lost.items(), key=lambda cause: -cause[1])
    return [(name, count) for name, count in largest if count and count >= least][:_NAMED]


def _describe(causes: Sequence[tuple[str, int]], table: DataTable) -> str:
    if not causes:
        return ""
    total = table.kept + sum(getattr(table, name) for name in _NAMES)
    return f". Of its {total} records: {', '.join(f'{count} {_NAMES[name]}' for name, count in causes)}"


def _advise(causes: Sequence[tuple[str, int]], advice: Mapping[str, str]) -> str:
    """Return what to do against the largest cause that the author can do something about."""
    given = next((advice[name] for name, _ in causes if name in advice), None)
    more = "give a source with more posts"
    return f"{given[0].upper()}{given[1:]}, or {more}" if given else more.capitalize()


def _list_advice(filter: Filter, source: Source, index: int) -> dict[str, str]:
    """Return by the names of causes which field of the spec would help."""
    options = build_recipe(filter).options
    found = {"excluded": "take ids out of spec.filter.excludeIds"}
    if _can_ask_for_more(source):
        found["older"] = f"raise spec.sources[{index}].{get_kind(source)}.maxPosts"
    if options.recipe == "huggingtweets":
        return found  # takes no other options
    if options.min_words > 1:
        found["short"] = "lower spec.filter.minWords"
    return found | {
        "languages": "list more languages in spec.filter.languages",
        "replies": "set spec.filter.replies to Keep",
        "duplicates": "set spec.filter.deduplicate to false",
    }


def _can_ask_for_more(source: Source) -> bool:
    """Tell whether more posts could be asked for; the default is the most that a source gives."""
    field = type(source.kind).model_fields.get("max_posts")
    return field is not None and getattr(source.kind, "max_posts", 0) < field.default
