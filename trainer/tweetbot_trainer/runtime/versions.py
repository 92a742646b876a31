"""Which versions a model is made with, asked of the installation: nothing is imported for it."""

import importlib.metadata
import platform

_LIBRARIES = ("tweetbot-operator", "torch", "transformers", "tokenizers")


def get_library_versions() -> dict[str, str]:
    """Return the versions of what shapes the weights."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES} | {"python": platform.python_version()}


def describe_program() -> str:
    """Return our name and version, as cards and reports give it."""
    return f"TweetBot operator {importlib.metadata.version('tweetbot-operator')}"
