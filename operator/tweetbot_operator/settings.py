"""What a platform team sets: environment variables named TWEETBOT_<FIELD>, read once at the start."""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from tweetbot_contract.spec.parts import make_matcher
from tweetbot_contract.spec.quantities import (
    CPU_ADVICE,
    MEMORY_ADVICE,
    canonicalize_cpu,
    canonicalize_memory,
    is_cpu,
    is_memory,
)

_PREFIX = "TWEETBOT_"


class InvalidSettings(Exception):
    """The environment must be corrected; the message names each variable, its value and what is allowed."""


def _split(text: object) -> object:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else text


def _read_cpu(text: str) -> str:
    if not is_cpu(text):
        raise ValueError(CPU_ADVICE)
    return canonicalize_cpu(text)


def _read_size(text: str) -> str:
    if not is_memory(text):
        raise ValueError(MEMORY_ADVICE)
    return canonicalize_memory(text)


def _check_kueue_version(text: str) -> str:
    if text and not make_matcher("^v[0-9]+((alpha|beta)[0-9]+)?$")(text):
        raise ValueError("write a version such as v1beta2")
    return text


def _check_networks(text: str) -> str:
    for network in filter(None, text.split(",")):
        try:
            ip_network(network)
        except ValueError as fault:
            raise ValueError(f"write networks such as 10.96.0.0/12 ({fault})") from None
    return text


Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_QUANTITY = WithJsonSchema({"type": ["string", "number"]})
Cpu = Annotated[str, BeforeValidator(str), AfterValidator(_read_cpu), _QUANTITY]
Size = Annotated[str, BeforeValidator(str), AfterValidator(_read_size), _QUANTITY]


class OperatorSettings(BaseModel):
    """Frozen. Each field's docstring gives its unit and the reason for its default; chart and docs repeat it."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=lambda name: f"{_PREFIX}{name.upper()}",
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    trainer_image: str = "tweetbot-trainer:0.1.0"
    """Image of both stages; pin it by digest in production. It is not in a run's id, so a new one retrains nothing."""

    namespaces: Annotated[tuple[str, ...], BeforeValidator(_split)] = ()
    """Namespaces to watch, comma-separated; empty: the whole cluster. Each adds one watch per kind: fine up to 50."""

    workers: Count = 12
    """TweetBots reconciled at once. Each holds at most one connection; more gained nothing on a 2-core API server."""

    http_host: str = "0.0.0.0"  # noqa: S104 - probes and Prometheus come from outside the Pod
    """Address on which health and metrics are served; `::` in a cluster that has only IPv6."""

    http_port: Count = 8080
    """TCP port of health and metrics."""

    success_ttl_seconds: Seconds = 3600
    """Seconds that a successful Job stays, for its logs."""

    failure_ttl_seconds: Seconds = 86400
    """Seconds that a failed Job stays, so that its logs can be read the next morning."""

    prepare_cpu: Cpu = "1"
    """CPU of the prepare stage, which mostly waits for S3 and X."""

    prepare_memory: Size = "2Gi"
    """Memory of the prepare stage. Even the largest X export fits, as it is read as a stream."""

    work_size: Size = "20Gi"
    """sizeLimit of /work: base, dataset, checkpoint and model of the largest GPT-2, twice. A Pod requests a quarter."""

    run_as_user: Count = 65532
    """User and group id of the trainer, the usual one of images without root; 0: the cluster chooses (OpenShift)."""

    allowed_networks: Annotated[str, AfterValidator(_check_networks)] = ""
    """CIDRs, comma-separated: where servers may be beside the public internet, e.g. an S3 in `10.96.0.0/12`."""

    ca_config_map: str = ""
    """ConfigMap in the namespace of every TweetBot, key `ca.crt`: CAs that trainers trust if no `caBundle` is given."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    """Level of the operator's own log lines."""

    max_active_runs: Count = 0
    """Runs that may have a Job at once, those in Kueue's queues not counted; the others are Queued. 0: no limit."""

    max_active_runs_per_namespace: Count = 0
    """The same limit for each namespace, so that one tenant leaves room for the others. 0: no limit."""

    job_creations_per_second: Seconds = 0
    """Jobs created per second at most, to spare admission webhooks and autoscalers. 0: no limit."""

    kueue_version: Annotated[str, AfterValidator(_check_kueue_version)] = ""
    """API version of Kueue's Workloads, e.g. `v1beta2`, which say why a run waits in a queue; empty: not read."""

    cluster_uid: Annotated[str, Field(max_length=64)] = ""
    """uid of the cluster in `owner.json`; empty: kube-system's. With a lost cluster's uid it takes its folders over."""

    lease_namespace: str = ""
    """Namespace of the Lease that decides which replica acts; empty: the Pod's own, and outside a Pod no election."""

    lease_name: str = "tweetbot-operator"
    """Name of that Lease. Operators that watch different namespaces need different names."""

    lease_seconds: Count = 15
    """Seconds without a renewal after which another replica takes over; 0: no election, for exactly one replica."""


def load_settings(env: Mapping[str, str]) -> OperatorSettings:
    """Read the settings from an environment. Raises InvalidSettings with all faults at once."""
    given = {name: text.strip() for name, text in env.items() if name.startswith(_PREFIX) and text.strip()}
    try:
        return OperatorSettings.model_validate(given)
    except ValidationError as error:
        faults = [f"{fault['loc'][0]}={fault['input']!r}: {fault['msg']}" for fault in error.errors()]
        raise InvalidSettings("; ".join(faults).replace("Value error, ", "")) from None
