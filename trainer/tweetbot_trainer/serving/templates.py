"""The files of the pages; every value that is put into one is escaped."""

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import BaseLoader, Environment


@cache
def read_page_file(name: str) -> str:
    """Read a file of the pages."""
    return (files("tweetbot_trainer.serving") / "page" / name).read_text(encoding="utf-8")


@cache
def _create_environment() -> Environment:
    return Environment(loader=BaseLoader(), autoescape=True)


def render_template(file: str, **values: Any) -> str:
    """Fill in a page."""
    return _create_environment().from_string(read_page_file(file)).render(values)
