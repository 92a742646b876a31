"""One request by each of the trainer's HTTP clients, none of which may wait for what waiting does not mend."""

from pathlib import Path

from tweetbot_contract import reasons
from tweetbot_contract.spec.output import S3Output
from tweetbot_trainer.data.sources.bluesky.client import BlueskyClient
from tweetbot_trainer.data.sources.x_api.client import XClient
from tweetbot_trainer.learning.model.hub import resolve_commit
from tweetbot_trainer.publishing.tracking.mode import check_api_key
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store import build_store_opener


def ask_s3(url: str, folder: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        (folder / "s3").mkdir(exist_ok=True)
        (folder / "s3" / name).write_text("a-key", encoding="ascii")
    output = S3Output(uri="s3://team-a", endpoint=url, region="us-east-1", addressing_style="Path")
    build_store_opener(output, folder, a_budget())(output.uri).get("s3://team-a/x")


def ask_x(url: str, folder: Path) -> None:
    XClient("a-token", base=url, retry_budget=a_budget()).get_user("gull")


def ask_bluesky(url: str, folder: Path) -> None:
    BlueskyClient("gull.example.com", base=url, retry_budget=a_budget()).get_profile()


def ask_hub(url: str, folder: Path) -> None:
    a_budget().call(lambda: resolve_commit("a/b", None, endpoint=url))


def ask_wandb(url: str, folder: Path) -> None:
    """Raise what W&B's own check would only report: it never ends a run."""
    waits: list[float] = []
    fault = check_api_key(url, "a-key", pause=waits.append)
    assert waits == []
    raise SpecRefused(reasons.SERVER_NOT_TRUSTED, fault or "")


def a_budget() -> RetryBudget:
    """Return a budget whose first wait fails the test."""

    def wait(seconds: float) -> None:
        raise AssertionError("the server was waited for")

    return RetryBudget(600, sleep=wait)


CLIENTS = {"S3": ask_s3, "X": ask_x, "Bluesky": ask_bluesky, "the Hub": ask_hub, "W&B": ask_wandb}
