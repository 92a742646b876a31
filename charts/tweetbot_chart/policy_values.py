"""Values of the admission policies: what tenants may ask for, checked by the API server itself."""

from typing import Any, Literal

from pydantic import Field

from tweetbot_contract.spec.parts import Part

SourceKind = Literal["archive", "posts", "x", "bluesky", "mastodon"]
Relation = Literal["Unspecified", "Self", "Consented", "Fictional", "Parody"]


class SecretPolicy(Part):
    """Who names a Secret must be able to read it."""

    enabled: bool = Field(
        False,
        description=(
            "Refuse a TweetBot that names a Secret which its author may not `get`: else creating "
            "TweetBots amounts to using every Secret of the namespace."
        ),
    )


class ServiceAccountPolicy(Part):
    """As whom trainers run, and so what the cloud lets them do."""

    enabled: bool = Field(False, description="Check spec.serviceAccountName.")
    allowed: list[str] = Field(["tweetbot-trainer"], min_length=1, description="The accounts that may be named.")


class GpuPolicy(Part):
    """How many GPUs, and which."""

    enabled: bool = Field(False, description="Check GPUs.")
    max_count: int = Field(1, ge=0, description="Most GPUs of one training.")
    resources: list[str] = Field([], description="Resource names that may be asked for; empty: any.")


class BucketPolicy(Part):
    """Where tenants read and write."""

    enabled: bool = Field(False, description="Check s3:// addresses.")
    prefixes: list[str] = Field(
        ["s3://{namespace}"],
        min_length=1,
        description=(
            "Where a TweetBot may write: below a prefix with {namespace} in it, or exactly at one without, "
            "as the operator adds the namespace itself. It may read below both."
        ),
    )
    shared: list[str] = Field([], description="Prefixes below which every tenant may read, e.g. base models.")
    endpoints: list[str] = Field([], description="Values that output.s3.endpoint may have; empty: any.")


class SourcePolicy(Part):
    """Which kinds of sources."""

    enabled: bool = Field(False, description="Check kinds of sources.")
    kinds: list[SourceKind] = Field(
        [
            "archive",
            "posts",
            "bluesky",
            "mastodon",
        ],
        min_length=1,
        description="The kinds that are allowed.",
    )


class RelationPolicy(Part):
    """What the person has to do with the bot."""

    enabled: bool = Field(False, description="Check subject.relation.")
    allowed: list[Relation] = Field(
        [
            "Self",
            "Consented",
            "Fictional",
        ],
        min_length=1,
        description="The relations that are allowed.",
    )
    consent_ref: bool = Field(True, description="Consented must say where the consent is on record.")


class AdmissionPolicies(Part):
    """Each is off until enabled. A change of metadata or status alone is never refused."""

    secrets: SecretPolicy = Field(SecretPolicy(), description="Who names a Secret must be able to read it.")
    service_accounts: ServiceAccountPolicy = Field(ServiceAccountPolicy(), description="As whom trainers run.")
    gpus: GpuPolicy = Field(GpuPolicy(), description="How many GPUs, and which.")
    buckets: BucketPolicy = Field(BucketPolicy(), description="Where tenants read and write.")
    sources: SourcePolicy = Field(SourcePolicy(), description="Which kinds of sources.")
    relations: RelationPolicy = Field(RelationPolicy(), description="What the person has to do with it.")
    failure_policy: Literal["Fail", "Ignore"] = Field(
        "Fail", description="What happens when a policy cannot be evaluated."
    )
    validation_actions: list[Literal["Deny", "Warn", "Audit"]] = Field(
        ["Deny"], min_length=1, description="What a violation does."
    )
    namespace_selector: dict[str, Any] = Field(
        {}, description="Namespaces they hold for, as a label selector; empty: all."
    )
