"""The golden archives by name; tests/golden/archives/<name>.jsonl is what each parses to."""

from collections.abc import Callable

from archives import grailbird, ytd
from archives.writing import make_zip

ARCHIVES: dict[str, Callable[[], bytes]] = {
    "grailbird": lambda: make_zip(grailbird.make_2013_export()),
    "grailbird-table": lambda: make_zip(grailbird.make_table_export()),
    "2019": lambda: make_zip(ytd.make_2019_export()),
    "2021": lambda: make_zip(ytd.make_2021_export()),
    "today": lambda: make_zip(ytd.make_current_export()),
    "today-packed-again": lambda: make_zip(ytd.make_current_export(), folder="twitter-2026-11-01/"),
}
