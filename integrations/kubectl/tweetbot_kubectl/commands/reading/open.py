"""`kubectl tweetbot open NAME`: the card and the pictures of the served model, by links or in the browser."""

import argparse
import tempfile
import webbrowser
from dataclasses import dataclass
from pathlib import Path

from tweetbot_contract.manifest import BaseTweetBot
from tweetbot_kubectl.commands.command import Command, Session, add_name
from tweetbot_kubectl.failures import ExitCode, NotFound, require_model
from tweetbot_kubectl.output.blocks import Block, Text, build_fields
from tweetbot_kubectl.store.bot_store import LINK_SECONDS, BotStore, add_endpoint, open_bot_store, translate_failures

CARD = "README.md"
#: What the card shows, as far as the model has it.
_ENDINGS = (".png", ".svg")
PAGE = "index.html"


@dataclass(frozen=True, slots=True)
class Link:
    """A file of the model, and where a browser finds it."""

    file: str
    url: str


@dataclass(frozen=True, slots=True)
class ModelLinks:
    """The card and the pictures of a model. The links work for `seconds`, for everybody who has them."""

    name: str
    model: str
    seconds: int
    links: tuple[Link, ...]


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Print links to the card and the pictures, or show them."""
    bot = session.cluster.get_bot(session.namespace, arguments.name)
    home, version = find_model(bot)
    found = open_bot_store(session.cluster, bot, arguments.endpoint)
    with translate_failures(found):
        uris = list_files(found, home)
        if arguments.view:
            _view(session, found, uris)
            return ExitCode.DONE
        links = tuple(Link(name, found.build_link(uri)) for name, uri in uris.items())
    result = ModelLinks(bot.name, version, LINK_SECONDS, links)
    session.output.show(result, render_links(result))
    return ExitCode.DONE


def find_model(bot: BaseTweetBot) -> tuple[str, str]:
    """Return the address of the served model's directory, and its version. Raises NotFound."""
    model = require_model(bot.name, bot.status.model)
    return model.uri.rstrip("/"), model.version


def list_files(found: BotStore, home: str) -> dict[str, str]:
    """Return the addresses of the card and the pictures by their names, the card first. Raises NotFound."""
    names = {info.uri.rpartition("/")[2]: info.uri for info in found.store.list(f"{home}/")}
    if CARD not in names:
        raise NotFound(f"{home} has no card: was it erased?")
    pictures = sorted(name for name in names if name.endswith(_ENDINGS))
    return {name: names[name] for name in (CARD, *pictures)}


def render_links(result: ModelLinks) -> tuple[Block, ...]:
    """Return the links, one per line so that they can be clicked or copied."""
    minutes = result.seconds // 60
    return (
        Text(f"Model {result.model}. Everybody who has these links can open them for {minutes} minutes.", "faint"),
        build_fields((link.file, link.url) for link in result.links),
    )


def _view(session: Session, found: BotStore, uris: dict[str, str]) -> None:
    from tweetbot_kubectl.output.card_page import render_card_page

    folder = Path(tempfile.mkdtemp(prefix="tweetbot-card-"))
    for name, uri in uris.items():
        found.store.download(uri, folder / name)
    page = folder / PAGE
    page.write_text(render_card_page((folder / CARD).read_text(encoding="utf-8")), encoding="utf-8")
    session.output.print_line(str(page))
    if not webbrowser.open(page.as_uri()):
        session.output.note("No browser was found: open this file yourself.")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_name(parser)
    parser.add_argument("--view", action="store_true", help="download them and open the browser")
    add_endpoint(parser)


OPEN = Command("open", "show the card and the pictures of the served model", run, _add_arguments)
