"""Values of the admission policies: what tenants may ask for, checked by the API server itself."""

from typing import Annotated, Any, Literal

from pydantic import Field

from tweetbot_contract.spec.parts import Part

SourceKind = Literal["archive", "posts", "x", "bluesky", "mastodon"]
Relation = Literal["Unspecified", "Self", "Consented", "Fictional", "Parody"]


class SecretPolicy(Part):
    """Who names a Secret must be able to read it."""

    enabled: Annotated[
        bool,
        Field(
            description="Refuse a TweetBot that names a Secret which its author may not `get`: else creating "
            "TweetBots amounts to using every Secret of the namespace."
        ),
    ] = False


class ServiceAccountPolicy(Part):
    """As whom trainers run, and so what the cloud lets them do."""

    enabled: Annotated[bool, Field(description="Check spec.serviceAccountName.")] = False
    allowed: Annotated[list[str], Field(min_length=1, description="The accounts that may be named.")] = [
        "tweetbot-trainer"
    ]


class GpuPolicy(Part):
    """How many GPUs, and which."""

    enabled: Annotated[bool, Field(description="Check GPUs.")] = False
    max_count: Annotated[int, Field(ge=0, description="Most GPUs of one training.")] = 1
    resources: Annotated[list[str], Field(description="Resource names that may be asked for; empty: any.")] = []


class BucketPolicy(Part):
    """Where tenants read and write."""

    enabled: Annotated[bool, Field(description="Check s3:// addresses.")] = False
    prefixes: Annotated[
        list[str],
        Field(
            min_length=1,
            description="Where a TweetBot may write: below a prefix with {namespace} in it, or exactly at one without, "
            "as the operator adds the namespace itself. It may read below both.",
        ),
    ] = ["s3://{namespace}"]
    shared: Annotated[
        list[str], Field(description="Prefixes below which every tenant may read, e.g. base models.")
    ] = []
    endpoints: Annotated[list[str], Field(description="Values that output.s3.endpoint may have; empty: any.")] = []


class SourcePolicy(Part):
    """Which kinds of sources."""

    enabled: Annotated[bool, Field(description="Check kinds of sources.")] = False
    kinds: Annotated[list[SourceKind], Field(min_length=1, description="The kinds that are allowed.")] = [
        "archive",
        "posts",
        "bluesky",
        "mastodon",
    ]


class RelationPolicy(Part):
    """What the person has to do with the bot."""

    enabled: Annotated[bool, Field(description="Check subject.relation.")] = False
    allowed: Annotated[list[Relation], Field(min_length=1, description="The relations that are allowed.")] = [
        "Self",
        "Consented",
        "Fictional",
    ]
    consent_ref: Annotated[bool, Field(description="Consented must say where the consent is on record.")] = True


class AdmissionPolicies(Part):
    """Each is off until enabled. A change of metadata or status alone is never refused."""

    secrets: Annotated[SecretPolicy, Field(description="Who names a Secret must be able to read it.")] = SecretPolicy()
    service_accounts: Annotated[ServiceAccountPolicy, Field(description="As whom trainers run.")] = (
        ServiceAccountPolicy()
    )
    gpus: Annotated[GpuPolicy, Field(description="How many GPUs, and which.")] = GpuPolicy()
    buckets: Annotated[BucketPolicy, Field(description="Where tenants read and write.")] = BucketPolicy()
    sources: Annotated[SourcePolicy, Field(description="Which kinds of sources.")] = SourcePolicy()
    relations: Annotated[RelationPolicy, Field(description="What the person has to do with it.")] = RelationPolicy()
    failure_policy: Annotated[
        Literal["Fail", "Ignore"], Field(description="What happens when a policy cannot be evaluated.")
    ] = "Fail"
    validation_actions: Annotated[
        list[Literal["Deny", "Warn", "Audit"]], Field(min_length=1, description="What a violation does.")
    ] = ["Deny"]
    namespace_selector: Annotated[
        dict[str, Any], Field(description="Namespaces they hold for, as a label selector; empty: all.")
    ] = {}
