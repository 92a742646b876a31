"""Completion of the command line, with the names of TweetBots: for kubectl (from 1.26 on) and for three shells.

kubectl runs `kubectl_complete-tweetbot WORDS… BEGINNING`, and reads one candidate per line, then `:` and a directive.
"""

import argparse
import sys

from tweetbot_kubectl.failures import CommandFailed
from tweetbot_kubectl.output.output import Output
from tweetbot_kubectl.parser import build_parser, parse_flags
from tweetbot_kubectl.session import build_session

#: First word of a command line that asks for completion.
COMPLETE = "__complete"
#: Directive of kubectl's completion: do not offer files.
NO_FILES = 4
#: Seconds that the names of TweetBots may take: somebody holds the Tab key.
_PATIENCE = 3.0


def main() -> int:
    """Print what may follow the words of the command line, for kubectl."""
    return print_candidates(sys.argv[1:])


def print_candidates(words: list[str]) -> int:
    """Print the candidates for the last word, and the directive."""
    for candidate in find_candidates(words):
        print(candidate)
    print(f":{NO_FILES}")
    return 0


def find_candidates(words: list[str]) -> list[str]:
    """Return what the last word, which may be empty, can become."""
    *before, beginning = words or [""]
    parser = build_parser()
    own, given = _find_command(parser, before)
    flags = _list_flags(own)
    expected = flags.get(before[-1]) if before else None
    if expected is not None and expected.nargs != 0:
        found = _list_values(expected)
    elif beginning.startswith("-"):
        found = list(flags)
    elif own is parser:
        found = list(_get_commands(parser))
    else:
        found = _list_positionals(own, given, before)
    return sorted(candidate for candidate in found if candidate.startswith(beginning))


def _find_command(parser: argparse.ArgumentParser, words: list[str]) -> tuple[argparse.ArgumentParser, int]:
    """Return the parser of the command that the words name, and how many arguments without a flag follow it."""
    commands, own, given, skip = _get_commands(parser), parser, 0, False
    for word in words:
        action = _list_flags(own).get(word)
        if skip or action is not None:
            skip = not skip and action is not None and action.nargs != 0
        elif own is parser:
            own = commands.get(word, parser)
        else:
            given += 1
    return own, given


def _get_commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    groups = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return {name: own for group in groups for name, own in group.choices.items()}


def _list_flags(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    return {flag: action for action in parser._actions for flag in action.option_strings}


def _list_values(action: argparse.Action) -> list[str]:
    return [str(choice) for choice in action.choices or ()]


def _list_positionals(own: argparse.ArgumentParser, given: int, before: list[str]) -> list[str]:
    positionals = [action for action in own._actions if not action.option_strings]
    if given >= len(positionals):
        return []
    action = positionals[given]
    return _list_bots(before) if action.dest == "name" else _list_values(action)


def _list_bots(words: list[str]) -> list[str]:
    """Return the names of TweetBots, none if the cluster does not answer."""
    try:
        arguments = parse_flags(words)
        arguments.request_timeout = _PATIENCE
        session = build_session(arguments, Output())
        return [bot.name for bot in session.cluster.list_bots(session.namespace)]
    except (CommandFailed, SystemExit):  # argparse ends the process at a flag that is wrong
        return []
