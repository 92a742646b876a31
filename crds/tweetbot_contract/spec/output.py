"""Where a TweetBot's datasets and models are written."""

from typing import ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.parts import HTTP_URL, Part, Rule, build_pattern_rule, build_s3_rule
from tweetbot_contract.spec.sources import SecretKey

#: What S3 takes in x-amz-server-side-encryption-aws-kms-key-id; MinIO and Ceph take any name of a key.
KMS_KEY = "^[A-Za-z0-9][A-Za-z0-9:/_.-]*$"
#: A repository of the Hugging Face Hub.
REPOSITORY = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}$"


class SecretRef(Part):
    """A Secret in the TweetBot's own namespace."""

    name: str = Field(min_length=1, max_length=253)
    """Name of the Secret, in the TweetBot's namespace."""


class S3Output(Part):
    """An S3 bucket, or a prefix inside one, and how to reach it."""

    uri: str = Field(max_length=1024)
    """Bucket or prefix to write to, as s3://bucket/prefix; the TweetBot's namespace and name are appended."""
    endpoint: str | None = Field(None, max_length=512)
    """URL of an S3-compatible server; AWS S3 when unset."""
    region: str | None = Field(None, max_length=64)
    """Region of the bucket."""
    addressing_style: Literal["Auto", "Path", "Virtual"] = "Auto"
    """Path puts the bucket's name into the URL path, Virtual into the host name."""
    checksum_mode: Literal["WhenSupported", "WhenRequired"] = "WhenSupported"
    """Write WhenRequired for servers that reject the checksums newer S3 clients send by default."""
    conditional_writes: Literal["Supported", "Unsupported"] = "Supported"
    """Write Unsupported for servers without If-None-Match and If-Match. Then only one cluster may write below uri, as
    two writers at the same moment can overwrite each other."""
    kms_key_id: str | None = Field(None, min_length=1, max_length=2048)
    """Key of the server's KMS that encrypts every object (SSE-KMS): id, ARN or alias/name. When unset, the bucket's own
    encryption applies."""
    credentials_secret: SecretRef | None = None
    """Secret with the keys AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary credentials, AWS_SESSION_TOKEN.
    When unset, the workload identity of the Pod's service account is used."""
    rules: ClassVar[tuple[Rule, ...]] = (
        build_s3_rule(
            "uri",
            "(/[^/]+)*$",
            "write s3://bucket or s3://bucket/prefix, without . and .. segments or a final slash",
            optional=True,
        ),
        build_pattern_rule(
            "endpoint", HTTP_URL, "write the endpoint as https://host or http://host:port", optional=True
        ),
        build_pattern_rule(
            "kmsKeyId", KMS_KEY, "write the key's id, its ARN, or alias/name, without spaces", optional=True
        ),
    )


class HuggingFaceOutput(Part):
    """A model repository on the Hugging Face Hub. A Hub that is away or refuses never fails a run."""

    repo: str = Field(max_length=193)
    """Repository as owner/name, one for each TweetBot; it is created if there is none."""
    visibility: Literal["Private", "Public"] = "Private"
    """Who sees the repository that is created. That of one that exists is not changed."""
    token_secret: SecretKey | None = None
    """Secret key that holds a Hugging Face token with write access to the repository."""
    rules: ClassVar[tuple[Rule, ...]] = (
        build_pattern_rule(
            "repo",
            REPOSITORY,
            "write the repository as owner/name, with letters, digits, hyphens, underscores and dots",
            optional=True,
        ),
        Rule(
            None,  # a class may give the token
            "the Hub takes a model with a token only: add tokenSecret with name and key, or remove huggingFace",
            lambda part: part.token_secret is not None,
            field="tokenSecret",
        ),
    )


class Output(Part):
    """Where datasets and models are written."""

    s3: S3Output
    """The S3 bucket, or prefix inside one, for datasets and models."""
    hugging_face: HuggingFaceOutput | None = None
    """Repository on the Hugging Face Hub that gets a copy of the served version, after it is published in S3."""
