"""Where a TweetBot's datasets and models go."""

from typing import ClassVar, Literal

from pydantic import Field

from tweetbot_contract.spec.parts import DOT_SEGMENT, Part, Rule, has_no_dot_segments, make_matcher

S3_PREFIX = r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/]+)*|file:///.+)$"


class SecretRef(Part):
    """A Secret in the TweetBot's own namespace."""

    name: str = Field(min_length=1, max_length=253, description="Name of the Secret.")


class S3Output(Part):
    """An S3 bucket, or a prefix inside one, and how to reach it."""

    uri: str = Field(
        max_length=1024, description="s3://bucket/prefix; namespace and name of the TweetBot are added to it."
    )
    endpoint: str | None = Field(
        None, max_length=512, description="Address of an S3-compatible server; AWS when unset."
    )
    region: str | None = Field(None, max_length=64, description="The bucket's region.")
    addressing_style: Literal["Auto", "Path", "Virtual"] = Field(
        "Auto", description="Whether the bucket stands in the path or the host name."
    )
    checksum_mode: Literal["WhenSupported", "WhenRequired"] = Field(
        "WhenSupported",
        description="WhenRequired for servers that do not know the checksums newer S3 clients send by default.",
    )
    credentials_secret: SecretRef | None = Field(
        None,
        description=(
            "Secret with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (AWS_SESSION_TOKEN if it "
            "has one). Unset: the workload identity of the Pod's service account."
        ),
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.uri.matches('^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/]+)*$')"
            f" && !self.uri.matches('{DOT_SEGMENT}')",
            "write the output as s3://bucket or s3://bucket/prefix, without the steps . and .., "
            "and without a slash at the end",
            lambda part: make_matcher(S3_PREFIX)(part.uri) and has_no_dot_segments(part.uri),
            field="uri",
        ),
        Rule(
            "!has(self.endpoint) || self.endpoint.matches('^https?://[^ ]+$')",
            "write the endpoint as https://host or http://host:port",
            lambda part: make_matcher(r"^https?://[^ ]+$")(part.endpoint),
            field="endpoint",
        ),
    )


class Output(Part):
    """Where datasets and models go."""

    s3: S3Output = Field(description="An S3 bucket, or a prefix inside one.")
