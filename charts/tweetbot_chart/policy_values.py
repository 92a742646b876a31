"""Values of the admission policies: what tenants may ask for, checked by the API server."""

from typing import Annotated, Literal

from pydantic import Field

from tweetbot_chart.base import Name, Namespace, Repository, ResourceName, S3Prefix, Url, ValueGroup
from tweetbot_chart.forms import Selector
from tweetbot_operator.settings import Form

KmsKey = Annotated[str, Form("^[A-Za-z0-9:/_-]+$", "a key's id, alias or ARN, such as alias/models")]
VariableName = Annotated[str, Form("^[A-Za-z_][A-Za-z0-9_]*$", "the name of a variable, such as HTTPS_PROXY")]
SourceKind = Literal["archive", "posts", "x", "bluesky", "mastodon", "threads", "instagram", "reddit"]
Relation = Literal["Unspecified", "Self", "Consented", "Fictional", "Parody"]


class SecretPolicy(ValueGroup):
    """Authors may name only Secrets that they can read."""

    enabled: bool = False
    """Reject a TweetBot that names a Secret which its author may not `get`. Without this policy, anybody who may create
    TweetBots can use every Secret of the namespace."""


class ServiceAccountPolicy(ValueGroup):
    """Which service accounts trainers may run as, and so what they may do in the cloud."""

    enabled: bool = False
    """Check spec.serviceAccountName."""
    allowed: list[Name] = Field(["tweetbot-trainer"], min_length=1)
    """Service accounts that a TweetBot may name."""


class GpuPolicy(ValueGroup):
    """How many GPUs a training may use, and which."""

    enabled: bool = False
    """Check spec.resources.gpu."""
    max_count: int = Field(1, ge=0)
    """Maximum number of GPUs of a training."""
    resources: list[ResourceName] = []
    """GPU resources that a training may request, e.g. nvidia.com/gpu; empty: any."""


class BucketPolicy(ValueGroup):
    """Where tenants may read and write."""

    enabled: bool = False
    """Check s3:// addresses."""
    prefixes: list[S3Prefix] = Field(["s3://{namespace}"], min_length=1)
    """Prefixes that TweetBots may write to. One that contains {namespace} allows everything below it; one without must
    be given exactly, as the operator appends the namespace itself. TweetBots may read below both."""
    shared: list[S3Prefix] = []
    """Prefixes below which every tenant may read, e.g. for base models."""
    endpoints: list[Url] = []
    """Allowed values of output.s3.endpoint; empty: any."""
    kms_keys: list[KmsKey] = []
    """Allowed values of output.s3.kmsKeyId, one of which must be given; empty: any, or none."""


class SourcePolicy(ValueGroup):
    """Which kinds of sources are allowed."""

    enabled: bool = False
    """Check the kinds of spec.sources."""
    kinds: list[SourceKind] = Field(
        ["archive", "posts", "bluesky", "mastodon", "threads", "instagram", "reddit"], min_length=1
    )
    """Allowed kinds of sources."""


class RelationPolicy(ValueGroup):
    """How the person behind the account must relate to the bot."""

    enabled: bool = False
    """Check spec.subject.relation."""
    allowed: list[Relation] = Field(["Self", "Consented", "Fictional"], min_length=1)
    """Allowed values of spec.subject.relation."""
    consent_ref: bool = True
    """Require spec.subject.consentRef when the relation is Consented."""


class OperatorPolicy(ValueGroup):
    """What the operator's own account may do, even if its token is stolen."""

    enabled: bool | None = None
    """Let the operator's account create and delete only Jobs of the operator's form, and set only its own finalizer;
    unset: yes, unless `watch.namespaces` is set."""
    denied_namespaces: list[Namespace] = ["kube-system", "kube-public", "kube-node-lease"]
    """Namespaces in which it may touch no Job, beside its own."""
    images: list[Repository] = []
    """Further names of the trainer image, without tag or digest, e.g. that of a mirror which a webhook writes into
    Jobs."""
    variables: list[VariableName] = [
        *(name for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY") for name in (proxy, proxy.lower())),
        "HF_ENDPOINT",
    ]
    """Variables beside the operator's own that its Jobs may set: those that your TweetBotClasses give to Pods."""
    env_from: list[Name] = []
    """ConfigMaps and Secrets whose keys may become variables of its Jobs: those that your TweetBotClasses name."""


class ClassPolicy(ValueGroup):
    """Limits of TweetBotClasses."""

    enabled: bool | None = None
    """Reject a TweetBot whose manifest asks for what its TweetBotClass does not allow; unset: yes, unless
    `watch.namespaces` is set. What a manifest leaves out is checked by the operator."""


class AdmissionPolicies(ValueGroup):
    """Policies on TweetBots are off until enabled. Changes of metadata or status alone are never rejected."""

    classes: ClassPolicy = ClassPolicy()
    """Limits of TweetBotClasses."""
    operator: OperatorPolicy = OperatorPolicy()
    """What the operator's own account may do, even if its token is stolen."""
    secrets: SecretPolicy = SecretPolicy()
    """Authors may name only Secrets that they can read."""
    service_accounts: ServiceAccountPolicy = ServiceAccountPolicy()
    """Which service accounts trainers may run as."""
    gpus: GpuPolicy = GpuPolicy()
    """How many GPUs a training may use, and which."""
    buckets: BucketPolicy = BucketPolicy()
    """Where tenants may read and write."""
    sources: SourcePolicy = SourcePolicy()
    """Which kinds of sources are allowed."""
    relations: RelationPolicy = RelationPolicy()
    """How the person behind the account must relate to the bot."""
    failure_policy: Literal["Fail", "Ignore"] = "Fail"
    """What the API server does when it cannot evaluate a policy: Fail rejects the TweetBot, Ignore admits it."""
    validation_actions: list[Literal["Deny", "Warn", "Audit"]] = Field(["Deny"], min_length=1)
    """What the API server does about a violation: deny, warn or audit it."""
    namespace_selector: Selector = {}
    """Label selector of the namespaces that the policies apply to; empty: all namespaces."""
