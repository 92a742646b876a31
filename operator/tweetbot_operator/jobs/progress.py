"""TweetBot and run → what its Pod needs to report progress: an address, certificates, a token for this run alone."""

from tweetbot_contract.handover import (
    PROGRESS_CA_ANNOTATION,
    PROGRESS_CA_ENV,
    PROGRESS_DIR,
    PROGRESS_TOKEN_ENV,
    PROGRESS_URL_ENV,
    build_progress_audience,
    build_progress_path,
)
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.objects import Manifest

_VOLUME, _TOKEN, _CA = "progress", "token", "ca.crt"
#: Seconds until the token ends; the kubelet renews it after 80 % of them.
_TOKEN_SECONDS = 3600


def should_report_progress(run: CurrentRun, settings: OperatorSettings) -> bool:
    """Whether the run's stage reports: only a training knows how far it is."""
    return run.stage == "Train" and settings.takes_progress


def build_progress_env(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> dict[str, str]:
    """Return the variables of KEP-2779; without certificates of its own the endpoint is known by the image's."""
    if not should_report_progress(run, settings):
        return {}
    env = {
        PROGRESS_URL_ENV: settings.progress_url.rstrip("/") + build_progress_path(bot.namespace, bot.name, run.id),
        PROGRESS_TOKEN_ENV: f"{PROGRESS_DIR}/{_TOKEN}",
    }
    return env | ({PROGRESS_CA_ENV: f"{PROGRESS_DIR}/{_CA}"} if settings.progress_ca else {})


def build_progress_annotations(run: CurrentRun, settings: OperatorSettings) -> dict[str, str]:
    """Return the certificates as an annotation: a ConfigMap would be a right more that the operator needs."""
    return (
        {PROGRESS_CA_ANNOTATION: settings.progress_ca}
        if should_report_progress(run, settings) and settings.progress_ca
        else {}
    )


def build_progress_volumes(bot: TweetBot, run: CurrentRun, settings: OperatorSettings) -> list[Manifest]:
    """Return the volume of token and certificates."""
    if not should_report_progress(run, settings):
        return []
    audience = build_progress_audience(bot.namespace, bot.name, run.id)
    sources: list[Manifest] = [
        {"serviceAccountToken": {"audience": audience, "expirationSeconds": _TOKEN_SECONDS, "path": _TOKEN}}
    ]
    if settings.progress_ca:
        field = {"fieldPath": f"metadata.annotations['{PROGRESS_CA_ANNOTATION}']"}
        sources.append({"downwardAPI": {"items": [{"path": _CA, "fieldRef": field}]}})
    return [{"name": _VOLUME, "projected": {"defaultMode": 0o440, "sources": sources}}]


def build_progress_mounts(run: CurrentRun, settings: OperatorSettings) -> list[Manifest]:
    """Return where the volume is mounted."""
    return (
        [{"name": _VOLUME, "mountPath": PROGRESS_DIR, "readOnly": True}]
        if should_report_progress(run, settings)
        else []
    )
