"""Delete copies on the Hub and runs at Weights & Biases, with the keys of a Pod or of a person."""

import os
from collections.abc import Mapping
from pathlib import Path

from tweetbot_contract import handover, reasons
from tweetbot_contract.handover import RunDocument
from tweetbot_trainer.publishing.forgetting.erasure import Elsewhere
from tweetbot_trainer.publishing.registry.ownership import FolderUser
from tweetbot_trainer.publishing.tracking.wandb_erasure import PUBLIC_SERVER, TrackingServer
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused
from tweetbot_trainer.runtime.retry_budget import RetryBudget

TRACKING_KEY_ENV, TRACKING_SERVER_ENV, HUB_TOKEN_ENV = "WANDB_API_KEY", "WANDB_BASE_URL", "HF_TOKEN"


def connect_pod(run: RunDocument, secrets: Path, budget: RetryBudget) -> Elsewhere:
    """Return how a Pod deletes what its TweetBot has elsewhere. The budget bounds the waits for servers."""
    wandb, file = run.spec.tracking.wandb, secrets / handover.WANDB_FOLDER / handover.WANDB_FILE
    key = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    base_url = wandb.base_url or os.environ.get(TRACKING_SERVER_ENV) or PUBLIC_SERVER
    server = TrackingServer(base_url, key, "name a valid one in spec.tracking.wandb.apiKeySecret")

    def delete_repository(repo: str) -> None:
        from tweetbot_trainer.publishing.hub.publish import describe_token, read_token  # loads the Hub's client

        budget.call(lambda: _delete_copy(repo, run, read_token(run, secrets), describe_token(run)))

    return Elsewhere(lambda url: budget.call(lambda: server.delete_run(url)), delete_repository)


def connect_person(user: FolderUser, env: Mapping[str, str], budget: RetryBudget) -> Elsewhere:
    """Return how a person's command deletes what the TweetBot of a folder has elsewhere, as connect_pod does."""
    base_url = env.get(TRACKING_SERVER_ENV) or PUBLIC_SERVER
    server = TrackingServer(base_url, env.get(TRACKING_KEY_ENV, "").strip(), f"set {TRACKING_KEY_ENV}")
    token = env.get(HUB_TOKEN_ENV, "").strip()

    def delete_repository(repo: str) -> None:
        if not token:
            raise NotAuthorized(reasons.HUB_DEGRADED, f"there is no token: set {HUB_TOKEN_ENV}")
        budget.call(lambda: _delete_copy(repo, user, token, HUB_TOKEN_ENV))

    return Elsewhere(lambda url: budget.call(lambda: server.delete_run(url)), delete_repository)


def _delete_copy(repo: str, user: FolderUser, token: str, token_place: str) -> None:
    """Delete a repository of the user's. Raises StageError, also if it is somebody else's."""
    from tweetbot_trainer.publishing.hub.client import HubRepository  # loads the Hub's client, as the next
    from tweetbot_trainer.publishing.hub.erasure import delete_copy

    if left := delete_copy(HubRepository(repo, token, token_place=token_place), user.prefix, user.uid):
        raise SpecRefused(reasons.HUB_DEGRADED, left)
