"""How a command ends: its exit code, and the failures that carry one. Each is reported in one sentence."""

from enum import IntEnum
from typing import ClassVar, TypeVar

M = TypeVar("M")


class ExitCode(IntEnum):
    """What a script learns from a command; docs/kubectl.md explains them."""

    DONE = 0
    NOT_WELL = 1
    USAGE = 2
    NOT_FOUND = 3
    FORBIDDEN = 4
    UNREACHABLE = 5


class CommandFailed(Exception):
    """The command cannot do what it was asked for. The message says why, and what to do."""

    exit_code: ClassVar[ExitCode] = ExitCode.NOT_WELL


class UsageError(CommandFailed):
    """The command was given something that it cannot take."""

    exit_code = ExitCode.USAGE


class NotFound(CommandFailed):
    """What was asked about does not exist."""

    exit_code = ExitCode.NOT_FOUND


class Forbidden(CommandFailed):
    """The caller may not do it, at the API server or at the bucket."""

    exit_code = ExitCode.FORBIDDEN


class Unreachable(CommandFailed):
    """A server does not answer, or nothing says where it is."""

    exit_code = ExitCode.UNREACHABLE


def require_model(name: str, model: M | None) -> M:
    """Return the model that a TweetBot serves. Raises NotFound if it has none yet."""
    if model is None:
        raise NotFound(f'TweetBot "{name}" has no model yet: `kubectl tweetbot status {name}` says why.')
    return model
