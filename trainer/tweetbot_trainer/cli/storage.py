"""Options that say how to reach S3, for commands that a person gives; keys come from where boto3 looks for them."""

import argparse
import os
from pathlib import Path

from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store.interface import ObjectStore

#: Seconds that a person waits for a server that is away.
PATIENCE = 30.0


def add_storage_options(command: argparse.ArgumentParser) -> None:
    """Add the fields of output.s3 as options."""
    command.add_argument(
        "--endpoint", metavar="URL", help="an S3-compatible server (default: AWS, or the environment's)"
    )
    command.add_argument("--region", help="the bucket's region (default: the environment's)")
    styles, modes = ("Auto", "Path", "Virtual"), ("WhenSupported", "WhenRequired")
    command.add_argument("--addressing-style", choices=styles, default="Auto", help="as output.s3.addressingStyle")
    command.add_argument("--checksum-mode", choices=modes, default="WhenSupported", help="as output.s3.checksumMode")


def create_store(uri: str, arguments: argparse.Namespace, stop: StopRequest) -> ObjectStore:
    """Return the store of an s3:// or file:// address. Raises SpecRefused where an option or the address is wrong."""
    from pydantic import ValidationError

    from tweetbot_contract import reasons
    from tweetbot_contract.spec.output import S3Output
    from tweetbot_trainer.runtime.errors import SpecRefused
    from tweetbot_trainer.store import StoreRouter

    if not uri.startswith(("s3://", "file:///")):
        raise SpecRefused(reasons.SPEC_REFUSED, f"{uri} is no address: write s3://bucket/… or file:///…")
    try:
        output = S3Output(
            uri="/".join(uri.split("/")[:3]) if uri.startswith("s3://") else uri,
            endpoint=arguments.endpoint,
            region=arguments.region,
            addressing_style=arguments.addressing_style,
            checksum_mode=arguments.checksum_mode,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise SpecRefused(reasons.SPEC_REFUSED, f"{uri}: {first['msg']}") from error
    return StoreRouter(output, Path(os.devnull), RetryBudget(PATIENCE, sleep=stop.pause), files=True)
