"""Samples as a Prometheus has scraped them."""

from collections.abc import Callable, Collection, Iterable, Iterator

from prometheus_client.parser import text_string_to_metric_families

#: Names and values of a series' labels, its own name among them.
Labels = frozenset[tuple[str, str]]
NAME = "__name__"
#: A time and the value then; None where a scrape lacked the series, which is stale from then on.
Points = list[tuple[float, float | None]]


class Samples:
    """Series by their labels, each with its values in the order of time."""

    def __init__(self) -> None:
        self._series: dict[Labels, Points] = {}

    def scrape(self, at: float, found: Iterable[tuple[Labels, float]]) -> None:
        """Take in all series that a scrape finds; those that it lacks are stale, unless a rule records them."""
        self._take(at, dict(found), recorded=False)

    def record(self, at: float, found: dict[Labels, float]) -> None:
        """Take in all series that rules record."""
        self._take(at, found, recorded=True)

    def _take(self, at: float, present: dict[Labels, float], *, recorded: bool) -> None:
        for labels, points in self._series.items():
            lacks = labels not in present and points[-1][1] is not None
            if lacks and (":" in dict(labels)[NAME]) == recorded:
                points.append((at, None))
        for labels, value in present.items():
            self._series.setdefault(labels, []).append((at, value))

    def read(self, matches: Callable[[Labels], bool], after: float, until: float) -> list[tuple[Labels, Points]]:
        """Return the points of the matching series in a span of time, where there are any."""
        found = ((labels, points) for labels, points in self._series.items() if matches(labels))
        spans = [(labels, [each for each in points if after < each[0] <= until]) for labels, points in found]
        return [(labels, points) for labels, points in spans if points]


def select(labels: Labels, *, only: Collection[str] | None = None, without: Collection[str] = ()) -> Labels:
    """Return some of the labels."""
    return frozenset(each for each in labels if each[0] not in without and (only is None or each[0] in only))


def parse_scrape(text: str, **target: str) -> Iterator[tuple[Labels, float]]:
    """Yield what a program's answer to a scrape makes of a target with these labels."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield frozenset({NAME: sample.name, **target, **sample.labels}.items()), sample.value
