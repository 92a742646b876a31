"""Options that say how to reach S3, for commands that people start.

Keys come from TWEETBOT_SECRETS_DIR in a Pod that has it, otherwise from where boto3 looks for them.
"""

import argparse
import os
from pathlib import Path

from pydantic import ValidationError

from tweetbot_contract import reasons
from tweetbot_contract.handover import SECRETS_DIR_ENV
from tweetbot_contract.spec.output import S3Output
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store import OpenStore, build_store_opener

#: How long a command waits for a server that is away: somebody is watching.
RETRY_SECONDS = 30.0


def add_storage_options(command: argparse.ArgumentParser) -> None:
    """Add the fields of output.s3 as options."""
    command.add_argument(
        "--endpoint", metavar="URL", help="an S3-compatible server (default: $AWS_ENDPOINT_URL_S3, otherwise AWS)"
    )
    command.add_argument("--region", help="region of the bucket (default: $AWS_REGION)")
    styles, modes = ("Auto", "Path", "Virtual"), ("WhenSupported", "WhenRequired")
    command.add_argument(
        "--addressing-style",
        choices=styles,
        default="Auto",
        help="where the bucket's name goes: in the URL's path or its host name (default: %(default)s)",
    )
    command.add_argument(
        "--checksum-mode",
        choices=modes,
        default="WhenSupported",
        help="whether to send checksums always, or only where S3 requires them (default: %(default)s)",
    )

    command.add_argument(
        "--conditional-writes",
        choices=("Supported", "Unsupported"),
        default="Supported",
        help="whether the server knows If-None-Match and If-Match on writes (default: %(default)s)",
    )
    command.add_argument("--kms-key-id", metavar="KEY", help="key of the server's KMS that encrypts what is written")


def create_store_opener(uri: str, arguments: argparse.Namespace, stop: StopRequest) -> OpenStore:
    """Return a function that opens S3 as the options say, and local folders.

    Raises SpecRefused if an option is wrong, or `uri`, the address that the command was given.
    """
    if not uri.startswith(("s3://", "file:///")):
        raise SpecRefused(reasons.SPEC_REFUSED, f"{uri} is not an address: write s3://bucket/… or file:///…")
    try:
        output = S3Output(
            uri="/".join(uri.split("/")[:3]) if uri.startswith("s3://") else uri,
            endpoint=arguments.endpoint,
            region=arguments.region,
            addressing_style=arguments.addressing_style,
            checksum_mode=arguments.checksum_mode,
            conditional_writes=arguments.conditional_writes,
            kms_key_id=arguments.kms_key_id,
        )
    except ValidationError as error:
        raise SpecRefused(reasons.SPEC_REFUSED, f"{uri}: {error.errors()[0]['msg']}") from error
    secrets = Path(os.environ.get(SECRETS_DIR_ENV, os.devnull))
    return build_store_opener(output, secrets, RetryBudget(RETRY_SECONDS, sleep=stop.pause), files=True)
