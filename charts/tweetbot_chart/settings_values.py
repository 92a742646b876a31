"""The operator's settings as values of the chart, rendered from OperatorSettings itself, so that none is forgotten."""

from typing import Any

from pydantic import create_model

from tweetbot_contract.spec.parts import Part
from tweetbot_operator.settings import OperatorSettings

#: Settings that follow from another value, or from where the operator runs: setting → what sets it.
ELSEWHERE = {
    "trainer_image": "trainerImage",
    "namespaces": "watch.namespaces",
    "http_port": "metrics.port",
    "tls_folder": "metrics.tls.secretName",
    "metrics_client_certificate": "metrics.tls.clientCertificate",
    "lease_namespace": "the release's namespace",
    "lease_name": "the release's name",
}


def build_settings_type() -> type[Part]:
    """Return the type of the value `settings`."""
    known = OperatorSettings.model_fields.items()
    entries: dict[str, Any] = {name: (field.annotation, field) for name, field in known if name not in ELSEWHERE}
    return create_model("Settings", __base__=Part, **entries)
