"""Why an image cannot be pulled, in the words of kubernetes/pkg/kubelet/images, of container runtimes and registries.

The first that fits is the cause: registries that want a password also say that an image does not exist.
"""

from tweetbot_contract.reasons import IMAGE_PULL_FAILED
from tweetbot_contract.reasons.known_cause import KnownCause


def _build(*says: str, do: str) -> KnownCause:
    return KnownCause((IMAGE_PULL_FAILED,), says, do)


_ACCOUNT = (
    "imagePullSecrets of the ServiceAccount {account} and delete the Pod, which has been made without it, or choose "
    "another account by spec.serviceAccountName"
)
_IMAGE = "the operator's setting trainerImage, or the image of who added the container"
IMAGES = (
    _build(
        "unauthorized",
        "authentication required",
        "authorization failed",
        "pull access denied",
        "403 Forbidden",
        "no basic auth credentials",
        do=f"Name a pull Secret in {_ACCOUNT}; or have the nodes allowed to pull.",
    ),
    _build(
        "toomanyrequests",
        "429 Too Many Requests",
        do=f"Wait, have the image taken from a registry of your own, or name a pull Secret in {_ACCOUNT}.",
    ),
    _build("x509: ", "tls: ", do="Have the registry's CA put on the nodes: they do not trust it."),
    _build(
        "server gave HTTP response to HTTPS client",
        do="Have the registry served by https, or allowed without it in the nodes' runtime.",
    ),
    _build(
        "no such host",
        "server misbehaving",
        do=f"Correct the registry's name in {_IMAGE}, or have the nodes' DNS mended.",
    ),
    _build(
        "i/o timeout",
        "connection refused",
        "no route to host",
        "network is unreachable",
        "deadline exceeded",
        "TLS handshake timeout",
        "because the registry is unavailable",
        do="Have the way from the nodes to the registry opened, by a proxy or a registry of your own.",
    ),
    _build(
        "no match for platform",
        "no matching manifest for",
        do="Choose nodes of another processor by spec.scheduling.nodeSelector (kubernetes.io/arch), or an image for "
        f"these in {_IMAGE}.",
    ),
    _build(
        "not found",
        "manifest unknown",
        "name unknown",
        "does not exist",
        do=f"Correct name or tag in {_IMAGE}: the registry does not have it.",
    ),
    _build(
        "couldn't parse image",
        "invalid reference format",
        do=f"Write a valid name into {_IMAGE}.",
    ),
    _build(
        "signature validation failed",
        do=f"Have the image signed as the nodes' policy asks, or choose another one in {_IMAGE}.",
    ),
    _build(
        "is not present with pull policy of Never",
        do="Have the image loaded onto the nodes, or the policy that sets imagePullPolicy: Never corrected.",
    ),
    _build("no space left on device", do="Have room made on the node's disk."),
)
