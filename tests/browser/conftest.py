"""A server with tiny models, and pages of it in a real browser."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from browser.playground import TOKEN, Open, Playground, launch_browser, read_address, start_server
from builders.model import a_saved_base, some_card_data
from tweetbot_trainer.publishing.report.report import write_report

#: Where a page may come from and ask: the server, and a file that the page made itself.
OWN = re.compile(r"(blob:)?http://127\.0\.0\.1:")


@pytest.fixture(scope="session")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    """Serve untrained models, whose posts are noise."""
    folder = tmp_path_factory.mktemp("models")
    first, second = (a_published_folder(folder / name) for name in ("harbour-gull", "harbour-gull-2"))
    with ExitStack() as stack:
        one = stack.enter_context(start_server(first))
        two = stack.enter_context(start_server(first, second, token=TOKEN))
        yield Playground(read_address(one), read_address(two))


def a_published_folder(folder: Path) -> Path:
    """Write an untrained model with a card that is named after the folder."""
    write_report(some_card_data(model_name=folder.name), folder, base_loss=7.0)
    return a_saved_base(folder / "model", context=128)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launch_browser() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open pages. At the end no request may have left the server, and no page have complained."""
    asked, complaints, contexts = list[str](), list[str](), list[BrowserContext]()

    def open_page(address: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [url for url in asked if not OWN.match(url)] == []
    assert [each for each in complaints if "Failed to load resource" not in each] == []
