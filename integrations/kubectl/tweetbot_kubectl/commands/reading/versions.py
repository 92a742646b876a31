"""`kubectl tweetbot versions` and `compare`: the trainer's own tables of the versions in the TweetBot's bucket."""

import argparse

from tweetbot_kubectl.commands.command import Command, Session, add_name
from tweetbot_kubectl.failures import ExitCode, NotFound
from tweetbot_kubectl.store.bot_store import BotStore, add_endpoint, open_bot_store, translate_failures


def run_versions(arguments: argparse.Namespace, session: Session) -> int:
    """List the versions of a TweetBot, the last published first."""
    from tweetbot_trainer.cli.versions import run_history

    found = _open(arguments, session)
    with translate_failures(found):
        run_history(found.store, found.root, as_json=session.output.form == "json")
    return ExitCode.DONE


def run_compare(arguments: argparse.Namespace, session: Session) -> int:
    """Show two versions side by side."""
    from tweetbot_trainer.cli.versions import run_compare

    found = _open(arguments, session)
    with translate_failures(found):
        names = choose_names(arguments.a, arguments.b, found)
        run_compare(lambda uri: found.store, names, found.root, as_json=session.output.form == "json")
    return ExitCode.DONE


def choose_names(a: str | None, b: str | None, found: BotStore) -> tuple[str, str]:
    """Return the two versions to compare: B is the served one by default, and A the one published before it.

    Raises NotFound if there are not two.
    """
    if a and b:
        return a, b
    from tweetbot_trainer.publishing.registry.history import read_history

    entries = read_history(found.store, found.root).entries
    published = [entry.version.manifest.version for entry in entries if "rejected" not in entry.states]
    served = next((entry.version.manifest.version for entry in entries if "served" in entry.states), None)
    if served is None:
        raise NotFound("No version is served: name two of those that `kubectl tweetbot versions` lists.")
    older = published[published.index(served) + 1 :]
    before = a or next(iter(older or [each for each in published if each != served]), None)
    if before is None:
        raise NotFound(f"{served} is the only version, so there is nothing to compare it with.")
    return before, served


def _open(arguments: argparse.Namespace, session: Session) -> BotStore:
    bot = session.cluster.get_bot(session.namespace, arguments.name)
    return open_bot_store(session.cluster, bot, arguments.endpoint)


def _add_versions_arguments(parser: argparse.ArgumentParser) -> None:
    add_name(parser)
    add_endpoint(parser)


def _add_compare_arguments(parser: argparse.ArgumentParser) -> None:
    add_name(parser)
    parser.add_argument("a", metavar="A", nargs="?", help="a version (default: the one before the served one)")
    parser.add_argument("b", metavar="B", nargs="?", help="another one (default: the served one)")
    add_endpoint(parser)


_KEYS = "Reads the bucket with the keys of the TweetBot's Secret, if you may read that."
VERSIONS = Command(
    "versions",
    "list the versions of a model: figures, which is served or pinned, which failed a gate and why",
    run_versions,
    _add_versions_arguments,
    _KEYS,
)
COMPARE = Command("compare", "show two versions of a model side by side", run_compare, _add_compare_arguments, _KEYS)
