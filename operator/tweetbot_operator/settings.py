"""What whoever runs the operator may set, all of it in the environment as TWEETBOT_<NAME>, read once in `__main__`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NewType
from urllib.parse import urlsplit

from tweetbot_contract.spec.parts import make_matcher
from tweetbot_contract.spec.scheduling import QUANTITY

_PREFIX = "TWEETBOT_"
#: Certificates as text; the variable names their file.
Pem = NewType("Pem", str)
#: All annotations of a Pod together may have 256 KiB.
_PEM_LIMIT = 64 * 1024
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
#: Settings that stand in Jobs as they are: the API server would refuse each of them.
_QUANTITIES = ("prepare_cpu", "prepare_memory", "work_size", "tmp_size", "shm_size")


class InvalidSettings(Exception):
    """Whoever runs the operator must change its environment; the message names the variable."""


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """Frozen; each field has the unit in its name or docstring, and the reason for its default."""

    trainer_image: str = "tweetbot-trainer:0.1.0"
    """Image of both stages. Pin it by digest in production; it is not in a run's id, so a new one retrains nothing."""

    namespaces: tuple[str, ...] = ()
    """Namespaces to watch, comma-separated; none: the whole cluster. One stream a namespace and kind: fine to 50."""

    workers: int = 12
    """TweetBots reconciled at once. Each holds at most one connection; more gained nothing on a 2-core API server."""

    http_host: str = "0.0.0.0"  # noqa: S104 - probes and Prometheus come from outside the Pod
    """Address that health and metrics are served on."""

    http_port: int = 8080
    """TCP port of health and metrics."""

    request_timeout_seconds: float = 10
    """Seconds that one API request may take; the client's own default is 300, longer than any request of ours."""

    resync_seconds: float = 600
    """Seconds between two comparisons of everything with what the watches have shown; one metadata-only LIST a kind."""

    look_seconds: float = 45
    """Seconds between two such comparisons of Jobs and Pods, ±10 %, while any run: a lost event costs a minute."""

    watch_silence_seconds: float = 70
    """Seconds without a byte after which a watch counts as dead and begins anew; bookmarks come every minute."""

    drain_seconds: float = 10
    """Seconds for the passes in flight to end after SIGTERM; below the Pod's default grace of 30."""

    start_patience_seconds: float = 30
    """Seconds a Pod may wait before its cause is asked for: pulling an image of gigabytes on a warm node takes less."""

    stalled_seconds: float = 120
    """Seconds a Pod may wait before Stalled=True; a Secret that GitOps applies a moment later raises no alarm."""

    node_lost_seconds: float = 60
    """Seconds beyond the grace period after which a Pod that does not end means a dead node."""

    retry_seconds: float = 300
    """Pause after attempts that a temporary fault ended; doubled each time."""

    retry_cap_seconds: float = 3600
    """Longest such pause."""

    retry_total_seconds: float = 86400
    """Sum of such pauses after which the run fails: a service that is away for a day is not away for a moment."""

    success_ttl_seconds: float = 3600
    """Seconds a Job that succeeded stays, for its logs."""

    failure_ttl_seconds: float = 86400
    """Seconds a Job that failed stays, so that its logs can be read the next morning."""

    erasure_seconds: int = 3600
    """Seconds from its deletion for which a TweetBot waits until its objects are erased; then it goes all the same."""

    schedule_spread_seconds: int = 300
    """Seconds over which the TweetBots of one schedule are spread, each by its uid, always the same; 0: none."""

    job_ttl_seconds: int = 604800
    """ttlSecondsAfterFinished, behind the two above: where the operator is gone, Kubernetes tidies up after a week."""

    backstop_seconds: int = 600
    """Slack of the Job's own activeDeadlineSeconds, which also counts waiting, above the operator's limits."""

    grace_seconds: int = 120
    """terminationGracePeriodSeconds: enough to finish an upload that has begun."""

    prepare_cpu: str = "1"
    """Processor cores of the prepare stage; it mostly waits for S3 and X."""

    prepare_memory: str = "2Gi"
    """Memory of the prepare stage; the largest X export is read as a stream."""

    work_size: str = "20Gi"
    """sizeLimit of /work: base model, dataset, checkpoint and model of the largest GPT-2, twice."""

    tmp_size: str = "2Gi"
    """sizeLimit of /tmp."""

    shm_size: str = "1Gi"
    """sizeLimit of /dev/shm of the train stage; the runtime's own 64 MiB is too small for data loaders."""

    run_as_user: int = 65532
    """User and group of the trainer; the usual number of images without root. 0: the cluster's choice (OpenShift)."""

    allowed_networks: str = ""
    """Networks beside the public internet in which servers that TweetBots name may be: CIDRs, comma-separated."""

    log_level: str = "INFO"
    """Level of the operator's own lines."""

    max_active_runs: int = 0
    """Runs that may have a Job at once, those in Kueue's queues apart; the others are Queued. 0: no limit."""

    max_active_runs_per_namespace: int = 0
    """The same for each namespace, so that one tenant leaves room for the next; 0: no limit."""

    job_creations_per_second: float = 0
    """Jobs created in a second at the most, to spare admission webhooks and autoscalers; 0: no limit."""

    kueue_version: str = ""
    """API version of Kueue's Workloads, e.g. v1beta2, that say why a run waits in a queue; none: they are not read."""

    lease_namespace: str = ""
    """Namespace of the Lease that decides which replica acts; none: the Pod's own, and outside of a Pod no election."""

    lease_name: str = "tweetbot-operator"
    """Name of that Lease; operators that watch different namespaces need different ones."""

    lease_seconds: int = 15
    """Seconds without a renewal after which another replica takes over; 0: no election, for exactly one replica."""

    lease_renew_seconds: float = 10
    """Seconds without a renewal after which the leader writes no more; what it has begun ends before the lease does."""

    lease_retry_seconds: float = 2
    """Seconds between two renewals, and between two looks of a standby: after a release the next one waits so long."""

    progress_url: str = ""
    """URL at which trainers reach this operator, e.g. https://tweetbot-operator.ops.svc:8443; none: no progress."""

    progress_port: int = 8443
    """TCP port of the progress endpoint."""

    progress_certificate: str = ""
    """File of the certificate that the endpoint shows; without one https is off. Read again as it changes."""

    progress_key: str = ""
    """File of that certificate's private key."""

    progress_ca: Pem = Pem("")
    """File of the certificates by which trainers know the endpoint, read at the start; none: those of their image."""

    progress_address: str = ""
    """host:port at which other replicas reach this one, e.g. $(POD_IP):8443; none: a standby takes no reports."""

    @property
    def progress_authority(self) -> str:
        """That address as it stands in a URL: a Pod's IPv6 address has no brackets by itself."""
        host, _, port = self.progress_address.rpartition(":")
        return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else self.progress_address

    @property
    def takes_progress(self) -> bool:
        """Whether trainers report: plain text is for the loopback alone, and https needs a certificate."""
        return bool(self.progress_url and (self.progress_certificate or self.progress_url.startswith("http:")))


def load_settings(env: Mapping[str, str]) -> OperatorSettings:
    """Return the settings of an environment. Raises InvalidSettings."""
    known = {_PREFIX + field.name.upper(): field for field in fields(OperatorSettings)}
    chosen: dict[str, Any] = {}
    for variable, field in known.items():
        if (text := env.get(variable, "").strip()) != "":
            chosen[field.name] = _parse_value(variable, text, field.type)
    settings = OperatorSettings(**chosen)
    _check_lease(settings)
    _check_progress(settings)
    _check_networks(settings)
    _check_quantities(settings)
    if settings.log_level not in _LEVELS:
        raise InvalidSettings(f"TWEETBOT_LOG_LEVEL: write one of {', '.join(_LEVELS)}, not {settings.log_level!r}")
    if settings.kueue_version and not re.fullmatch(r"v[0-9]+((alpha|beta)[0-9]+)?", settings.kueue_version):
        raise InvalidSettings(
            f"TWEETBOT_KUEUE_VERSION: write a version such as v1beta2, not {settings.kueue_version!r}"
        )
    return settings


def _check_lease(settings: OperatorSettings) -> None:
    retry, renew, lease = settings.lease_retry_seconds, settings.lease_renew_seconds, settings.lease_seconds
    if lease and not 0 < 2 * retry <= renew < lease:
        raise InvalidSettings(
            f"TWEETBOT_LEASE_RENEW_SECONDS: write at least twice TWEETBOT_LEASE_RETRY_SECONDS ({retry:g}) and less "
            f"than TWEETBOT_LEASE_SECONDS ({lease}), not {renew:g}"
        )


def _check_progress(settings: OperatorSettings) -> None:
    if not settings.progress_url:
        return
    url = urlsplit(settings.progress_url)
    loopback = url.hostname in ("127.0.0.1", "::1", "localhost")
    if not url.hostname or url.path.strip("/") or url.scheme not in ("https", "http" if loopback else "https"):
        raise InvalidSettings("TWEETBOT_PROGRESS_URL: write https://host:port; http is for the loopback alone")
    if bool(settings.progress_certificate) != bool(settings.progress_key):
        raise InvalidSettings("TWEETBOT_PROGRESS_KEY: certificate and key go together")


def _check_networks(settings: OperatorSettings) -> None:
    for text in filter(None, settings.allowed_networks.split(",")):
        try:
            ip_network(text)
        except ValueError as fault:
            raise InvalidSettings(f"TWEETBOT_ALLOWED_NETWORKS: write networks such as 10.96.0.0/12: {fault}") from None


def _check_quantities(settings: OperatorSettings) -> None:
    for name in _QUANTITIES:
        if not make_matcher(QUANTITY)(text := getattr(settings, name)):
            raise InvalidSettings(f"{_PREFIX}{name.upper()}: write a Kubernetes quantity such as 2Gi, not {text!r}")


def _read_pem(variable: str, file: str) -> Pem:
    """Return the certificates of a file. They go into every Pod, so a file that holds a key as well is refused."""
    try:
        text = Path(file).read_bytes()[: _PEM_LIMIT + 1].decode("ascii", "replace")
    except OSError as fault:
        raise InvalidSettings(f"{variable}: {file} cannot be read: {fault.strerror}") from None
    if "BEGIN CERTIFICATE" not in text or "PRIVATE KEY" in text or len(text) > _PEM_LIMIT:
        raise InvalidSettings(f"{variable}: {file} must hold PEM certificates alone, of 64 KiB at most")
    return Pem(text)


def _parse_value(variable: str, text: str, kind: object) -> object:
    if kind == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind is Pem:
        return _read_pem(variable, text)
    if kind is str:
        return text
    try:
        number = int(text) if kind is int else float(text)
    except ValueError:
        raise InvalidSettings(f"{variable}: write a number, not {text!r}") from None
    if not 0 <= number < float("inf"):
        raise InvalidSettings(f"{variable}: write a number that is not negative")
    return number
