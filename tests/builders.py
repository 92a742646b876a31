"""Manifests for tests: valid by default, name only what matters."""

from copy import deepcopy
from typing import Any

from tweetbot_contract.manifest import parse
from tweetbot_contract.spec import TweetBotSpec

_MINIMAL: dict[str, Any] = {
    "apiVersion": "tweetbot.dev/v1alpha1",
    "kind": "TweetBot",
    "metadata": {"name": "gull", "namespace": "team-a", "uid": "uid-gull", "generation": 1},
    "spec": {
        "subject": {"handle": "harbour_gull"},
        "sources": [{"archive": {"uri": "s3://team-a/harbour_gull.zip"}}],
        "output": {"s3": {"uri": "s3://team-a/models", "credentialsSecret": {"name": "s3"}}},
    },
}


def a_manifest(**spec: Any) -> dict[str, Any]:
    """Return a valid manifest; each keyword replaces one field of the spec (snake_case becomes camelCase by hand)."""
    manifest = deepcopy(_MINIMAL)
    manifest["spec"].update(spec)
    return manifest


def a_spec(**spec: Any) -> TweetBotSpec:
    """Return a valid spec; each keyword replaces one field, in its manifest form."""
    return parse(a_manifest(**spec)).spec
