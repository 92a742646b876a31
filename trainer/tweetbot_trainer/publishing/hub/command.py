"""`tweetbot-trainer publish`: send a published version to the Hugging Face Hub by hand."""

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tweetbot_contract import handover, reasons
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
    token, place = _read_token(os.environ)
    with (
        guard_connections(parse_networks(os.environ), os.environ),
        tempfile.TemporaryDirectory(prefix="tweetbot-publish-") as folder,
    ):
        repository = HubRepository(arguments.repo, token, token_place=place)
        push = Push(store, version, version.manifest.bot_uid, public, Path(folder))
        found, degraded = push_version(repository, push)
    print(f"{version.home} is at {found.url}")
    if degraded:
        print(degraded)
    return 0


def _read_token(env: Mapping[str, str]) -> tuple[str, str]:
    """Return a token and where it is from: the variable, else the Secret of a Pod. Raises NotAuthorized without one."""
    if token := env.get(KEY_ENV, "").strip():
        return token, KEY_ENV
    folder = env.get(handover.SECRETS_DIR_ENV)
    file = Path(folder) / handover.HUB_FOLDER / handover.TOKEN_FILE if folder else None
    if token := file.read_text(encoding="utf-8").strip() if file and file.is_file() else "":
        return token, "the Secret of the Hub's token"
    missing = "create the Secret of the Hub's token" if folder else f"set {KEY_ENV}"
    raise NotAuthorized(reasons.HUB_DEGRADED, f"there is no token: {missing}")
