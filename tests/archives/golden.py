"""The golden archives by name: what each parses to stands in tests/golden/archives/<name>.jsonl."""

from collections.abc import Callable

from archives import grailbird, ytd
from archives.writing import zipped

ARCHIVES: dict[str, Callable[[], bytes]] = {
    "grailbird": lambda: zipped(grailbird.of_2013()),
    "grailbird-table": lambda: zipped(grailbird.table_alone()),
    "2019": lambda: zipped(ytd.of_2019()),
    "2021": lambda: zipped(ytd.of_2021()),
    "today": lambda: zipped(ytd.of_today()),
    "today-packed-again": lambda: zipped(ytd.of_today(), folder="twitter-2026-11-01/"),
}
