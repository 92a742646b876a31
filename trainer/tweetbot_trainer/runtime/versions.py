"""Versions of the installed libraries, found without importing them."""

import importlib.metadata
import platform

_LIBRARIES = ("tweetbot-operator", "torch", "tokenizers")


def get_library_versions() -> dict[str, str]:
    """Return the versions of everything that shapes the weights."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES} | {"python": platform.python_version()}


def describe_program() -> str:
    """Return our name and version for cards and reports."""
    return f"TweetBot operator {importlib.metadata.version('tweetbot-operator')}"


def find_repository() -> str | None:
    """Return the address of our repository, as the distribution's metadata has it; None before it has one."""
    named = importlib.metadata.metadata("tweetbot-operator").get_all("Project-URL") or []
    addresses = dict(entry.split(", ", 1) for entry in named)
    return addresses.get("Source")
