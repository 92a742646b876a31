"""What registries and runtimes say of an image."""

from builders.sentences.sentence import (
    ACCOUNT,
    SELECTOR,
    Sentence,
)


def _pulls(words: str, *fields: str, says: str) -> Sentence:
    return Sentence("ImagePullFailed", words, fields, says)


IMAGES = {
    "no access": _pulls(
        'failed to pull and unpack image "ghcr.io/team/trainer:1": failed to resolve reference '
        '"ghcr.io/team/trainer:1": failed to authorize: failed to fetch anonymous token: unexpected status from '
        "GET request to "
        "https://ghcr.io/token: 401 Unauthorized",
        ACCOUNT,
        says="ServiceAccount trainer and delete the Pod",
    ),
    "perhaps no access": _pulls(
        "pull access denied, repository does not exist or may require authorization: server message: "
        "insufficient_scope: authorization failed",
        ACCOUNT,
        says="Name a pull Secret",
    ),
    "too often": _pulls(
        "429 Too Many Requests - Server message: toomanyrequests: You have reached", ACCOUNT, says="Wait"
    ),
    "a CA that nobody knows": _pulls(
        'failed to do request: Head "https://r/v2/t/manifests/1": tls: failed to verify certificate: x509: certificate '
        "signed by unknown authority",
        says="CA put on the nodes",
    ),
    "no https": _pulls("http: server gave HTTP response to HTTPS client", says="served by https"),
    "no such registry": _pulls("dial tcp: lookup registry.example: no such host", says="trainerImage"),
    "no way there": _pulls("dial tcp 10.0.0.1:443: i/o timeout", says="way from the nodes"),
    "a registry that is away": _pulls(
        "image pull failed for r/t because the registry is unavailable: no", says="way from the nodes"
    ),
    "another processor": _pulls("no match for platform in manifest: not found", SELECTOR, says="kubernetes.io/arch"),
    "no such image": _pulls(
        'rpc error: code = NotFound desc = failed to pull and unpack image "r/t:9": failed to resolve reference '
        '"r/t:9": r/t:9: not found',
        says="Correct name or tag",
    ),
    "no such manifest": _pulls("manifest unknown: manifest unknown", says="Correct name or tag"),
    "no name": _pulls(
        'InvalidImageName: Failed to apply default image tag "r/T:": couldn\'t parse image name "r/T:": invalid '
        "reference format: repository name must be lowercase",
        says="Write a valid name",
    ),
    "no signature": _pulls(
        "image pull failed for r/t because the signature validation failed: no", says="image signed"
    ),
    "never pulled": _pulls(
        'ErrImageNeverPull: Container image "r/t" is not present with pull policy of Never', says="onto the nodes"
    ),
    "a full disk while pulling": _pulls("failed to extract layer: no space left on device", says="room made"),
}
