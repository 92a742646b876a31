"""The pages of an account that were paid for, each named by the range of ids that it covers.

    <server>/<account id>/<first id>-<last id>.json     all posts that X has in this range
    <server>/runs/<run id>/account.json, newest.json    which account a run reads, and up to which post
    <server>/runs/<run id>/bill-<number>-<posts>.json   posts that a run paid for in a page that is not kept

The names alone show what is missing. Where a run was interrupted, or where somebody removed a page, there is a gap,
which the next run fetches.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from tweetbot_contract import reasons
from tweetbot_trainer.data.posts import Json
from tweetbot_trainer.data.sources.interface import PageCache
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store.address import join
from tweetbot_trainer.store.interface import ObjectStore

SCHEMA = 1
_NAME = re.compile(r"([0-9]{20})-([0-9]{20})\.json", re.ASCII)
_BILL = re.compile(r"bill-([0-9]{6})-([0-9]{6})\.json", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The ids from `first`, the highest, down to `last`, both included."""

    first: int
    last: int

    @property
    def name(self) -> str:
        """Return the name of the page that covers it; sorted names are in the order of time."""
        return f"{self.first:020}-{self.last:020}.json"


@dataclass(frozen=True, slots=True)
class CachedPage:
    """A page as X sent it, the run that paid for it, and whether it was asked for with retweets.

    `ends_early` says that X ended here, although the account had more posts by its own count; its span says no more.
    """

    span: Span
    run_id: str
    retweets: bool
    answer: Json
    ends_early: bool = False


class CachedTimeline:
    """The cached pages of one account."""

    def __init__(self, pages: PageCache, folder: str) -> None:
        self._pages, self._folder = pages, folder
        self._spans = {span for name in pages.list_names(folder) if (span := _parse_span(name)) is not None}
        self._loaded: dict[Span, CachedPage] = {}

    def find_newest(self, *, below: float = inf) -> int:
        """Return the highest covered id below this one, 0 if there is none."""
        return max((span.first for span in self._spans if span.first < below), default=0)

    def find_span(self, id: int) -> Span | None:
        """Return the span that covers this id, the one with the lowest beginning if there are several."""
        return min((span for span in self._spans if span.last <= id <= span.first), default=None)

    def load(self, span: Span) -> CachedPage:
        """Load the page of a span, once. Raises SpecRefused (SourceUnreadable) if it is damaged."""
        if span not in self._loaded:
            self._loaded[span] = self._load(span)
        return self._loaded[span]

    def iter_below(self, id: int) -> Iterator[CachedPage | None]:
        """Yield the pages from the one that covers this id down; the last is None if the cache ends at a gap."""
        while id > 0:
            span = self.find_span(id)
            yield self.load(span) if span else None
            id = span.last - 1 if span else 0

    def list_of_run(self, run_id: str) -> list[CachedPage]:
        """Return the pages that a run has paid for. Raises SpecRefused (SourceUnreadable) if a page is damaged."""
        return [page for page in map(self.load, sorted(self._spans)) if page.run_id == run_id]

    def _load(self, span: Span) -> CachedPage:
        kept = _load_json(self._pages, f"{self._folder}/{span.name}") or {}
        if kept.get("schema") != SCHEMA or not isinstance(kept.get("answer"), dict):
            raise _build_damage_refusal(f"{self._folder}/{span.name}")
        retweets, ends_early = kept.get("retweets") is not False, kept.get("endsEarly") is True
        return CachedPage(span, str(kept.get("run")), retweets, kept["answer"], ends_early)

    def keep(self, page: CachedPage, *, read_at: str) -> None:
        """Store a page that X sent at this time."""
        kept = {"schema": SCHEMA, "run": page.run_id, "readAt": read_at, "retweets": page.retweets}
        if page.ends_early:
            kept["endsEarly"] = True
        _save_json(self._pages, f"{self._folder}/{page.span.name}", kept | {"answer": page.answer})
        self._spans.add(page.span)
        self._loaded[page.span] = page


class RunState:
    """What all attempts of a run share: which account the handle is, up to which post the run reads, and its bill."""

    def __init__(self, pages: PageCache, server: str) -> None:
        self._pages, self._folder = pages, f"{server}/runs/{pages.run_id}"
        self._bills: list[int] | None = None

    def load_account(self) -> Json | None:
        """Return X's answer about the handle, None before the run has asked."""
        return _load_json(self._pages, f"{self._folder}/account.json")

    def keep_account(self, answer: Json) -> None:
        """Store X's answer about the handle."""
        _save_json(self._pages, f"{self._folder}/account.json", answer)

    def load_newest(self) -> int | None:
        """Return the id of the newest post that the run reads, None before the run has asked."""
        newest = str((_load_json(self._pages, f"{self._folder}/newest.json") or {}).get("newest"))
        return int(newest) if newest.isdigit() else None

    def keep_newest(self, id: int) -> None:
        """Store the id of the newest post that the run reads."""
        _save_json(self._pages, f"{self._folder}/newest.json", {"newest": str(id)})

    def load_bill(self) -> int:
        """Return how many posts the run has paid for in pages that are not kept."""
        if self._bills is None:
            found = [_BILL.fullmatch(name) for name in self._pages.list_names(self._folder)]
            self._bills = [int(match[2]) for match in found if match]
        return sum(self._bills)

    def keep_bill(self, posts: int) -> None:
        """Store that posts were paid for in a page that is not kept."""
        if posts:
            self.load_bill()
            bills = self._bills = [*(self._bills or ()), posts]
            _save_json(self._pages, f"{self._folder}/bill-{len(bills):06}-{posts:06}.json", {"posts": posts})


class StorePages:
    """A run's page cache in a folder of an object store: `<prefix>/raw/x/<handle>/`. Pages never change."""

    def __init__(self, store: ObjectStore, folder: str, run_id: str) -> None:
        self._store, self._folder, self.run_id = store, folder, run_id

    def list_names(self, folder: str) -> list[str]:
        """Return the sorted names of a folder's pages."""
        found = self._store.list(f"{join(self._folder, folder)}/")
        return sorted(info.uri.rsplit("/", 1)[-1] for info in found)

    def load(self, name: str) -> bytes | None:
        """Load a page, if it is there."""
        found = self._store.find(join(self._folder, name))
        return found.body if found else None

    def save(self, name: str, content: bytes) -> None:
        """Store a page unless the name is taken."""
        self._store.put_if_absent(join(self._folder, name), content)


def get_pages_folder(prefix: str, handle: str) -> str:
    """Return the folder of an account's pages; handles ignore case."""
    return join(prefix, "raw", "x", handle.lower())


def _load_json(pages: PageCache, name: str) -> Json | None:
    """Load a JSON object, if it is there. Raises SpecRefused (SourceUnreadable) if it is damaged."""
    content = pages.load(name)
    if content is None:
        return None
    try:
        kept = json.loads(content)
    except (ValueError, RecursionError):
        kept = None
    if not isinstance(kept, dict):
        raise _build_damage_refusal(name)
    return kept


def _save_json(pages: PageCache, name: str, kept: Json) -> None:
    pages.save(name, json.dumps(kept, sort_keys=True).encode())


def _parse_span(name: str) -> Span | None:
    match = _NAME.fullmatch(name)
    return Span(int(match[1]), int(match[2])) if match else None


def _build_damage_refusal(name: str) -> SpecRefused:
    message = f"the cached page {name} of the X API is damaged; delete that object to have X asked for it again"
    return SpecRefused(reasons.SOURCE_UNREADABLE, message)
