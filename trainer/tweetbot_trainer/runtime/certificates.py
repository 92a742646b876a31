"""Certificates of servers: which CAs are trusted, and what is wrong with a server that waiting does not mend."""

import ssl
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from tweetbot_contract import handover, reasons
from tweetbot_trainer.runtime.egress import ForbiddenAddress
from tweetbot_trainer.runtime.errors import SpecRefused

#: Where the HTTP clients read CAs from: OpenSSL, httpx and Go; requests; boto3. Each replaces the client's own list.
_CLIENT_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")
_ANOTHER_NAME = 62
#: By OpenSSL's verify_code (openssl/x509_vfy.h): what is wrong, and what to do.
_FAULTS = {
    9: ("is not valid yet", "have it replaced, or correct the clock of the node or the server"),
    10: ("has expired", "have it renewed"),
    23: ("was revoked", "have it replaced"),
    _ANOTHER_NAME: (
        "is for another host name",
        "write a name that it is for (addressingStyle: Path leaves the bucket out of it), or have this one added to it",
    ),
    64: ("is for another address", "write a name that it is for, or have this address added to it"),
}
_UNKNOWN_CA = (
    "is from a CA that is not trusted here",
    "put the CA's certificate into a ConfigMap and name it in spec.caBundle",
)
#: Codes of chains that end at a CA, or at a server's own signature, which is not in the list.
_UNKNOWN_CA_CODES = frozenset({2, 18, 19, 20, 21, 27})


def find_server_fault(error: BaseException, server: str) -> SpecRefused | None:
    """Return what is wrong with a server's certificate, or its address; None if an error is about something else.

    A certificate that does not verify now will not in a minute, so this is no TemporaryError. `server` is named in the
    message. A client wraps the error of `ssl` in its own, some several times.
    """
    from urllib3.util.ssl_match_hostname import CertificateError  # boto3 has urllib3 compare the name, not ssl

    for cause in _list_causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError | CertificateError):
            fault, advice = _describe(cause)
            return SpecRefused(reasons.SERVER_NOT_TRUSTED, f"the certificate of {server} {fault}: {advice}")
        if isinstance(cause, ForbiddenAddress):
            return SpecRefused(reasons.SPEC_REFUSED, f"{server} led to a forbidden address: {cause}")
        if isinstance(cause, ssl.SSLError) and cause.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
            return SpecRefused(reasons.SERVER_NOT_TRUSTED, f"{server} does not speak TLS: write http:// in its address")
    return None


def _describe(error: Exception) -> tuple[str, str]:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return _FAULTS[_ANOTHER_NAME]
    if error.verify_code in _UNKNOWN_CA_CODES:
        return f"{_UNKNOWN_CA[0]} ({error.verify_message})", _UNKNOWN_CA[1]
    default = (f"does not verify ({error.verify_message})", "have it replaced")
    return _FAULTS.get(error.verify_code, default)


def _list_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it was raised for or holds, each once."""
    known, waiting = set[int](), [error]
    while waiting:
        one = waiting.pop()
        if id(one) in known:
            continue
        known.add(id(one))
        yield one
        held = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        waiting += [cause for cause in held if isinstance(cause, BaseException)]


@contextmanager
def trust_ca_bundle(env: MutableMapping[str, str]) -> Iterator[None]:
    """Let every HTTP client trust the CAs in the files that TWEETBOT_CA_BUNDLE names, beside the public ones.

    Raises SpecRefused if a file cannot be read or holds no certificate.
    """
    given = [name for name in env.get(handover.CA_BUNDLE_ENV, "").split(":") if name]
    if not given:
        yield
        return
    extra = "\n".join(map(_read_cas, given))
    with tempfile.TemporaryDirectory(prefix="tweetbot-ca-") as folder:
        path = Path(folder, "bundle.pem")
        path.write_text(f"{_read_public_cas(env)}\n{extra}", encoding="utf-8")
        env.update(dict.fromkeys(_CLIENT_VARIABLES, str(path)))
        yield


def _read_cas(name: str) -> str:
    try:
        text = Path(name).read_text(encoding="ascii", errors="replace")
        ssl.create_default_context(cadata=text)
    except ssl.SSLError as error:
        raise SpecRefused(reasons.SPEC_REFUSED, f"caBundle: {name} holds no certificate: write it in PEM") from error
    except OSError as error:
        raise SpecRefused(reasons.SPEC_REFUSED, f"caBundle: {name} cannot be read ({error.strerror})") from error
    return text


def _read_public_cas(env: MutableMapping[str, str]) -> str:
    """Read the list that the image or its user chose, else the one that requests brings along."""
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    return Path(env.get(_CLIENT_VARIABLES[0]) or DEFAULT_CA_BUNDLE_PATH).read_text(encoding="utf-8")
