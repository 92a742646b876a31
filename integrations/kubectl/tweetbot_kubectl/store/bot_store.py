"""Open the folder of a TweetBot in its bucket, and say in one sentence why that fails."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tweetbot_contract import reasons
from tweetbot_contract.manifest import BaseTweetBot, TweetBot
from tweetbot_contract.spec.output import S3Output
from tweetbot_kubectl.cluster.cluster import Cluster
from tweetbot_kubectl.failures import CommandFailed, Forbidden, NotFound, Unreachable
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError, TemporaryError
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store import ObjectStore, join, parse_s3_uri
from tweetbot_trainer.store.s3 import S3Store
from tweetbot_trainer.store.s3_client import create_s3_client

#: Seconds that a command waits for a bucket that is away: somebody is watching.
RETRY_SECONDS = 10.0
#: Seconds for which a presigned link works.
LINK_SECONDS = 3600
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True, slots=True)
class BotStore:
    """A TweetBot's folder in S3, and the client that reaches it."""

    store: ObjectStore
    root: str
    output: S3Output
    client: Any

    def build_link(self, uri: str) -> str:
        """Return an address that anybody can open in a browser for LINK_SECONDS."""
        address = parse_s3_uri(uri)
        target = {"Bucket": address.bucket, "Key": address.key}
        return str(self.client.generate_presigned_url("get_object", Params=target, ExpiresIn=LINK_SECONDS))


def open_bot_store(cluster: Cluster, bot: BaseTweetBot, endpoint: str | None = None) -> BotStore:
    """Open a TweetBot's folder; `endpoint` is where its server is seen from here.

    Raises Forbidden if the caller may not read its Secret, NotFound without the Secret.
    """
    if not isinstance(bot, TweetBot):
        why = "its spec is invalid, or its class has not given it a bucket yet"
        raise CommandFailed(f'The bucket of TweetBot "{bot.name}" is not known: {why}.')
    output = bot.spec.output.s3.model_copy(update={"endpoint": endpoint} if endpoint else {})
    client = create_s3_client(output, _read_keys(cluster, bot))
    store = S3Store(
        client,
        RetryBudget(RETRY_SECONDS),
        checksums=output.checksum_mode == "WhenSupported",
        conditional=output.conditional_writes == "Supported",
        kms_key_id=output.kms_key_id,
    )
    return BotStore(store, join(output.uri, bot.namespace, bot.name), output, client)


def _read_keys(cluster: Cluster, bot: TweetBot) -> dict[str, str]:
    """Return the keys of the TweetBot's Secret; without one, none, and boto3 looks where it always does."""
    secret = bot.spec.output.s3.credentials_secret
    if secret is None:
        return {}
    try:
        found = cluster.read_secret(bot.namespace, secret.name)
    except NotFound:
        raise NotFound(
            f"There is no Secret {secret.name} in namespace {bot.namespace}, which the spec names."
        ) from None
    except Forbidden as refusal:
        advice = f'Ask for a Role that lets you get the Secret "{secret.name}", which opens the bucket'
        raise Forbidden(f"{refusal} {advice}, or use the trainer with keys of your own.") from None
    return {key: found[key] for key in _KEYS if key in found}


@contextmanager
def translate_failures(found: BotStore) -> Iterator[None]:
    """Raise failures of the bucket as those of commands."""
    try:
        yield
    except NotAuthorized as refusal:
        raise Forbidden(refusal.message) from None
    except TemporaryError as away:
        where = found.output.endpoint or "S3 at AWS (the spec names no endpoint)"
        advice = "if the bucket's server is another one, or only the cluster reaches it, give --endpoint"
        raise Unreachable(f"{where} does not answer from here: {advice} ({away.message})") from None
    except SpecRefused as refusal:
        missing = refusal.reason == reasons.SOURCE_NOT_FOUND
        raise (NotFound if missing else CommandFailed)(refusal.message) from None
    except StageError as failure:
        raise CommandFailed(failure.message) from None


def add_endpoint(parser: argparse.ArgumentParser) -> None:
    """Add the option for a bucket whose server has another address outside the cluster."""
    parser.add_argument(
        "--endpoint", metavar="URL", help="address of the S3 server from here (default: spec.output.s3.endpoint)"
    )
