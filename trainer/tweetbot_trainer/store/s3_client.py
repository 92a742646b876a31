"""The boto3 client of an output's server."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tweetbot_contract import handover
from tweetbot_contract.spec.output import S3Output
from tweetbot_trainer.store.errors import REACH, require_s3, translate_errors

#: Seconds to connect, and to wait for the next byte of an answer. boto3's own are 60 and 60.
CONNECT_TIMEOUT, READ_TIMEOUT = 10, 60
_CREDENTIALS = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "aws_session_token": "AWS_SESSION_TOKEN",
}


def create_s3_client(output: S3Output, secrets: Path | Mapping[str, str]) -> Any:
    """Return a boto3 client for an output's server.

    Credentials come from the secrets folder, or are the keys of a Secret; otherwise boto3's own chain finds them
    (environment, web identity, …).
    boto3 reads AWS_ENDPOINT_URL_S3 itself if the spec has no endpoint.
    """
    import boto3  # takes half a second, which `--help` and local runs on file:// need not wait for
    from botocore.config import Config

    checksums = "when_supported" if output.checksum_mode == "WhenSupported" else "when_required"
    config = Config(
        signature_version="s3v4",
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"total_max_attempts": 1},  # RetryBudget retries, for longer, and stops at SIGTERM
        s3={"addressing_style": output.addressing_style.lower()},
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
    )
    with translate_errors(REACH, output.uri):
        session = boto3.Session(region_name=output.region or os.environ.get("AWS_REGION"))
        client = session.client("s3", endpoint_url=output.endpoint, config=config, **_read_credentials(secrets))
    client.meta.events.register_first("before-parse.s3.*", require_s3)
    return client


def describe_server(output: S3Output) -> S3Output:
    """Return an output with the endpoint and region that its client uses; the environment may have them."""
    endpoint = output.endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = output.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return output.model_copy(update={"endpoint": endpoint, "region": region})


def _read_credentials(secrets: Path | Mapping[str, str]) -> dict[str, str]:
    if not isinstance(secrets, Path):
        return {argument: secrets[name].strip() for argument, name in _CREDENTIALS.items() if name in secrets}
    folder = secrets / handover.S3_FOLDER
    files = {argument: folder / name for argument, name in _CREDENTIALS.items()}
    return {argument: file.read_text(encoding="utf-8").strip() for argument, file in files.items() if file.is_file()}
