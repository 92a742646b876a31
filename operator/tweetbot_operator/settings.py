"""What whoever runs the operator may set, all of it in the environment as TWEETBOT_<NAME>, read once in `__main__`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

_PREFIX = "TWEETBOT_"


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
    """Seconds between two looks at what a watch may have lost, ±10 %; one metadata-only LIST a kind."""

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
    """User and group of the trainer; the usual number of images without root."""

    log_level: str = "INFO"
    """Level of the operator's own lines."""

    def retry_delay(self, retries: int) -> timedelta | None:
        """Return the pause before the retry of this number (from 1), or None when retrying has gone on long enough."""
        pauses = [min(self.retry_seconds * 2**exponent, self.retry_cap_seconds) for exponent in range(retries)]
        return timedelta(seconds=pauses[-1]) if sum(pauses) <= self.retry_total_seconds else None


def settings_from(env: Mapping[str, str]) -> OperatorSettings:
    """Return the settings of an environment. Raises InvalidSettings."""
    known = {_PREFIX + field.name.upper(): field for field in fields(OperatorSettings)}
    chosen: dict[str, Any] = {}
    for variable, field in known.items():
        if (text := env.get(variable, "").strip()) != "":
            chosen[field.name] = _value(variable, text, field.type)
    return OperatorSettings(**chosen)


def _value(variable: str, text: str, kind: object) -> object:
    if kind == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind is str:
        return text
    try:
        number = int(text) if kind is int else float(text)
    except ValueError:
        raise InvalidSettings(f"{variable}: write a number, not {text!r}") from None
    if not 0 <= number < float("inf"):
        raise InvalidSettings(f"{variable}: write a number that is not negative")
    return number
