"""`tweetbot-trainer publish`: send a published version to the Hugging Face Hub by hand."""

import argparse
import os
import tempfile
from pathlib import Path

from tweetbot_contract import reasons
from tweetbot_contract.spec.spec import may_be_public
from tweetbot_trainer.publishing.hub.client import HubRepository
from tweetbot_trainer.publishing.hub.push import Push, push_version
from tweetbot_trainer.publishing.registry.lineage import find_version
from tweetbot_trainer.runtime.egress import guard_connections, parse_networks
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused
from tweetbot_trainer.store import ObjectStore

KEY_ENV = "HF_TOKEN"


def run_publish(store: ObjectStore, arguments: argparse.Namespace) -> int:
    """Send a version, and print where it is.

    Raises SpecRefused if there is no such version, it failed a gate, or may not be public; NotAuthorized and
    TemporaryError as the Hub answers.
    """
    version = find_version(store, arguments.model)
    public, origin = arguments.visibility == "Public", version.manifest.provenance
    if version.home.rpartition("/")[0].endswith("/rejected"):
        raise SpecRefused(reasons.HUB_DEGRADED, f"{version.home} failed a gate, so it is not published anywhere")
    if public and not may_be_public(origin.relation, origin.consent_ref):
        said = f"its subject.relation is {origin.relation}"
        raise SpecRefused(reasons.HUB_DEGRADED, f"{version.home} may not be public: {said}. Leave --visibility out")
    token = os.environ.get(KEY_ENV, "").strip()
    if not token:
        raise NotAuthorized(reasons.HUB_DEGRADED, f"there is no token: set {KEY_ENV}")
    with (
        guard_connections(parse_networks(os.environ), os.environ),
        tempfile.TemporaryDirectory(prefix="tweetbot-publish-") as folder,
    ):
        repository = HubRepository(arguments.repo, token, token_place=KEY_ENV)
        push = Push(store, version, version.manifest.bot_uid, public, Path(folder))
        found, degraded = push_version(repository, push)
    print(f"{version.home} is at {found.url}")
    if degraded:
        print(degraded)
    return 0
