"""What a platform team sets: environment variables named TWEETBOT_<FIELD>, read once at the start."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core.core_schema import CoreSchema, no_info_after_validator_function

from tweetbot_contract.platform_class.prices import Prices
from tweetbot_contract.spec.parts import make_matcher
from tweetbot_contract.spec.quantities import (
    CPU_ADVICE,
    CPU_PATTERN,
    MEMORY_ADVICE,
    canonicalize_cpu,
    canonicalize_memory,
    is_cpu,
    is_memory,
)

_PREFIX = "TWEETBOT_"


class InvalidSettings(Exception):
    """The environment must be corrected; the message names each variable, its value and what is allowed."""


@dataclass(frozen=True)
class Form:
    """Of a text, in an Annotated type: a pattern that matches all of it, and what to write instead of any other.

    A number is judged as it is written.
    """

    pattern: str
    advice: str
    types: tuple[str, ...] = ("string",)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check what is of the right type."""
        return no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the schema of the chart's value."""
        return self.describe()

    def check(self, given: Any) -> Any:
        """Return what was given. Raises ValueError with the advice."""
        if not make_matcher(self.pattern)(str(given)):
            raise ValueError(f"write {self.advice}")
        return given

    def describe(self) -> JsonSchemaValue:
        """Return a JSON schema. helm answers any other value by "value must be" and the const: so that is advice."""
        types: JsonSchemaValue = {"type": self.types[0]} if len(self.types) == 1 else {"type": self.types, "minimum": 0}
        return {**types, "if": {"pattern": self.pattern}, "else": {"const": self.advice}}


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


def _read_json(text: object) -> object:
    return json.loads(text) if isinstance(text, str) else text


def _check_networks(text: str) -> str:
    for network in filter(None, text.split(",")):
        try:
            ip_network(network)
        except ValueError as fault:
            raise ValueError(f"write networks such as 10.96.0.0/12 ({fault})") from None
    return text


_BYTE = "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
ADDRESS = f"({_BYTE}([.]{_BYTE}){{3}}|[0-9a-fA-F]*:[0-9a-fA-F:.]*)"
_MASK = "/(12[0-8]|1[01][0-9]|[1-9]?[0-9])"
#: A network with its mask, as far as a pattern can tell.
NETWORK = ADDRESS + _MASK
_NETWORKS = f"^({ADDRESS}({_MASK})?(,{ADDRESS}({_MASK})?)*)?$"
_SIZE = (
    "^[+]?([0-9]{8,15}|[0-9]{5,}([.][0-9]*)?(k|Ki)|[0-9]{2,}([.][0-9]*)?(M|Mi)|([0-9]+([.][0-9]*)?|[.][0-9]+)[GT]i?"
    "|[0-9]([.][0-9]*)?[eE][+]?(0?[7-9]|1[0-4]))$"
)
_AMOUNT = ("string", "number")

Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Cpu = Annotated[
    str,
    BeforeValidator(str),
    AfterValidator(_read_cpu),
    WithJsonSchema(Form(CPU_PATTERN, CPU_ADVICE.removeprefix("write "), _AMOUNT).describe()),
]
Size = Annotated[
    str,
    BeforeValidator(str),
    AfterValidator(_read_size),
    WithJsonSchema(Form(_SIZE, MEMORY_ADVICE.removeprefix("write "), _AMOUNT).describe()),
]
Networks = Annotated[
    str,
    AfterValidator(_check_networks),
    WithJsonSchema(Form(_NETWORKS, "networks such as 10.96.0.0/12, with commas between them").describe()),
]
Host = Annotated[str, Form("^([0-9a-fA-F:]+|[A-Za-z0-9.-]+)$", "an address such as 0.0.0.0, 127.0.0.1 or ::")]
NameOrNone = Annotated[
    str, Form("^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$", "a name: lower-case letters, digits, - and .")
]
VersionOrNone = Annotated[str, Form("^(v[0-9]+((alpha|beta)[0-9]+)?)?$", "a version such as v1beta2")]
UidOrNone = Annotated[str, Form("^[A-Za-z0-9-]{0,64}$", "a uid such as 9f2c1a64-0f5c-4d2b-8a51-0d3b7c6e5f4a")]


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

    workers: Annotated[int, Field(ge=1)] = 12
    """TweetBots reconciled at once, of one namespace a third; more than 4 gained nothing on a 2-core API server."""

    http_host: Host = "0.0.0.0"  # noqa: S104 - probes and Prometheus come from outside the Pod
    """Address on which health and metrics are served; `::` in a cluster that has only IPv6."""

    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """TCP port of health and metrics."""

    tls_folder: Annotated[str, Form("^(/[^:]*)?$", "a folder such as /etc/tls")] = ""
    """Folder of `tls.crt` and `tls.key`, by which health and metrics are served as HTTPS; empty: plain HTTP."""

    metrics_client_certificate: bool = False
    """Give metrics only to clients with a certificate that `ca.crt` of that folder has signed. Probes need none."""

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

    allowed_networks: Networks = ""
    """CIDRs, comma-separated: where servers may be beside the public internet, e.g. an S3 in `10.96.0.0/12`."""

    ca_config_map: NameOrNone = ""
    """ConfigMap in the namespace of every TweetBot, key `ca.crt`: CAs that trainers trust if no `caBundle` is given."""

    prices: Annotated[Prices, BeforeValidator(_read_json)] = Prices()
    """Prices by which plans and statuses say money, as JSON in the variable. Everybody in the cluster may read them."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    """Level of the operator's own log lines."""

    max_active_runs: Count = 0
    """Runs that may have a Job at once, those in Kueue's queues not counted; the others are Queued. 0: no limit."""

    max_active_runs_per_namespace: Count = 0
    """The same limit for each namespace, so that one tenant leaves room for the others. 0: no limit."""

    job_creations_per_second: Seconds = 0
    """Jobs created per second at most, to spare admission webhooks and autoscalers. 0: no limit."""

    kueue_version: VersionOrNone = ""
    """API version of Kueue's Workloads, e.g. `v1beta2`, which say why a run waits in a queue; empty: not read."""

    cluster_uid: UidOrNone = ""
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
